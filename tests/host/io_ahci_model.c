/* SPDX-License-Identifier: Apache-2.0 */
#include "io_ahci_model.h"
#include "drivers/access.h"
#include "drivers/ahci.h"
#include "drivers/pause.h"
#include "runtime_check.h"

#define DISK (8u << 20)

struct model model;

static uint8_t disk[DISK];
static uint32_t ghc, is;
static bool message;

static struct {
  uint64_t clb, fb;
  uint32_t is, ie, command, tfd, signature, control, serr, sact, ci;
  uint32_t sleep; /* looks until the link is up */
  bool halted;    /* an error: nothing more is carried out until the list is stopped and the link reset */
} port[MODEL_PORTS];

void driver_pause(void) {}

static void *from_device(uint64_t address) {
  return (void *)(uintptr_t)(address - MODEL_BIAS);
}

static void reset_port(uint32_t number) {
  memset(&port[number], 0, sizeof port[number]);
  port[number].tfd = 0x7f;
  port[number].signature = UINT32_MAX;
  port[number].sleep = model.wakes_after;
}

static bool has_device(uint32_t number) {
  return !model.no_link && (number == model.port || number == model.packet_port);
}

void model_power(uint32_t shift, uint32_t slots, uint32_t depth) {
  model = (struct model){.shift = shift,
                         .slots = slots,
                         .depth = depth,
                         .bad_block = UINT64_MAX,
                         .serial = 'A',
                         .disk = disk,
                         .disk_size = DISK};
  ghc = is = 0;
  message = false;
  for (uint32_t number = 0; number < MODEL_PORTS; number++)
    reset_port(number);
}

bool model_interrupt(void) {
  bool was = message;
  message = false;
  return was;
}

/* A message when the controller's bit becomes set, not while it is (AHCI 1.3.1, 10.7.2.1). */
static void raise(uint32_t cause) {
  port[model.port].is |= cause;
  if (!(port[model.port].ie & port[model.port].is) || (is & 1u << model.port))
    return;
  is |= 1u << model.port;
  message |= (ghc & GHC_IE) != 0;
}

/* --- commands --- */

static const struct ahci_header *header_of(uint32_t slot) {
  return (const struct ahci_header *)from_device(port[model.port].clb) + slot;
}

static void move(const struct ahci_header *header, uint64_t offset, uint32_t bytes, bool write) {
  const struct ahci_table *table = from_device(header->table);
  CHECK(offset <= DISK && bytes <= DISK - offset && write == !!(header->flags & HEADER_WRITE));
  for (uint32_t i = 0; bytes; i++) {
    CHECK(i < header->flags >> 16 && !(table->region[i].address & 1) && (table->region[i].last & 0x80000001) == 1);
    uint32_t length = table->region[i].last + 1;
    CHECK(length <= bytes && length <= 4u << 20);
    if (write)
      memcpy(&disk[offset], from_device(table->region[i].address), length);
    else
      memcpy(from_device(table->region[i].address), &disk[offset], length);
    offset += length;
    bytes -= length;
  }
}

static uint64_t block_of(const union ahci_fis *fis) {
  return fis->lba0 | fis->lba1 << 8 | fis->lba2 << 16 | (uint64_t)fis->lba3 << 24 | (uint64_t)fis->lba4 << 32 |
         (uint64_t)fis->lba5 << 40;
}

static void identify(const struct ahci_header *header) {
  const struct ahci_table *table = from_device(header->table);
  uint16_t *word = from_device(table->region[0].address);
  CHECK(header->flags >> 16 == 1 && table->region[0].last == 511);
  memset(word, 0, 512);
  for (uint32_t i = 0; i < IDENTIFY_SERIAL_WORDS; i++)
    word[IDENTIFY_SERIAL + i] = (uint16_t)(model.serial << 8 | model.serial);
  word[IDENTIFY_QUEUE_DEPTH] = (uint16_t)(model.depth ? model.depth - 1 : 0);
  word[IDENTIFY_SATA] = model.depth ? 1u << 8 : 0;
  word[IDENTIFY_ENABLED] = model.caches ? 1u << 5 : 0;
  word[IDENTIFY_EXTENSION] = 1u << 14 | (model.forces ? 1u << 6 : 0);
  word[IDENTIFY_TRIM] = model.trims;
  word[IDENTIFY_SUPPORTED] = 1u << 14 | (model.old_addresses ? 0 : 1u << 10);
  word[IDENTIFY_SECTORS] = (uint16_t)(DISK >> model.shift);
  word[IDENTIFY_SECTORS + 1] = (uint16_t)((DISK >> model.shift) >> 16);
  word[IDENTIFY_SECTOR_SIZE] = 1u << 14 | (model.shift > 9 ? 1u << 12 : 0);
  word[IDENTIFY_LOGICAL_WORDS] = (uint16_t)(1u << (model.shift - 1));
}

static void end_rightly(uint32_t slot, bool native) {
  port[model.port].tfd = 0x50;
  if (native)
    port[model.port].sact &= ~(1u << slot);
  else
    port[model.port].ci &= ~(1u << slot);
  raise(native ? IS_SDBS : IS_DHRS);
}

static void end_wrongly(uint32_t slot, bool native) {
  port[model.port].tfd = 0x4041;
  if (!native && model.takes_failed)
    port[model.port].ci &= ~(1u << slot);
  port[model.port].halted = true;
  raise(native ? IS_SDBS : IS_DHRS);
  if (!model.forgets_cause)
    raise(IS_TFES);
}

/* Ranges until the first of no blocks: what is discarded reads as zeroes here. */
static void trim(const struct ahci_header *header) {
  const struct ahci_table *table = from_device(header->table);
  const uint64_t *range = from_device(table->region[0].address);
  CHECK(model.trims && header->flags >> 16 == 1 && table->region[0].last == 511 && table->fis.features_low == ATA_TRIM);
  CHECK(table->fis.count_low == 1 && !table->fis.count_high && (header->flags & HEADER_WRITE));
  for (uint32_t i = 0; i < AHCI_RANGES && range[i]; i++) {
    uint64_t bytes = range[i] >> 48 << model.shift, offset = (range[i] & 0xffffffffffff) << model.shift;
    CHECK(bytes && offset <= DISK && bytes <= DISK - offset);
    memset(&disk[offset], 0, bytes);
  }
}

static bool to_fail(uint64_t block, uint32_t blocks) {
  if (model.fail_in && --model.fail_in == 0)
    return true;
  return model.bad_block >= block && model.bad_block - block < blocks;
}

static void carry_out(uint32_t slot) {
  const struct ahci_header *header = header_of(slot);
  const union ahci_fis *fis = from_device(header->table);
  bool native = port[model.port].sact & 1u << slot;
  CHECK((header->flags & 0xffbf) == HEADER_FIS_DWORDS && !(header->table & 127));
  CHECK(fis->type == FIS_REGISTER_H2D && fis->flags == FIS_COMMAND && !fis->control);
  uint64_t block = block_of(fis);
  uint32_t blocks = 0;
  switch (fis->command) {
  case ATA_READ_FPDMA_QUEUED:
  case ATA_WRITE_FPDMA_QUEUED:
    CHECK(native && model.depth && fis->count_low == slot << 3 && !fis->count_high && fis->device & ATA_DEVICE_LBA);
    blocks = fis->features_low | fis->features_high << 8;
    break;
  case ATA_READ_DMA_EXT:
  case ATA_WRITE_DMA_EXT:
    CHECK(!native && !model.depth);
    blocks = fis->count_low | fis->count_high << 8;
    break;
  case ATA_WRITE_DMA_FUA_EXT:
    CHECK(!native && !model.depth);
    blocks = fis->count_low | fis->count_high << 8;
    break;
  case ATA_DATA_SET_MANAGEMENT:
    CHECK(!native);
    trim(header);
    break;
  case ATA_IDENTIFY_DEVICE:
    CHECK(!native);
    identify(header);
    end_rightly(slot, false);
    return;
  default:
    CHECK(fis->command == ATA_FLUSH_CACHE_EXT && !native);
    model.flushes++;
  }
  model.commands++;
  if (to_fail(block, blocks)) {
    end_wrongly(slot, native);
    return;
  }
  if (blocks)
    move(header, block << model.shift, blocks << model.shift,
         fis->command == ATA_WRITE_FPDMA_QUEUED || fis->command == ATA_WRITE_DMA_EXT ||
             fis->command == ATA_WRITE_DMA_FUA_EXT);
  model.forced += fis->command == ATA_WRITE_DMA_FUA_EXT || (fis->device & ATA_DEVICE_FUA);
  end_rightly(slot, native);
}

/* Queued commands leave the list when the disk has taken them, and end later. */
static uint32_t taken;

uint32_t model_waiting(void) {
  return port[model.port].ci | (taken & port[model.port].sact);
}

void model_work(uint32_t limit) {
  uint32_t number = model.port;
  if (model.invents) {
    port[number].sact &= ~model.invents;
    port[number].ci &= ~model.invents;
    raise(IS_SDBS);
  }
  for (; limit && model_waiting() && !model.silent && !port[number].halted && !model.gone; limit--) {
    uint32_t waiting = model_waiting(), skip = random_below((uint32_t)__builtin_popcount(waiting));
    while (skip--)
      waiting &= waiting - 1;
    uint32_t slot = (uint32_t)__builtin_ctz(waiting);
    if (port[number].sact & 1u << slot) {
      port[number].ci &= ~(1u << slot);
      taken |= 1u << slot;
    }
    carry_out(slot);
  }
}

/* --- registers --- */

static uint32_t read_port(uint32_t number, uint32_t offset) {
  switch (offset) {
  case PORT_IS:
    return port[number].is;
  case PORT_CMD:
    return port[number].command;
  case PORT_TFD:
    return port[number].tfd;
  case PORT_SIG:
    return port[number].signature;
  case PORT_SSTS:
    if (!has_device(number) || (port[number].control & SCTL_DET) || (port[number].sleep && port[number].sleep--))
      return 0;
    return 0x113;
  case PORT_SCTL:
    return port[number].control;
  case PORT_SACT:
    return port[number].sact;
  case PORT_CI:
    return port[number].ci;
  default:
    CHECK(!"a register that the driver does not need to read");
    return 0;
  }
}

uint32_t register_read32(uintptr_t address) {
  uint32_t offset = (uint32_t)(address - MODEL_REGISTERS);
  if (model.gone)
    return UINT32_MAX;
  switch (offset) {
  case AHCI_CAP:
    return CAP_S64A | (model.depth ? CAP_SNCQ : 0) | (model.slots - 1) << 8 | (MODEL_PORTS - 1);
  case AHCI_GHC:
    return ghc;
  case AHCI_PI:
    return (1u << MODEL_PORTS) - 1;
  default:
    CHECK(offset >= AHCI_PORT(0) && offset < AHCI_PORT(MODEL_PORTS));
    return read_port((offset - AHCI_PORT(0)) / AHCI_PORT_BYTES, offset & (AHCI_PORT_BYTES - 1));
  }
}

static void write_command(uint32_t number, uint32_t value) {
  if (value & CMD_FRE && !(port[number].command & CMD_FRE)) {
    CHECK(!(port[number].fb & 255));
    port[number].tfd = 0x150; /* the first register FIS can go somewhere now */
    port[number].signature = number == model.port ? SIGNATURE_DISK : 0xeb140101;
  }
  if (value & CMD_ST && !(port[number].command & CMD_ST)) {
    CHECK(!(port[number].clb & 1023) && (value & CMD_FRE) && !(port[number].command & CMD_CR));
    CHECK(!(port[number].tfd & (TFD_BSY | TFD_DRQ)) && !port[number].halted && !port[number].serr);
    value |= CMD_CR;
  } else if (!(value & CMD_ST) && (port[number].command & CMD_ST)) {
    port[number].sact = port[number].ci = 0;
    value = model.never_stops ? value | CMD_CR : value & ~CMD_CR;
  }
  port[number].command = value & ~CMD_ICC_ACTIVE;
}

static void write_control(uint32_t number, uint32_t value) {
  CHECK(!(port[number].command & (CMD_ST | CMD_CR)));
  if ((value & SCTL_DET) == SCTL_COMRESET) {
    port[number].tfd = TFD_BSY;
    port[number].halted = false;
    port[number].sleep = model.wakes_after;
    taken = 0;
    model.resets++;
  } else if ((port[number].control & SCTL_DET) == SCTL_COMRESET) {
    port[number].tfd = 0x150;
    port[number].serr |= 1u << 26;
  }
  port[number].control = value;
}

/* Commands that are queued and others are never in the list together; SACT is written first. */
static void issue(uint32_t number, uint32_t slots) {
  CHECK(port[number].command & CMD_ST && number == model.port && !(slots & port[number].ci));
  bool native = (slots & port[number].sact) == slots;
  CHECK(native || !(slots & port[number].sact));
  CHECK(native || !((model_waiting() & ~slots) || (slots & (slots - 1))));
  CHECK((uint32_t)__builtin_popcount(model_waiting() | slots) <= (model.depth ? model.depth : 1));
  CHECK(model.slots == 32 || !(slots >> model.slots));
  taken &= ~slots;
  port[number].ci |= slots;
  model.issues++;
  model.alone += !(slots & (slots - 1)) && !(model_waiting() & ~slots);
  uint32_t first = (uint32_t)__builtin_ctz(slots);
  const union ahci_fis *fis = from_device(header_of(first)->table);
  if (fis->command == ATA_IDENTIFY_DEVICE)
    carry_out(first); /* start waits for it */
}

static void set_half(uint64_t *value, bool high, uint32_t half) {
  unsigned shift = high ? 32 : 0;
  *value = (*value & ~(0xffffffffull << shift)) | (uint64_t)half << shift;
}

static void write_port(uint32_t number, uint32_t offset, uint32_t value) {
  if ((offset & ~4u) == PORT_CLB)
    set_half(&port[number].clb, offset & 4, value);
  else if ((offset & ~4u) == PORT_FB)
    set_half(&port[number].fb, offset & 4, value);
  else if (offset == PORT_IS)
    port[number].is &= ~value;
  else if (offset == PORT_IE)
    port[number].ie = value;
  else if (offset == PORT_CMD)
    write_command(number, value);
  else if (offset == PORT_SCTL)
    write_control(number, value);
  else if (offset == PORT_SERR)
    port[number].serr &= ~value;
  else if (offset == PORT_SACT)
    port[number].sact |= value;
  else if (offset == PORT_CI)
    issue(number, value);
  else
    CHECK(!"a register that the driver does not need to write");
}

static void write_ghc(uint32_t value) {
  CHECK(value & GHC_AE);
  ghc = value;
  if (!(value & GHC_HR) || model.never_resets)
    return;
  ghc = 0;
  is = taken = 0;
  for (uint32_t number = 0; number < MODEL_PORTS; number++)
    reset_port(number);
}

void register_write32(uintptr_t address, uint32_t value) {
  uint32_t offset = (uint32_t)(address - MODEL_REGISTERS);
  if (model.gone)
    return;
  if (offset == AHCI_GHC)
    write_ghc(value);
  else if (offset == AHCI_IS)
    is &= port[model.port].is & port[model.port].ie ? UINT32_MAX : ~value;
  else
    write_port((offset - AHCI_PORT(0)) / AHCI_PORT_BYTES, offset & (AHCI_PORT_BYTES - 1), value);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Life cycle of an AHCI controller and of one of its ports: reset, the disk,
 * identification (AHCI 1.3.1, 10.1, 10.4.3). At reset no DMA is possible yet (bus
 * mastering is off), so reset uses registers alone.
 */
#include "ahci.h"
#include "access.h"
#include "pause.h"

#define RESET_SECONDS 1u /* 10.4.3: then the controller is hung */
#define LINK_SECONDS 1u
#define READY_SECONDS 10u /* a disk that spins up */
#define IDENTIFY_SECONDS 5u
#define REGISTERS_BYTES 0x180u /* with one port; more are checked when the ports are known */

static bool fail(struct ahci *ahci, const char *problem) {
  ahci->block.problem = problem;
  ahci->phase = AHCI_DOWN;
  return false;
}

/* --- reset --- */

static bool reset(struct block_device *device) {
  struct ahci *ahci = ahci_of(device);
  ahci->phase = AHCI_DOWN;
  register_write32(ahci->registers + AHCI_GHC, GHC_AE);
  register_write32(ahci->registers + AHCI_GHC, GHC_AE | GHC_HR);
  for (uint32_t i = 0; i < RESET_SECONDS * PAUSES_PER_SECOND; i++) {
    uint32_t control = register_read32(ahci->registers + AHCI_GHC);
    if (control == REGISTER_ABSENT)
      break;
    if (!(control & GHC_HR)) {
      ahci_lose(ahci);
      return true;
    }
    driver_pause();
  }
  return fail(ahci, "the controller does not end its reset (GHC.HR stays set)");
}

/* --- start, step by step --- */

static void prepare_memory(struct ahci *ahci) {
  for (uint32_t slot = 0; slot < AHCI_SLOTS; slot++)
    ahci->memory->header[slot].table = ahci_address(ahci, &ahci->memory->table[slot]);
}

static bool await_ready(const struct ahci *ahci) {
  for (uint32_t i = 0; i < READY_SECONDS * PAUSES_PER_SECOND; i++) {
    if (ahci_port_ready(ahci))
      return true;
    driver_pause();
  }
  return false;
}

static bool linked(const struct ahci *ahci) {
  return SSTS_DET(register_read32(ahci->port + PORT_SSTS)) == DET_READY;
}

/* A port whose device is a disk. Whether it is shows after its first register FIS, which must have a place to go. */
static bool try_port(struct ahci *ahci, uint32_t number) {
  ahci->number = number;
  ahci->port = ahci->registers + AHCI_PORT(number);
  if (!linked(ahci))
    return false;
  ahci_port_place(ahci);
  return await_ready(ahci) && register_read32(ahci->port + PORT_SIG) == SIGNATURE_DISK;
}

static bool find_port(struct ahci *ahci) {
  uint32_t implemented = register_read32(ahci->registers + AHCI_PI) & ahci->reachable;
  if (ahci->wanted)
    implemented &= ahci->wanted <= AHCI_PORTS ? 1u << (ahci->wanted - 1) : 0;
  for (uint32_t i = 0; i < LINK_SECONDS * PAUSES_PER_SECOND; i++) {
    for (uint32_t left = implemented; left; left &= left - 1) {
      if (try_port(ahci, (uint32_t)__builtin_ctz(left)))
        return true;
    }
    driver_pause();
  }
  return fail(ahci, "no port of the controller has a disk");
}

/* Slot 0's header serves with a table of its own: slots may hold commands that are to be issued again. */
static bool identify(struct ahci *ahci) {
  struct ahci_memory *memory = ahci->memory;
  struct ahci_header kept = {.flags = memory->header[0].flags, .table = memory->header[0].table};
  memory->table[AHCI_SLOTS].region[0] =
      (struct ahci_region){.address = ahci_address(ahci, memory->identify), .last = sizeof memory->identify - 1};
  ahci_fill(&memory->header[0], &memory->table[AHCI_SLOTS].fis, ATA_IDENTIFY_DEVICE, 0, 1);
  memory->header[0].table = ahci_address(ahci, &memory->table[AHCI_SLOTS]);
  register_write32(ahci->port + PORT_CI, 1);
  bool done = false;
  for (uint32_t i = 0; i < IDENTIFY_SECONDS * PAUSES_PER_SECOND && !done; i++) {
    driver_pause();
    done = !(register_read32(ahci->port + PORT_CI) & 1);
  }
  memory->header[0].flags = kept.flags;
  memory->header[0].table = kept.table;
  return done && !(register_read32(ahci->port + PORT_TFD) & TFD_ERR);
}

/* Bits of a word of which bit 14 is set and bit 15 is not; others say nothing (ATA8-ACS, 7.16.7). */
static uint32_t valid_word(const struct ahci *ahci, uint32_t word) {
  uint32_t value = ahci->memory->identify[word];
  return value >> 14 == 1 ? value : 0;
}

static bool read_size(struct ahci *ahci) {
  const volatile uint16_t *word = ahci->memory->identify;
  uint32_t words = 256;
  if (valid_word(ahci, IDENTIFY_SECTOR_SIZE) & 1u << 12)
    words = word[IDENTIFY_LOGICAL_WORDS] | (uint32_t)word[IDENTIFY_LOGICAL_WORDS + 1] << 16;
  if (!(valid_word(ahci, IDENTIFY_SUPPORTED) & 1u << 10))
    return fail(ahci, "the disk has no 48-bit addresses");
  if (words != 256 && words != 2048)
    return fail(ahci, "the disk's blocks are neither of 512 nor of 4096 bytes");
  uint64_t sectors = 0;
  for (uint32_t i = 0; i < 4; i++)
    sectors |= (uint64_t)word[IDENTIFY_SECTORS + i] << (16 * i);
  ahci->block_shift = words == 256 ? 9 : 12;
  ahci->block.block_size = 2 * words;
  ahci->block.size = sectors << ahci->block_shift;
  return true;
}

/* What is to be issued again must not reach another disk. */
static bool same_disk(struct ahci *ahci, uint64_t size) {
  bool same = size == ahci->block.size;
  for (uint32_t i = 0; i < IDENTIFY_SERIAL_WORDS; i++) {
    uint16_t word = ahci->memory->identify[IDENTIFY_SERIAL + i];
    same = same && word == ahci->serial[i];
    ahci->serial[i] = word;
  }
  return same;
}

static void choose_commands(struct ahci *ahci) {
  const volatile uint16_t *word = ahci->memory->identify;
  uint32_t cap = register_read32(ahci->registers + AHCI_CAP), depth = 1;
  ahci->queueing = (cap & CAP_SNCQ) && word[IDENTIFY_SATA] != 0xffff && (word[IDENTIFY_SATA] & 1u << 8);
  if (ahci->queueing)
    depth = (word[IDENTIFY_QUEUE_DEPTH] & 31u) + 1;
  if (depth > CAP_NCS(cap))
    depth = CAP_NCS(cap);
  uint32_t read = ahci->queueing ? ATA_READ_FPDMA_QUEUED : ATA_READ_DMA_EXT;
  uint32_t write = ahci->queueing ? ATA_WRITE_FPDMA_QUEUED : ATA_WRITE_DMA_EXT;
  ahci->first_word[BLOCK_READ] = FIS_REGISTER_H2D | FIS_COMMAND << 8 | read << 16;
  ahci->first_word[BLOCK_WRITE] = FIS_REGISTER_H2D | FIS_COMMAND << 8 | write << 16;
  ahci->header_flags[BLOCK_READ] = HEADER_FIS_DWORDS;
  ahci->header_flags[BLOCK_WRITE] = HEADER_FIS_DWORDS | HEADER_WRITE;
  ahci->block.longest = AHCI_LONGEST;
  ahci_slots_reset(ahci, depth);
}

static void choose_features(struct ahci *ahci) {
  const volatile uint16_t *word = ahci->memory->identify;
  struct block_device *block = &ahci->block;
  bool trims = valid_word(ahci, IDENTIFY_SUPPORTED) && (word[IDENTIFY_TRIM] & 1) && word[IDENTIFY_TRIM] != 0xffff;
  block->features = (word[IDENTIFY_ENABLED] & 1u << 5) ? BLOCK_CACHE : 0;
  block->features |= (valid_word(ahci, IDENTIFY_EXTENSION) & 1u << 6) ? BLOCK_FUA : 0;
  block->features |= trims ? BLOCK_DISCARD : 0;
  block->longest_discard = trims ? AHCI_RANGES * (ATA_RANGE_BLOCKS << 9) : 0;
  block->discard_alignment = block->block_size;
}

static bool bring_up(struct ahci *ahci) {
  uint64_t size = ahci->block.size;
  register_write32(ahci->registers + AHCI_GHC, GHC_AE);
  if (!(register_read32(ahci->registers + AHCI_CAP) & CAP_S64A))
    return fail(ahci, "the controller does not reach all memory (no CAP.S64A)");
  prepare_memory(ahci);
  if (!find_port(ahci))
    return false;
  ahci_port_go(ahci);
  if (!identify(ahci))
    return fail(ahci, "the disk does not identify itself");
  if (!read_size(ahci))
    return false;
  if (!same_disk(ahci, size) && ahci->again)
    return fail(ahci, "the disk is another than before");
  return true;
}

static bool start(struct block_device *device) {
  struct ahci *ahci = ahci_of(device);
  if (!bring_up(ahci)) {
    ahci_give_up(ahci);
    return false;
  }
  choose_commands(ahci);
  choose_features(ahci);
  ahci_port_clear(ahci);
  register_write32(ahci->port + PORT_IE, IS_WANTED);
  register_write32(ahci->registers + AHCI_GHC, GHC_AE | GHC_IE);
  device->problem = 0;
  ahci->phase = AHCI_RUNNING;
  ahci_issue_alone(ahci);
  return true;
}

/* While the port recovers from an error it may be without a link for a while; the server's patience bounds that. */
static bool failed(struct block_device *device) {
  struct ahci *ahci = ahci_of(device);
  return register_read32(ahci->registers + AHCI_GHC) == REGISTER_ABSENT ||
         (ahci->phase == AHCI_RUNNING && !linked(ahci));
}

static const struct block_driver AHCI_DRIVER = {
    .error_words = {"status", "error"}, /* the registers of the task file */
    .reset = reset,
    .start = start,
    .submit = ahci_submit,
    .flush = ahci_flush,
    .discard = ahci_discard,
    .commit = ahci_commit,
    .poll = ahci_poll,
    .failed = failed,
};

struct block_device *ahci_open(const struct driver_resources *given) {
  struct ahci *ahci = given->state;
  *ahci = (struct ahci){.registers = driver_registers(given, AHCI_BAR, REGISTERS_BYTES),
                        .memory = given->memory,
                        .bias = given->bias,
                        .wanted = given->device->parameter[PARAMETER_PORT]};
  ahci->block.driver = &AHCI_DRIVER;
  ahci->block.problem = ahci->registers ? 0 : "the controller's registers are not mapped";
  uint64_t ports = ahci->registers ? (given->device->bar[AHCI_BAR].size - AHCI_PORT(0)) / AHCI_PORT_BYTES : 0;
  ahci->reachable = ports < AHCI_PORTS ? (1u << ports) - 1 : UINT32_MAX;
  return &ahci->block;
}

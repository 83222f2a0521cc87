/* SPDX-License-Identifier: Apache-2.0 */
#include "io_e1000e_model.h"
#include "drivers/access.h"
#include "drivers/pause.h"
#include "runtime_check.h"

#define DESCRIPTORS 256u
#define FILTERED (1u << 7) /* PIF */

struct model model;
const uint8_t MODEL_ADDRESS[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

static uint32_t registers[E1000E_BYTES / 4];
static uint64_t context;
static uint32_t pending; /* causes that a message was sent for */
static struct model_frame gathered;

static uint32_t *at(uint32_t offset) {
  CHECK(offset < E1000E_BYTES && offset % 4 == 0);
  return &registers[offset / 4];
}

static void set_address(void) {
  memcpy(at(E1000E_RAL), MODEL_ADDRESS, 4);
  *at(E1000E_RAL + 4) = RAH_AV | MODEL_ADDRESS[4] | (uint32_t)MODEL_ADDRESS[5] << 8;
}

static void set_defaults(void) {
  memset(registers, 0, sizeof registers);
  *at(E1000E_STATUS) = STATUS_LU;
  *at(E1000E_RXCSUM) = RXCSUM_IPOFLD | RXCSUM_TUOFLD;
  pending = 0;
  set_address();
}

/* Not all that a reset must overcome is 0: firmware may have used the card. */
void model_power(bool forgets) {
  model = (struct model){.forgets = forgets};
  context = 0;
  gathered.length = 0;
  set_defaults();
  for (uint32_t i = 0; i < 128; i++)
    *at(E1000E_MTA + 4 * i) = 0x01010101;
  *at(E1000E_RAL + 8 * 3 + 4) = RAH_AV;
  *at(E1000E_RDH) = *at(E1000E_RDT) = 7;
  *at(E1000E_TDH) = *at(E1000E_TDT) = 9;
  *at(E1000E_RCTL) = RCTL_EN | RCTL_UPE;
  *at(E1000E_IMS) = 0xffffffff;
}

static void *from_device(uint64_t address) {
  CHECK(model.master);
  return (void *)(uintptr_t)(address - MODEL_BIAS);
}

void driver_pause(void) {}

/* --- interrupts --- */

static void message(uint32_t cause, uint32_t entry) {
  if (!(entry & 8))
    return;
  CHECK((entry & 7) < MODEL_VECTORS);
  model.messages[entry & 7]++;
  uint32_t clear = *at(E1000E_EIAC) & cause;
  *at(E1000E_ICR) &= ~clear;
  pending &= ~clear;
  if (!(*at(E1000E_CTRL_EXT) & CTRL_EXT_IAME))
    *at(E1000E_IMS) &= ~clear;
}

static void tell_causes(void) {
  if (*at(E1000E_ICR) & (CAUSE_LSC | CAUSE_RXO))
    *at(E1000E_ICR) |= CAUSE_OTHER;
  uint32_t now = *at(E1000E_ICR) & *at(E1000E_IMS), new = now & ~pending, routes = *at(E1000E_IVAR);
  pending = now;
  if (new &CAUSE_RXQ0)
    message(CAUSE_RXQ0, routes);
  if (new &CAUSE_TXQ0)
    message(CAUSE_TXQ0, routes >> 8);
  if (new &CAUSE_OTHER)
    message(CAUSE_OTHER, routes >> 16);
}

static void raise(uint32_t cause) {
  *at(E1000E_ICR) |= cause;
  tell_causes();
}

void model_link(bool up) {
  *at(E1000E_STATUS) = up ? STATUS_LU : 0;
  raise(CAUSE_LSC);
}

/* --- frames out --- */

static void ring_is_right(uint32_t base) {
  CHECK(*at(base + E1000E_RDLEN - E1000E_RDBAL) == DESCRIPTORS * 16);
  CHECK(*at(base + E1000E_RDH - E1000E_RDBAL) < DESCRIPTORS && *at(base + E1000E_RDT - E1000E_RDBAL) < DESCRIPTORS);
}

static void *descriptor(uint32_t base, uint32_t index) {
  ring_is_right(base);
  uint64_t ring = *at(base) | (uint64_t)*at(base + E1000E_RDBAH - E1000E_RDBAL) << 32;
  CHECK(ring % 128 == 0);
  return (char *)from_device(ring) + 16 * index;
}

/* RFC 1071; what stands at the place already counts. */
static void fill_in_checksum(void) {
  uint32_t start = context >> 32 & 0xff, place = context >> 40 & 0xff, sum = 0;
  CHECK(context >> 48 == 0 && place + 2 <= gathered.length && start <= place);
  for (uint32_t i = start; i < gathered.length; i++)
    sum += (uint32_t)gathered.bytes[i] << ((i - start) % 2 ? 0 : 8);
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  gathered.bytes[place] = (uint8_t)(~sum >> 8);
  gathered.bytes[place + 1] = (uint8_t)~sum;
}

/* True: a frame is complete. */
static bool carry_out(const struct e1000e_transmit_descriptor *descriptor) {
  uint32_t command = descriptor->command, length = command & 0xfffff;
  if ((command & 0x20f00000) == TRANSMIT_CONTEXT) {
    CHECK(gathered.length == 0 && !(command & TRANSMIT_RS) && length == 0);
    context = descriptor->address;
    return false;
  }
  CHECK((command & 0x20f00000) == TRANSMIT_DATA && length > 0 && gathered.length + length <= 1518);
  CHECK((descriptor->status & ~TRANSMIT_TXSM) == 0);
  memcpy(&gathered.bytes[gathered.length], from_device(descriptor->address), length);
  gathered.length += length;
  if (!(command & TRANSMIT_EOP))
    return false;
  CHECK((command & TRANSMIT_IFCS) && gathered.length >= TRANSMIT_LEAST);
  if (descriptor->status & TRANSMIT_TXSM)
    fill_in_checksum();
  model.frame[model.sent++ % MODEL_SENT] = gathered;
  gathered.length = 0;
  return true;
}

uint32_t model_send(uint32_t limit) {
  uint32_t count = 0;
  while (count < limit && *at(E1000E_TDH) != *at(E1000E_TDT)) {
    CHECK(*at(E1000E_TCTL) & TCTL_EN);
    struct e1000e_transmit_descriptor *next = descriptor(E1000E_TDBAL, *at(E1000E_TDH));
    count += carry_out(next);
    *at(E1000E_TDH) = (*at(E1000E_TDH) + 1) % DESCRIPTORS;
    if (next->command & TRANSMIT_RS) {
      next->status |= TRANSMIT_DD;
      model.write_backs++;
      raise(CAUSE_TXQ0);
    }
  }
  return count;
}

void model_claim_all_sent(void) {
  for (uint32_t i = 0; i < DESCRIPTORS; i++)
    ((struct e1000e_transmit_descriptor *)descriptor(E1000E_TDBAL, i))->status |= TRANSMIT_DD;
}

/* --- frames in --- */

static bool passes(const uint8_t *frame) {
  uint32_t rctl = *at(E1000E_RCTL), hash = (frame[5] << 8 | frame[4]) >> 4;
  if (memcmp(frame, "\xff\xff\xff\xff\xff\xff", 6) == 0)
    return rctl & RCTL_BAM;
  if (rctl & (frame[0] & 1 ? RCTL_MPE : RCTL_UPE))
    return true;
  for (uint32_t i = 0; i < 16; i++) {
    uint32_t pair[2] = {*at(E1000E_RAL + 8 * i), *at(E1000E_RAL + 8 * i + 4)};
    if ((pair[1] & RAH_AV) && memcmp(pair, frame, 6) == 0)
      return true;
  }
  return *at(E1000E_MTA + hash / 32 * 4) >> hash % 32 & 1;
}

bool model_report(uint64_t written) {
  CHECK((*at(E1000E_RCTL) & RCTL_EN) && (*at(E1000E_RFCTL) & RFCTL_EXTEN));
  uint32_t head = *at(E1000E_RDH);
  if (head == *at(E1000E_RDT))
    return false;
  struct e1000e_receive_descriptor *next = descriptor(E1000E_RDBAL, head);
  CHECK(next->written == 0);
  next->address = 0xdeadbeef0badf00d; /* hash, packet identification: over the address */
  next->written = written;
  *at(E1000E_RDH) = (head + 1) % DESCRIPTORS;
  raise(CAUSE_RXQ0);
  return true;
}

bool model_receive(const uint8_t *frame, uint32_t length, uint32_t extra) {
  uint32_t head = *at(E1000E_RDH);
  CHECK((*at(E1000E_RCTL) & RCTL_SECRC) && (*at(E1000E_RCTL) & 0x30020) == 0); /* 2,048 bytes, no long frames */
  if (!passes(frame))
    return false;
  if (head == *at(E1000E_RDT)) {
    raise(CAUSE_RXO);
    return false;
  }
  struct e1000e_receive_descriptor *next = descriptor(E1000E_RDBAL, head);
  memcpy(from_device(next->address), frame, length);
  memset((uint8_t *)from_device(next->address) + length, 0xee, MODEL_LONGEST - length); /* it may */
  return model_report(RECEIVE_DD | RECEIVE_EOP | FILTERED | extra | (uint64_t)length << 32 | (uint64_t)0x1234 << 48);
}

/* --- registers --- */

static void reset(void) {
  CHECK((*at(E1000E_CTRL) & CTRL_GIO_MASTER_DISABLE) && !(*at(E1000E_RCTL) & RCTL_EN) && !(*at(E1000E_TCTL) & TCTL_EN));
  uint32_t link = *at(E1000E_STATUS);
  if (model.forgets)
    set_defaults();
  *at(E1000E_STATUS) = link;
  context = 0xffffffffffffffff;
  gathered.length = 0;
  set_address();
}

uint32_t model_register(uint32_t offset) {
  return *at(offset);
}

void model_set(uint32_t offset, uint32_t value) {
  *at(offset) = value;
}

static uint32_t status(void) {
  bool quiet = (*at(E1000E_CTRL) & CTRL_GIO_MASTER_DISABLE) && !model.never_quiet;
  return *at(E1000E_STATUS) | (quiet ? 0 : STATUS_GIO_MASTER_ENABLE);
}

uint32_t register_read32(uintptr_t address) {
  uint32_t offset = (uint32_t)(address - MODEL_REGISTERS);
  if (model.gone)
    return E1000E_GONE;
  switch (offset) {
  case E1000E_STATUS:
    return status();
  case E1000E_EECD:
    return model.never_reads ? 0 : EECD_AUTO_RD;
  case E1000E_CTRL:
  case E1000E_CTRL_EXT:
  case E1000E_RCTL:
  case E1000E_TCTL:
  case E1000E_TDLEN:
  case E1000E_RAL:
  case E1000E_RAL + 4:
    return *at(offset);
  default:
    CHECK(!"a register that the driver does not need to read");
    return 0;
  }
}

static void set_control(uint32_t value) {
  *at(E1000E_CTRL) = value & (model.never_resets ? ~0u : ~CTRL_RST);
  if (value & CTRL_RST)
    reset();
}

static void doorbell(uint32_t offset, uint32_t value) {
  bool runs = offset == E1000E_TDT ? *at(E1000E_TCTL) & TCTL_EN : *at(E1000E_RCTL) & RCTL_EN;
  CHECK(value < DESCRIPTORS && (runs || value == 0));
  model.doorbells += runs;
  *at(offset) = value;
}

void register_write32(uintptr_t address, uint32_t value) {
  uint32_t offset = (uint32_t)(address - MODEL_REGISTERS);
  if (model.gone)
    return;
  bool queue = (offset >= E1000E_RDBAL && offset <= E1000E_RDH) || (offset >= E1000E_TDBAL && offset <= E1000E_TDH);
  CHECK(!queue || !((*at(E1000E_RCTL) & RCTL_EN) && offset < E1000E_TDBAL));
  if (offset == E1000E_CTRL)
    set_control(value);
  else if (offset == E1000E_IMC)
    *at(E1000E_IMS) &= ~value;
  else if (offset == E1000E_IMS)
    *at(E1000E_IMS) |= value;
  else if (offset == E1000E_ICR)
    *at(E1000E_ICR) &= ~(value | (value & CAUSE_OTHER ? CAUSE_LSC | CAUSE_RXO : 0));
  else if (offset == E1000E_TDT || offset == E1000E_RDT)
    doorbell(offset, value);
  else
    *at(offset) = value;
  CHECK(model.master || !((*at(E1000E_RCTL) & RCTL_EN) && offset == E1000E_RCTL));
  pending &= *at(E1000E_ICR) & *at(E1000E_IMS);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Life cycle of the card: reset, set-up, link, interrupts. The card has no
 * function-level reset; CTRL.RST is what it has (datasheet, 4.6). QEMU 7.2
 * restores only the address at CTRL.RST, so every register that matters is
 * written here, whatever it should be after a reset.
 */
#include "e1000e.h"
#include "access.h"
#include "pause.h"

#define PATIENCE PAUSES_PER_SECOND /* for the card to obey, pauses */
#define MODERATION_NS 50000u       /* between two interrupts of the queues */

static uint32_t get(const struct e1000e *card, uint32_t offset) {
  return register_read32(card->registers + offset);
}

static void set(const struct e1000e *card, uint32_t offset, uint32_t value) {
  register_write32(card->registers + offset, value);
}

static bool fail(struct e1000e *card, const char *problem) {
  card->network.problem = problem;
  card->ready = false;
  return false;
}

/* --- reset --- */

static bool wait_for(const struct e1000e *card, uint32_t offset, uint32_t bit, uint32_t wanted) {
  for (uint32_t i = 0; i < PATIENCE; i++) {
    uint32_t value = get(card, offset);
    if (value == E1000E_GONE)
      return false;
    if ((value & bit) == wanted)
      return true;
    driver_pause();
  }
  return false;
}

/* 5.2.5.3: what is under way on the bus ends before the reset, or it may end after it. */
static bool stop_accesses(struct e1000e *card) {
  set(card, E1000E_IMC, 0xffffffff);
  set(card, E1000E_RCTL, 0);
  set(card, E1000E_TCTL, 0);
  set(card, E1000E_CTRL, get(card, E1000E_CTRL) | CTRL_GIO_MASTER_DISABLE);
  return wait_for(card, E1000E_STATUS, STATUS_GIO_MASTER_ENABLE, 0) ||
         fail(card, "the card does not end its accesses to memory (STATUS.GIO Master Enable)");
}

static bool reset(struct network_device *device) {
  struct e1000e *card = e1000e_of(device);
  if (!card->registers)
    return false;
  card->ready = false;
  if (get(card, E1000E_STATUS) == E1000E_GONE)
    return fail(card, "the card does not answer");
  if (!stop_accesses(card))
    return false;
  set(card, E1000E_CTRL, get(card, E1000E_CTRL) | CTRL_RST);
  driver_pause(); /* 10.2.2.1: no access for a microsecond */
  if (!wait_for(card, E1000E_CTRL, CTRL_RST, 0) || !wait_for(card, E1000E_EECD, EECD_AUTO_RD, EECD_AUTO_RD))
    return fail(card, "the card does not come out of its reset (CTRL.RST, EECD.AUTO_RD)");
  set(card, E1000E_IMC, 0xffffffff);
  set(card, E1000E_ICR, 0xffffffff);
  e1000e_rings_lose(card);
  return true;
}

/* --- start, step by step --- */

/* A reset brings the address back from the card's EEPROM (10.2.5.15). */
static bool read_address(struct e1000e *card) {
  uint32_t low = get(card, E1000E_RAL), high = get(card, E1000E_RAL + 4);
  bool group = low & 1;
  if (!(high & RAH_AV) || group || (low == 0 && (high & 0xffff) == 0))
    return fail(card, "the card has no address of its own (RAL0, RAH0)");
  for (uint32_t i = 0; i < NETWORK_ADDRESS; i++)
    card->network.address[i] = (uint8_t)(i < 4 ? low >> 8 * i : high >> 8 * (i - 4));
  return true;
}

static void set_link_up(const struct e1000e *card) {
  uint32_t off = CTRL_GIO_MASTER_DISABLE | CTRL_FRCSPD | CTRL_FRCDPLX | CTRL_RST | CTRL_VME | CTRL_PHY_RST;
  set(card, E1000E_CTRL, (get(card, E1000E_CTRL) & ~off) | CTRL_SLU | CTRL_ASDE);
}

static void set_ring(const struct e1000e *card, uint32_t base, const void *ring) {
  uint64_t address = (uint64_t)(uintptr_t)ring + card->bias;
  set(card, base, (uint32_t)address);
  set(card, base + E1000E_RDBAH - E1000E_RDBAL, (uint32_t)(address >> 32));
  set(card, base + E1000E_RDLEN - E1000E_RDBAL, E1000E_ENTRIES * 16);
  set(card, base + E1000E_RDH - E1000E_RDBAL, 0);
  set(card, base + E1000E_RDT - E1000E_RDBAL, 0);
}

/* The queues' causes are cleared by their own message (EIAC) and no mask is touched (IAME with an empty IAM), so that an
   interrupt costs no access to the card. LSC and RXO stay until link() clears them: one message until then. */
static void set_interrupts(const struct e1000e *card) {
  uint32_t other = card->interrupts > 1;
  uint32_t extended = get(card, E1000E_CTRL_EXT) & ~CTRL_EXT_EIAME;
  set(card, E1000E_CTRL_EXT, extended | CTRL_EXT_IAME | CTRL_EXT_PBA_CLR);
  set(card, E1000E_IAM, 0);
  set(card, E1000E_EIAC, CAUSE_RXQ0 | CAUSE_TXQ0);
  set(card, E1000E_IVAR, IVAR_RXQ0(0) | IVAR_TXQ0(0) | IVAR_OTHER(other));
  set(card, E1000E_EITR, MODERATION_NS / EITR_NS);
  if (other)
    set(card, E1000E_EITR + 4, 0);
  set(card, E1000E_IMS, CAUSE_RXQ0 | CAUSE_TXQ0 | CAUSE_OTHER | CAUSE_LSC);
}

/* ACK_DIS: else each acknowledgement of TCP raises the interrupt of rare things. */
static void set_queues(const struct e1000e *card) {
  set(card, E1000E_RXCSUM, RXCSUM_IPOFLD | RXCSUM_TUOFLD);
  set(card, E1000E_RFCTL, RFCTL_EXTEN | RFCTL_ACK_DIS | RFCTL_NFSW_DIS | RFCTL_NFSR_DIS);
  set_ring(card, E1000E_RDBAL, card->memory->receive);
  set_ring(card, E1000E_TDBAL, card->memory->transmit);
  set(card, E1000E_TXDCTL, TXDCTL_GRAN | TXDCTL_RESERVED_ONE);
  set(card, E1000E_TIPG, TIPG_COPPER);
  set(card, E1000E_TCTL, TCTL_EN | TCTL_PSP | TCTL_CT | TCTL_COLD | TCTL_MULR);
  e1000e_filter_tell(card); /* writes RCTL: the receiver runs from here on */
}

static bool start(struct network_device *device) {
  struct e1000e *card = e1000e_of(device);
  if (!read_address(card))
    return false;
  set_link_up(card);
  e1000e_rings_start(card);
  set_queues(card);
  set_interrupts(card);
  device->offloads = NETWORK_OFFLOAD_TRANSMIT | NETWORK_OFFLOAD_RECEIVE;
  device->problem = 0;
  card->ready = true;
  return true;
}

/* The causes are cleared before the state is read: a change after that raises another interrupt. */
static bool link(struct network_device *device) {
  struct e1000e *card = e1000e_of(device);
  if (!card->ready)
    return false;
  set(card, E1000E_ICR, CAUSE_OTHER | CAUSE_LSC | CAUSE_RXO);
  uint32_t status = get(card, E1000E_STATUS);
  return status != E1000E_GONE && (status & STATUS_LU);
}

/* A card that has lost its set-up, by a reset of its own, says so by its registers. */
static bool failed(struct network_device *device) {
  struct e1000e *card = e1000e_of(device);
  if (!card->registers || get(card, E1000E_STATUS) == E1000E_GONE)
    return true;
  if (!card->ready)
    return false;
  bool runs = (get(card, E1000E_RCTL) & RCTL_EN) && (get(card, E1000E_TCTL) & TCTL_EN);
  return !runs || get(card, E1000E_TDLEN) != E1000E_ENTRIES * 16;
}

static const struct network_driver E1000E_DRIVER = {
    .reset = reset,
    .start = start,
    .filter = e1000e_filter,
    .transmit = e1000e_transmit,
    .receive = e1000e_receive,
    .commit = e1000e_commit,
    .sent = e1000e_sent,
    .received = e1000e_received,
    .link = link,
    .failed = failed,
};

struct network_device *e1000e_open(const struct driver_resources *given) {
  struct e1000e *card = given->state;
  *card = (struct e1000e){.memory = given->memory, .bias = given->bias, .interrupts = given->device->interrupt_count};
  card->registers = driver_registers(given, 0, E1000E_BYTES);
  card->network.driver = &E1000E_DRIVER;
  card->network.problem = card->registers ? 0 : "its registers (BAR 0) are not here";
  card->receive.ring = card->memory->receive;
  card->transmit.ring = card->memory->transmit;
  return &card->network;
}

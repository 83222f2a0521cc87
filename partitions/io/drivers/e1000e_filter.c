/* SPDX-License-Identifier: Apache-2.0
 *
 * Which destinations the card lets pass: exact addresses as far as it holds
 * them, then a hash for groups, everything for the rest (datasheet, 7.1.2).
 */
#include "access.h"
#include "e1000e.h"

#define HASH_SHIFT 4 /* RCTL.MO 0: the twelve bits from bit 36 of the address on */

static uint32_t low_of(const uint8_t *address) {
  return address[0] | (uint32_t)address[1] << 8 | (uint32_t)address[2] << 16 | (uint32_t)address[3] << 24;
}

static void add(struct e1000e *card, const uint8_t *address) {
  if (card->filters < E1000E_FILTERS) {
    for (uint32_t i = 0; i < NETWORK_ADDRESS; i++)
      card->filter[card->filters][i] = address[i];
    card->filters++;
  } else if (address[0] & 1) {
    uint32_t hash = ((uint32_t)address[5] << 8 | address[4]) >> HASH_SHIFT & 0xfff;
    card->hash[hash / 32] |= 1u << hash % 32;
  } else {
    card->pass = RCTL_UPE | RCTL_MPE;
  }
}

/* An entry is not valid while it is written. */
static void tell_address(const struct e1000e *card, uint32_t entry, const uint8_t *address) {
  uintptr_t place = card->registers + E1000E_RAL + 8 * entry;
  register_write32(place + 4, 0);
  register_write32(place, address ? low_of(address) : 0);
  if (address)
    register_write32(place + 4, RAH_AV | address[4] | (uint32_t)address[5] << 8);
}

void e1000e_filter_tell(const struct e1000e *card) {
  for (uint32_t i = 0; i < E1000E_FILTERS; i++)
    tell_address(card, 1 + i, i < card->filters ? card->filter[i] : 0);
  for (uint32_t i = 0; i < MTA_WORDS; i++)
    register_write32(card->registers + E1000E_MTA + 4 * i, card->hash[i]);
  register_write32(card->registers + E1000E_RCTL, RCTL_EN | RCTL_BAM | RCTL_SECRC | card->pass);
}

bool e1000e_filter(struct network_device *device, const uint8_t (*addresses)[NETWORK_ADDRESS], uint32_t count) {
  struct e1000e *card = e1000e_of(device);
  card->filters = card->pass = 0;
  for (uint32_t i = 0; i < MTA_WORDS; i++)
    card->hash[i] = 0;
  for (uint32_t i = 0; i < count; i++)
    add(card, addresses[i]);
  if (card->ready)
    e1000e_filter_tell(card);
  return count <= E1000E_FILTERS;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * As much of an NVMe controller as an attacker needs: its admin queue and Identify, which writes 4 KiB to an address of
 * choice (NVMe 1.4, 3.1, 5.15).
 */
#ifndef NVME_ADMIN_H
#define NVME_ADMIN_H

#include "hostile.h"

#define ENTRIES 8u
#define COMMAND_WORDS 16u
#define IDENTIFY 6u

static volatile uint32_t submission[ENTRIES][COMMAND_WORDS] __attribute__((aligned(4096)));
static volatile uint32_t completion[ENTRIES][4] __attribute__((aligned(4096)));
static uint8_t identified[4096] __attribute__((aligned(4096)));

static inline volatile uint32_t *register_at(uint32_t offset) {
  return (volatile uint32_t *)(device("nvme0")->bar[0].address + offset);
}

static inline uint64_t address_for_device(const volatile void *place) {
  const struct descriptor_page *page = DESCRIPTOR_PAGE;
  const struct region_descriptor *own = (const void *)((const char *)page + page->regions.offset);
  uint64_t address = (uint64_t)(uintptr_t)place;
  for (uint32_t i = 0; i < page->regions.count; i++)
    if (address - own[i].address < own[i].size)
      return own[i].device_address + (address - own[i].address);
  return 0;
}

static inline void write_address(uint32_t offset, uint64_t value) {
  *register_at(offset) = (uint32_t)value;
  *register_at(offset + 4) = (uint32_t)(value >> 32);
}

static inline void until_ready(uint32_t wanted) {
  while ((*register_at(0x1c) & 1) != wanted)
    sleep_ns(100000);
}

/* Reset, then queues of ours; only now may it do DMA. */
static inline void controller_start(void) {
  *register_at(0x14) = 0;
  until_ready(0);
  *register_at(0x24) = (ENTRIES - 1) << 16 | (ENTRIES - 1);
  write_address(0x28, address_for_device(submission));
  write_address(0x30, address_for_device(completion));
  monitor_quiet(device("nvme0")->index);
  *register_at(0x14) = 4u << 20 | 6u << 16 | 1;
  until_ready(1);
}

/* Identify Controller, as the command in `slot`, into the page at that address. */
static inline void identify_into(uint32_t slot, uint64_t address) {
  submission[slot][0] = IDENTIFY;
  submission[slot][6] = (uint32_t)address;
  submission[slot][7] = (uint32_t)(address >> 32);
  submission[slot][10] = 1;
  *register_at(0x1000) = slot + 1;
}

static inline bool done_within(uint32_t slot, uint64_t nanoseconds) {
  uint64_t limit = deadline_in_ns(nanoseconds);
  while (!(completion[slot][3] & 0x10000))
    if (clock_now() >= limit)
      return false;
    else
      sleep_ns(100000);
  return true;
}

#endif

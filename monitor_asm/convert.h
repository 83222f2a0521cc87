/* SPDX-License-Identifier: Apache-2.0
 *
 * Convert and validate: a client's partition-relative address becomes a physical one, or a status. Arithmetic on
 * descriptors, nothing else: no memory of the client is read. Pure: it is tested on the host too. Last, the count.
 */
#ifndef MONITOR_CONVERT_H
#define MONITOR_CONVERT_H

#include "state.h"

/* Whether `length` bytes at `offset` end within `size`. By subtraction, so nothing can wrap. */
static inline bool fits(uint64_t size, uint64_t offset, uint64_t length) {
  return length <= size && offset <= size - length;
}

/* Regions are sorted by address, so only the last that does not begin above it can hold it. From the last to the first:
   what guests have read and written is in their data or on their stack. */
static inline uint64_t find_memory(const struct channel_row *channel, struct convert_entry *entry) {
  const struct descriptor_row *first = (const void *)(channel->client_first_region);
  const struct descriptor_row *descriptor = (const void *)(channel->client_last_region);
  uint64_t offset;
  while (__builtin_sub_overflow(entry->address, descriptor->address, &offset)) {
    if (descriptor == first)
      return STATUS_BAD_RANGE;
    descriptor--;
  }
  const struct region_row *region = (const void *)(descriptor->row);
  if (!fits(region->size, offset, entry->length))
    return STATUS_BAD_RANGE;
  if ((descriptor->rights & entry->access) == 0)
    return STATUS_NO_RIGHT;
  entry->physical = region->physical + offset;
  return STATUS_OK;
}

static inline uint64_t find_extent(const struct channel_row *channel, struct convert_entry *entry) {
  const struct endpoint_row *endpoint = (const void *)(channel->endpoint_row);
  if ((channel->buffer_rights & entry->access) == 0)
    return STATUS_NO_RIGHT;
  if (!fits(endpoint->size, entry->offset, entry->length))
    return STATUS_OUTSIDE_EXTENT;
  if (((uint32_t)(entry->offset | entry->length) & endpoint->block_mask) != 0)
    return STATUS_UNALIGNED;
  entry->device_offset = endpoint->start + entry->offset;
  return STATUS_OK;
}

/* Each field of the caller's is read once, before anything is checked: nobody can change it in between. */
static inline uint64_t convert_one(const struct channel_row *channel, volatile struct convert_entry *slot) {
  struct convert_entry entry = {
      .address = slot->address, .offset = slot->offset, .length = slot->length, .access = slot->access};
  if (entry.length == 0 || (entry.access != RIGHT_READ && entry.access != RIGHT_WRITE))
    return STATUS_BAD_ARGUMENT;
  uint64_t status = find_extent(channel, &entry);
  if (status == STATUS_OK)
    status = find_memory(channel, &entry);
  if (status == STATUS_OK) {
    slot->physical = entry.physical;
    slot->device_offset = entry.device_offset;
  }
  return status;
}

#define COUNT_ONE (1ull << 8)

/* Count `count` conversions of the client's life `life`, if it is still that life. */
static inline uint64_t channel_count(uint32_t channel, uint32_t count, uint64_t life, uint32_t quota) {
  uint64_t old = channel_live[channel];
  uint64_t more = count * COUNT_ONE;
  do {
    uint8_t state = LIVE_STATE(old);
    if (state != CHANNEL_CONNECTED)
      return state == CHANNEL_FREE ? STATUS_NOT_ASSIGNED : STATUS_NOT_CONNECTED;
    if (LIVE_LIFE(old) != life)
      return STATUS_STALE_LIFE;
    if (LIVE_IN_FLIGHT(old + more) > quota)
      return STATUS_QUOTA;
  } while (!atomic_compare_exchange_weak(&channel_live[channel], &old, old + more));
  return STATUS_OK;
}

#endif

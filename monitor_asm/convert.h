/* SPDX-License-Identifier: Apache-2.0
 *
 * Convert and validate: a client's partition-relative address becomes a physical one, or a status. Arithmetic on
 * descriptors, nothing else: no memory of the client is read. Pure: it is tested on the host too.
 */
#ifndef MONITOR_CONVERT_H
#define MONITOR_CONVERT_H

#include "state.h"

struct convert_target {
  const struct descriptor_row *descriptors; /* the client's regions, by address */
  uint64_t region_count;
  const struct region_row *regions;
  const struct channel_row *channel;
  const struct endpoint_row *endpoint;
};

/* Lengths are 32 bits wide and ends are compared by subtraction, so nothing here can wrap. */
static inline bool inside(uint64_t start, uint64_t size, uint64_t at, uint64_t length) {
  return at >= start && at - start < size && length <= size - (at - start);
}

/* From the last region to the first: what guests have read and written is in their data or on their stack. */
static inline uint64_t find_memory(const struct convert_target *target, struct convert_entry *entry) {
  for (const struct descriptor_row *descriptor = target->descriptors + target->region_count;
       descriptor-- != target->descriptors;) {
    const struct region_row *region = &target->regions[descriptor->target];
    if (!inside(descriptor->address, region->size, entry->address, entry->length))
      continue;
    if ((descriptor->rights & entry->access) == 0)
      return STATUS_NO_RIGHT;
    entry->physical = region->physical + (entry->address - descriptor->address);
    return STATUS_OK;
  }
  return STATUS_BAD_RANGE;
}

/* A device that writes the client's memory reads the disk, and the other way round. */
static inline uint64_t find_extent(const struct convert_target *target, struct convert_entry *entry) {
  const struct endpoint_row *endpoint = target->endpoint;
  uint32_t needed = entry->access ^ (RIGHT_READ | RIGHT_WRITE);
  if ((target->channel->rights & needed) == 0)
    return STATUS_NO_RIGHT;
  if (!inside(0, endpoint->size, entry->offset, entry->length))
    return STATUS_OUTSIDE_EXTENT;
  if (((entry->offset | entry->length) & (endpoint->block_size - 1)) != 0)
    return STATUS_UNALIGNED;
  entry->device_offset = endpoint->start + entry->offset;
  return STATUS_OK;
}

/* Each field of the caller's is read once, before anything is checked: nobody can change it in between. */
static inline uint64_t convert_one(const struct convert_target *target, volatile struct convert_entry *slot) {
  struct convert_entry entry = {
      .address = slot->address, .offset = slot->offset, .length = slot->length, .access = slot->access};
  if (entry.length == 0 || (entry.access != RIGHT_READ && entry.access != RIGHT_WRITE))
    return STATUS_BAD_ARGUMENT;
  uint64_t status = find_extent(target, &entry);
  if (status == STATUS_OK)
    status = find_memory(target, &entry);
  if (status == STATUS_OK) {
    slot->physical = entry.physical;
    slot->device_offset = entry.device_offset;
  }
  return status;
}

#endif

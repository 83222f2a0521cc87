/* SPDX-License-Identifier: Apache-2.0
 *
 * Convert and validate: a client's partition-relative address becomes a physical one, or a status. Arithmetic on
 * descriptors, nothing else: no memory of the client is read. Pure: it is tested on the host too.
 */
#include "monitor.h"

/* Lengths are 32 bits wide and ends are compared by subtraction, so nothing here can wrap. */
static bool inside(uint64_t start, uint64_t size, uint64_t at, uint64_t length) {
  return at >= start && at - start < size && length <= size - (at - start);
}

static uint64_t find_memory(const struct convert_target *target, struct convert_entry *entry) {
  for (uint32_t i = 0; i < target->region_count; i++) {
    const struct descriptor_row *descriptor = &target->descriptors[i];
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
static uint64_t find_extent(const struct convert_target *target, struct convert_entry *entry) {
  const struct endpoint_row *endpoint = target->endpoint;
  uint32_t needed = entry->access == RIGHT_WRITE ? RIGHT_READ : RIGHT_WRITE;
  if ((target->channel->rights & needed) == 0)
    return STATUS_NO_RIGHT;
  if (!inside(0, endpoint->size, entry->offset, entry->length))
    return STATUS_OUTSIDE_EXTENT;
  if (((entry->offset | entry->length) & (endpoint->block_size - 1)) != 0)
    return STATUS_UNALIGNED;
  entry->device_offset = endpoint->start + entry->offset;
  return STATUS_OK;
}

uint64_t convert_one(const struct convert_target *target, struct convert_entry *entry) {
  if (entry->length == 0 || (entry->access != RIGHT_READ && entry->access != RIGHT_WRITE))
    return STATUS_BAD_ARGUMENT;
  uint64_t status = find_extent(target, entry);
  return status == STATUS_OK ? find_memory(target, entry) : status;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The manager's calls. The monitor decides nothing: it refuses what the static table does not permit.
 */
#include "monitor.h"

struct result call_assign(untrusted descriptor, untrusted partition, untrusted) {
  if (descriptor.raw >= DATABASE->descriptors.count || partition.raw >= DATABASE->partitions.count)
    return just(STATUS_BAD_INDEX);
  uint32_t index = (uint32_t)descriptor.raw;
  const struct descriptor_row *row = descriptor_row(index);
  if (row->partition != partition.raw)
    return just(STATUS_NOT_PERMITTED);
  uint64_t old = DESCRIPTOR_FREE;
  if (!atomic_compare_exchange_strong(&descriptor_live[index], &old, 1 + partition.raw))
    return just(STATUS_ALREADY_ASSIGNED);
  if (row->resource == RESOURCE_CHANNEL)
    channel_allocate(row->target);
  return just(STATUS_OK);
}

/* Whether one descriptor lets its partition start. */
static uint64_t check_descriptor(uint32_t index) {
  const struct descriptor_row *row = descriptor_row(index);
  if (row->required != 0 && descriptor_live[index] == DESCRIPTOR_FREE)
    return STATUS_NOT_ASSIGNED;
  if (row->resource == RESOURCE_CHANNEL && row->end == END_CLIENT && LIVE_IN_FLIGHT(channel_live[row->target]) != 0)
    return STATUS_IN_FLIGHT;
  return STATUS_OK;
}

static struct result check_start(uint32_t partition) {
  const struct partition_row *row = partition_row(partition);
  if (is_alive(&partitions[partition]))
    return just(STATUS_WRONG_STATE);
  for (uint32_t i = row->first_descriptor; i < row->first_descriptor + row->descriptor_count; i++) {
    uint64_t status = check_descriptor(i);
    if (status != STATUS_OK)
      return (struct result){status, i};
  }
  return just(STATUS_OK);
}

struct result call_start(untrusted partition, untrusted, untrusted) {
  if (partition.raw >= DATABASE->partitions.count)
    return just(STATUS_BAD_INDEX);
  uint32_t index = (uint32_t)partition.raw;
  struct result result = check_start(index);
  if (result.status == STATUS_OK)
    partition_start(index);
  else if (result.status != STATUS_WRONG_STATE) /* nobody else changes the word of a partition that does not run */
    partitions[index].live = (partitions[index].live & ~0xff00ull) | result.status << 8;
  return result;
}

struct result call_stop(untrusted partition, untrusted, untrusted) {
  if (partition.raw >= DATABASE->partitions.count)
    return just(STATUS_BAD_INDEX);
  uint32_t index = (uint32_t)partition.raw;
  if (index == DATABASE->manager)
    return just(STATUS_NOT_PERMITTED);
  if (!is_alive(&partitions[index]))
    return just(STATUS_WRONG_STATE);
  struct fault_record record = {.reason = STOP_MANAGER};
  partition_stop(index, &record);
  return just(STATUS_OK);
}

struct result call_state(untrusted what, untrusted index, untrusted) {
  const struct database *database = DATABASE;
  if (what.raw == LIVE_PARTITION && index.raw < database->partitions.count)
    return (struct result){STATUS_OK, partitions[index.raw].live};
  if (what.raw == LIVE_DESCRIPTOR && index.raw < database->descriptors.count)
    return (struct result){STATUS_OK, descriptor_live[index.raw]};
  if (what.raw == LIVE_CHANNEL && index.raw < database->channels.count)
    return (struct result){STATUS_OK, channel_live[index.raw]};
  return just(STATUS_BAD_INDEX);
}

struct result call_fault(untrusted partition, untrusted, untrusted) {
  if (partition.raw >= DATABASE->partitions.count)
    return just(STATUS_BAD_INDEX);
  CALL_PAGE->fault = fault_records[partition.raw];
  return just(STATUS_OK);
}

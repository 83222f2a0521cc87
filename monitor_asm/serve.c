/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls of an I/O partition: conversion of its clients' addresses, and the count of what a device may still touch.
 */
#include "monitor.h"

static uint64_t served_channel(untrusted index, const struct channel_row **channel, uint32_t *target) {
  const struct descriptor_row *own;
  uint64_t status = own_descriptor(index, RESOURCE_CHANNEL, &own);
  if (status != STATUS_OK)
    return status;
  if (own->end != END_SERVER)
    return STATUS_NOT_PERMITTED;
  *target = own->target;
  *channel = channel_row(own->target);
  return STATUS_OK;
}

/* Each entry is copied before it is checked: another thread of the caller cannot change it in between. */
static uint64_t convert_entries(const struct convert_target *target, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    struct convert_entry *slot = &CALL_PAGE->convert[i];
    struct convert_entry entry = *(volatile struct convert_entry *)slot;
    uint64_t status = convert_one(target, &entry);
    if (status != STATUS_OK) {
      CONTEXT->frame.registers.rdx = i;
      return status;
    }
    slot->physical = entry.physical;
    slot->device_offset = entry.device_offset;
  }
  return STATUS_OK;
}

uint64_t call_convert(untrusted index, untrusted count, untrusted life) {
  const struct channel_row *channel;
  uint32_t live;
  uint64_t status = served_channel(index, &channel, &live);
  if (status != STATUS_OK)
    return status;
  if (count.raw == 0 || count.raw > LIMIT_BATCH || life.raw > UINT32_MAX)
    return STATUS_BAD_ARGUMENT;
  if (channel->class != CLASS_BLOCK || channel->endpoint == NONE)
    return STATUS_NOT_PERMITTED;
  const struct partition_row *client = partition_row(channel->client);
  struct convert_target target = {.descriptors = descriptor_row(client->first_descriptor),
                                  .region_count = client->region_count,
                                  .regions = TABLE(regions, region_row),
                                  .channel = channel,
                                  .endpoint = TABLE(endpoints, endpoint_row) + channel->endpoint};
  status = convert_entries(&target, (uint32_t)count.raw);
  if (status != STATUS_OK)
    return status;
  return channel_count(live, (uint32_t)count.raw, (uint32_t)life.raw, channel->quota);
}

uint64_t call_release(untrusted index, untrusted count, untrusted unused) {
  (void)unused;
  const struct channel_row *channel;
  uint32_t live;
  uint64_t status = served_channel(index, &channel, &live);
  return status == STATUS_OK ? channel_release(live, count.raw) : status;
}

uint64_t call_channel(untrusted index, untrusted unused, untrusted unused_too) {
  (void)unused, (void)unused_too;
  const struct channel_row *channel;
  uint32_t live;
  uint64_t status = served_channel(index, &channel, &live);
  if (status == STATUS_OK)
    CONTEXT->frame.registers.rdx = channel_live[live];
  return status;
}

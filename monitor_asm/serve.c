/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls of an I/O partition: conversion of its clients' addresses, and the count of what a device may still touch.
 */
#include "convert.h"
#include "monitor.h"

/* A channel that the caller serves. Whether it is assigned its live word says: it is out of CHANNEL_FREE only then. */
static inline uint64_t served_channel(untrusted index, uint32_t *channel) {
  const struct context *context = CONTEXT;
  if (index.raw >= context->descriptor_count)
    return STATUS_BAD_INDEX;
  const struct descriptor_row *own = &context->descriptors[index.raw];
  if (own->resource != RESOURCE_CHANNEL)
    return STATUS_BAD_INDEX;
  *channel = own->target;
  return own->end == END_SERVER ? STATUS_OK : STATUS_NOT_PERMITTED;
}

/* All or none. On refusal the caller gets the entry's index as the value. */
static inline uint64_t convert_entries(const struct convert_target *target, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    uint64_t status = convert_one(target, &CALL_PAGE->convert[i]);
    if (status != STATUS_OK) {
      CONTEXT->frame.registers.rdx = i;
      return status;
    }
  }
  return STATUS_OK;
}

uint64_t call_convert(untrusted index, untrusted count, untrusted life) {
  uint32_t live;
  uint64_t status = served_channel(index, &live);
  if (status != STATUS_OK)
    return status;
  if (count.raw - 1 >= LIMIT_BATCH || life.raw > UINT32_MAX)
    return STATUS_BAD_ARGUMENT;
  const struct channel_row *channel = channel_row(live);
  if (channel->class != CLASS_BLOCK || channel->endpoint == NONE)
    return STATUS_NOT_PERMITTED;
  const struct partition_row *client = partition_row(channel->client);
  struct convert_target target = {.descriptors = descriptor_row(client->first_descriptor),
                                  .region_count = client->region_count,
                                  .regions = TABLE(regions, region_row),
                                  .channel = channel,
                                  .endpoint = TABLE(endpoints, endpoint_row) + channel->endpoint};
  status = convert_entries(&target, count.raw);
  if (status != STATUS_OK)
    return status;
  return channel_count(live, (uint32_t)count.raw, (uint32_t)life.raw, channel->quota);
}

uint64_t call_release(untrusted index, untrusted count, untrusted unused) {
  (void)unused;
  uint32_t live;
  uint64_t status = served_channel(index, &live);
  return status == STATUS_OK ? channel_release(live, count.raw) : status;
}

uint64_t call_channel(untrusted index, untrusted unused, untrusted unused_too) {
  (void)unused, (void)unused_too;
  uint32_t live;
  uint64_t status = served_channel(index, &live);
  if (status == STATUS_OK)
    CONTEXT->frame.registers.rdx = channel_live[live];
  return status;
}

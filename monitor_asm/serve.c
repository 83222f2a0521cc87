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
struct result call_convert(untrusted index, untrusted count, untrusted life) {
  uint32_t live;
  uint64_t status = served_channel(index, &live);
  if (status != STATUS_OK)
    return just(status);
  if (count.raw - 1 >= LIMIT_BATCH)
    return just(STATUS_BAD_ARGUMENT);
  const struct channel_row *channel = channel_row(live);
  if (channel->endpoint == NONE)
    return just(STATUS_NOT_PERMITTED);
  struct convert_target target = {.descriptors = descriptor_row(channel->client_regions),
                                  .region_count = channel->client_region_count,
                                  .regions = TABLE(regions, region_row),
                                  .channel = channel,
                                  .endpoint = TABLE(endpoints, endpoint_row) + channel->endpoint};
  for (uint64_t i = 0; i < count.raw; i++) {
    status = convert_one(&target, &CALL_PAGE->convert[i]);
    if (status != STATUS_OK)
      return (struct result){status, i};
  }
  return just(channel_count(live, (uint32_t)count.raw, life.raw, channel->quota));
}

struct result call_release(untrusted index, untrusted count, untrusted) {
  uint32_t live;
  uint64_t status = served_channel(index, &live);
  return just(status == STATUS_OK ? channel_release(live, count.raw) : status);
}

struct result call_channel(untrusted index, untrusted, untrusted) {
  uint32_t live;
  uint64_t status = served_channel(index, &live);
  return status == STATUS_OK ? (struct result){STATUS_OK, channel_live[live]} : just(status);
}

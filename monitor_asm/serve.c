/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls of an I/O partition: conversion of its clients' addresses, and the count of what a device may still touch.
 */
#include "convert.h"
#include "monitor.h"

/* Of a channel that the caller serves. Whether the channel is assigned its live word says: it is out of CHANNEL_FREE
   only then. */
static inline uint64_t server_end(const struct descriptor_row *end) {
  if (end->resource != RESOURCE_CHANNEL)
    return STATUS_BAD_INDEX;
  return end->end == END_SERVER ? STATUS_OK : STATUS_NOT_PERMITTED;
}

static inline uint64_t served_channel(untrusted index, const struct descriptor_row **end) {
  const struct context *context = CONTEXT;
  if (index.raw >= context->descriptor_count)
    return STATUS_BAD_INDEX;
  *end = &context->descriptors[index.raw];
  return server_end(*end);
}

/* Why nothing is converted by it. */
static uint64_t no_conversion(const struct descriptor_row *end, untrusted count) {
  uint64_t status = server_end(end);
  return status != STATUS_OK ? status : count.raw - 1 >= LIMIT_BATCH ? STATUS_BAD_ARGUMENT : STATUS_NOT_PERMITTED;
}

/* All or none. On refusal the caller gets the entry's index as the value. */
struct result call_convert(untrusted index, untrusted count, untrusted life) {
  const struct context *context = CONTEXT;
  if (index.raw >= context->descriptor_count)
    return just(STATUS_BAD_INDEX);
  const struct descriptor_row *end = &context->descriptors[index.raw];
  if (end->converts == 0)
    return just(no_conversion(end, count));
  const struct channel_row *channel = (const void *)(end->row);
  if (count.raw - 1 >= LIMIT_BATCH)
    return just(STATUS_BAD_ARGUMENT);
  struct convert_entry *entry = CALL_PAGE->convert;
  for (uint64_t left = count.raw; left != 0; left--, entry++) {
    uint64_t status = convert_one(channel, entry);
    if (status != STATUS_OK)
      return (struct result){status, count.raw - left};
  }
  return just(channel_count(channel->index, (uint32_t)count.raw, life.raw, channel->quota));
}

struct result call_release(untrusted index, untrusted count, untrusted) {
  const struct descriptor_row *end;
  uint64_t status = served_channel(index, &end);
  return just(status == STATUS_OK ? channel_release(end->target, count.raw) : status);
}

struct result call_channel(untrusted index, untrusted, untrusted) {
  const struct descriptor_row *end;
  uint64_t status = served_channel(index, &end);
  return status == STATUS_OK ? (struct result){STATUS_OK, channel_live[end->target]} : just(status);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * From a ring to converted requests: chains are copied, parsed, and their
 * buffers converted in one call for as many requests as there are.
 */
#include "../calls.h"
#include "address.h"
#include "block_server.h"
#include "refusal.h"

static void drop_fresh(struct block_channel *channel) {
  while (channel->fresh.first)
    block_request_free(channel->server, block_list_take(&channel->fresh));
}

/* The client is gone or broke the rules: nothing more of this epoch is taken or answered. */
static void give_up(struct block_channel *channel) {
  channel->broken = true;
  drop_fresh(channel);
}

/* --- ring → fresh --- */

/* Returns what its turn will be charged for it later. */
static int64_t take_chain(struct block_channel *channel, const struct virtqueue_chain *chain, uint64_t now) {
  struct block_server *server = channel->server;
  struct block_request *request = server->free;
  uint8_t status = VIRTIO_BLK_S_IOERR;
  enum block_reading reading = block_request_read(channel, request, chain, &status);
  if (reading == BLOCK_READ_OK) {
    server->free = request->next;
    request->channel = channel;
    request->generation = channel->generation;
    request->taken_at = now;
    block_list_put(&channel->fresh, request);
    return block_cost(request, request->length);
  }
  channel->deficit -= BLOCK_SMALL_COST;
  block_count(channel, reading == BLOCK_ANSWER && status == VIRTIO_BLK_S_OK ? COUNT_REQUESTS : request->wrong);
  if (reading == BLOCK_ANSWER)
    block_answer(channel, chain->head, request->status, status, 1);
  else
    block_answer(channel, chain->head, NULL, 0, 0);
  return 0;
}

/* No more than this turn pays for: what waits here keeps requests of the server's from other channels. */
static void take_chains(struct block_channel *channel) {
  struct virtqueue_chain chain;
  int64_t cost = 0;
  uint64_t now = calls_now();
  for (uint32_t i = 0; i < BLOCK_BURST && channel->server->free && cost < channel->deficit; i++) {
    switch (virtqueue_take_chain(&channel->queue, &chain)) {
    case VIRTQUEUE_NOTHING:
      return;
    case VIRTQUEUE_CHAIN_OK:
      cost += take_chain(channel, &chain, now);
      break;
    case VIRTQUEUE_BAD:
      channel->deficit -= BLOCK_SMALL_COST;
      block_count(channel, COUNT_BAD_CHAIN);
      block_answer(channel, chain.head, NULL, 0, 0);
      break;
    case VIRTQUEUE_BROKEN:
      block_count(channel, COUNT_BAD_RING);
      give_up(channel);
      return;
    }
  }
}

/* --- fresh → ready --- */

/* Nothing of a range is in the client's memory, but it is the monitor that knows the extent, and asks for a buffer: the first
   bytes of the client's program, which every client has and may read. An extent is one piece, so a range whose first and last
   block are writable to the client is so all over. */
static uint32_t fill_range(const struct block_channel *channel, const struct block_request *request,
                           struct convert_entry *entry) {
  for (uint32_t i = 0; i < 2; i++) {
    entry[i].address = PROGRAM_ADDRESS;
    entry[i].offset = request->offset + (i ? request->left - channel->block_size : 0);
    entry[i].length = channel->block_size;
    entry[i].access = RIGHT_READ;
  }
  return 2;
}

static inline bool is_range(const struct block_request *request) {
  return request->left != 0;
}

/* A flush has nothing to convert, but the client's life counts for it as well: session_current was asked. */
static uint32_t fill_entries(const struct block_channel *channel, const struct block_request *request,
                             struct convert_entry *entry) {
  if (is_range(request))
    return fill_range(channel, request, entry);
  uint64_t offset = request->offset;
  uint32_t access = request->kind == KIND_READ ? RIGHT_WRITE : RIGHT_READ;
  for (uint32_t i = 0; i < request->segments; i++) {
    entry[i].address = request->segment[i].physical;
    entry[i].offset = offset;
    entry[i].length = request->segment[i].length;
    entry[i].access = access;
    offset += request->segment[i].length;
  }
  return request->segments;
}

struct batch {
  uint32_t requests, entries;
};

static struct batch fill_batch(const struct block_channel *channel, struct convert_entry *entry, uint32_t limit) {
  struct batch batch = {0};
  for (const struct block_request *request = channel->fresh.first; request && batch.requests < limit;
       request = request->next) {
    if (batch.entries + request->segments > LIMIT_BATCH)
      break;
    batch.entries += fill_entries(channel, request, &entry[batch.entries]);
    batch.requests++;
  }
  return batch;
}

static void accept(struct block_channel *channel, const struct convert_entry *entry, struct batch batch) {
  channel->in_flight += batch.entries;
  while (batch.requests--) {
    struct block_request *request = block_list_take(&channel->fresh);
    for (uint32_t i = 0; i < request->segments; i++)
      request->segment[i].physical = entry[i].physical;
    request->transfer = (struct block_transfer){
        .offset = request->segments ? entry[0].device_offset : 0, /* of a flush: after a full batch no entry follows */
        .segment = request->segment,
        .count = is_range(request) ? 0 : request->segments,
        .direction = request->kind == KIND_WRITE ? BLOCK_WRITE : BLOCK_READ,
        .through = request->through,
    };
    entry += request->segments;
    block_list_put(&channel->ready, request);
  }
}

/* Answers the request that holds this entry, and takes it out of the fresh ones. */
static void refuse(struct block_channel *channel, uint32_t entry, enum counter why) {
  struct block_list rest = {0};
  bool found = false;
  while (channel->fresh.first) {
    struct block_request *request = block_list_take(&channel->fresh);
    if (found || entry >= request->segments) {
      entry -= found ? 0 : request->segments;
      block_list_put(&rest, request);
      continue;
    }
    found = true;
    channel->deficit -= BLOCK_SMALL_COST;
    block_count(channel, why);
    block_answer(channel, request->head, request->status, VIRTIO_BLK_S_IOERR, 1);
    block_request_free(channel->server, request);
  }
  channel->fresh = rest;
}

/* Too much for what the quota leaves: fewer at once, or later, or never. Returns the new limit, 0: later. */
static uint32_t over_quota(struct block_channel *channel, struct batch batch) {
  if (channel->release) {
    calls_release(channel->index, channel->release);
    channel->in_flight -= channel->release;
    channel->release = 0;
    return batch.requests;
  }
  if (batch.requests > 1)
    return batch.requests / 2;
  if (channel->in_flight == 0) {
    refuse(channel, 0, COUNT_OVER_QUOTA);
    return BLOCK_BURST;
  }
  channel->blocked = true;
  return 0;
}

/* Each round accepts, refuses or halves, so there are at most a few more rounds than requests. */
static void convert(struct block_channel *channel) {
  struct convert_entry *entry = calls_entries();
  uint32_t limit = BLOCK_BURST;
  while (channel->fresh.first && limit) {
    struct batch batch = fill_batch(channel, entry, limit);
    uint32_t refused = 0;
    enum status status = STATUS_OK;
    if (batch.entries)
      status = calls_convert(channel->index, batch.entries, channel->session.client_life, &refused);
    switch (status) {
    case STATUS_OK:
      accept(channel, entry, batch);
      break;
    case STATUS_QUOTA:
      limit = over_quota(channel, batch);
      break;
    case STATUS_NOT_CONNECTED:
    case STATUS_STALE_LIFE:
    case STATUS_NOT_ASSIGNED:
      give_up(channel);
      break;
    default:
      refuse(channel, refused < batch.entries ? refused : 0, refusal_of(status));
    }
  }
}

void block_intake(struct block_channel *channel) {
  if (channel->session.epoch == 0)
    give_up(channel); /* the client says that its rings are not set up */
  if (channel->broken)
    return;
  if (!channel->fresh.first)
    take_chains(channel);
  if (!session_current(&channel->session, &channel->window.shared->header)) {
    give_up(channel);
    return;
  }
  convert(channel);
}

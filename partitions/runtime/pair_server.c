/* SPDX-License-Identifier: Apache-2.0
 *
 * The server's end of a channel between guests. It believes nothing that stands
 * in the window: chains are copied once, addresses bounded to the window.
 */
#include "runtime.h"

enum { TO_CLIENT, TO_SERVER };

void pair_server_open(struct pair *pair) {
  session_server_begin(&pair->session, &pair->window->header, life());
  monitor_signal(pair->channel->index, 0);
}

/* Whether there is a client whose rings are taken up. */
static bool connected(struct pair *pair) {
  struct channel_header *header = &pair->window->header;
  if (session_server_take_up(&pair->session, header)) {
    for (unsigned queue = 0; queue < CHANNEL_QUEUES; queue++)
      virtqueue_device_reset(&pair->device[queue], &pair->window->queue[queue]);
    session_server_ready(&pair->session, header);
    monitor_signal(pair->channel->index, 0);
  }
  return pair->session.epoch != 0;
}

/* Where a buffer stands in our view of the window; null where it does not stand in it. */
static uint8_t *resolve(const struct pair *pair, const struct virtqueue_buffer *buffer) {
  const struct channel_descriptor *channel = pair->channel;
  uint64_t offset = buffer->address - channel->client_address;
  if (offset > channel->size || buffer->length > channel->size - offset)
    return NULL;
  return (uint8_t *)channel->address + offset;
}

static void give_back(struct pair *pair, unsigned queue, uint16_t head, uint32_t length) {
  virtqueue_put_used(&pair->device[queue], head, length);
  if (virtqueue_wants_interrupt(&pair->device[queue]))
    monitor_signal(pair->channel->index, 0);
}

/* The next chain that is one buffer inside the window, in the direction that the queue is for; others are given back. */
static uint8_t *take(struct pair *pair, unsigned queue, struct virtqueue_chain *chain) {
  while (connected(pair)) {
    enum virtqueue_take taken = virtqueue_take_chain(&pair->device[queue], chain);
    if (taken == VIRTQUEUE_NOTHING || taken == VIRTQUEUE_BROKEN)
      return NULL;
    if (!session_current(&pair->session, &pair->window->header))
      continue;
    uint8_t *place = taken == VIRTQUEUE_CHAIN_OK && chain->count == 1 ? resolve(pair, &chain->buffer[0]) : NULL;
    if (place && chain->buffer[0].writable == (queue == TO_CLIENT))
      return place;
    give_back(pair, queue, chain->head, 0);
  }
  return NULL;
}

/* The chain that is held for this queue, else the next of at least `least` bytes; null: none. What was held for an earlier
   epoch is forgotten: its rings are gone. */
static struct pair_held *hold(struct pair *pair, unsigned queue, uint32_t least) {
  struct pair_held *held = &pair->held[queue];
  struct virtqueue_chain chain;
  if (connected(pair) && held->place && held->epoch == pair->session.epoch)
    return held;
  while ((held->place = take(pair, queue, &chain)) != NULL && chain.buffer[0].length < least)
    give_back(pair, queue, chain.head, 0);
  if (!held->place)
    return NULL;
  held->length = chain.buffer[0].length;
  held->epoch = pair->session.epoch;
  held->head = chain.head;
  return held;
}

static enum status let_go(struct pair *pair, unsigned queue, uint32_t length) {
  struct pair_held *held = &pair->held[queue];
  if (!held->place)
    return STATUS_BAD_ARGUMENT;
  held->place = NULL;
  if (held->epoch != pair->session.epoch || !session_current(&pair->session, &pair->window->header))
    return STATUS_STALE_LIFE;
  give_back(pair, queue, held->head, length);
  return STATUS_OK;
}

void *pair_server_reserve(struct pair *pair) {
  const struct pair_held *held = hold(pair, TO_CLIENT, pair->slot_size);
  return held ? held->place : NULL;
}

enum status pair_server_commit(struct pair *pair, size_t size) {
  return let_go(pair, TO_CLIENT, (uint32_t)size);
}

const void *pair_server_peek(struct pair *pair, size_t *size) {
  const struct pair_held *held = hold(pair, TO_SERVER, 0);
  if (!held)
    return NULL;
  *size = held->length;
  return held->place;
}

enum status pair_server_done(struct pair *pair) {
  return let_go(pair, TO_SERVER, 0);
}

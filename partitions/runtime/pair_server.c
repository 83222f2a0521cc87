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

bool pair_server_send(struct pair *pair, const void *message, size_t size) {
  struct virtqueue_chain chain;
  for (;;) {
    uint8_t *place = take(pair, TO_CLIENT, &chain);
    if (!place)
      return false;
    bool fits = size <= chain.buffer[0].length;
    if (fits)
      memcpy(place, message, size);
    give_back(pair, TO_CLIENT, chain.head, fits ? (uint32_t)size : 0);
    if (fits)
      return true;
  }
}

int pair_server_receive(struct pair *pair, void *buffer, size_t size) {
  struct virtqueue_chain chain;
  const uint8_t *place;
  while ((place = take(pair, TO_SERVER, &chain)) != NULL) {
    uint32_t length = chain.buffer[0].length < size ? chain.buffer[0].length : (uint32_t)size;
    memcpy(buffer, place, length);
    if (!session_current(&pair->session, &pair->window->header))
      continue; /* the client was restarted while we copied */
    give_back(pair, TO_SERVER, chain.head, 0);
    return (int)length;
  }
  return -1;
}

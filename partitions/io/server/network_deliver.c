/* SPDX-License-Identifier: Apache-2.0
 *
 * A frame into the buffers that a client has posted for it: the one copy that a
 * frame between two guests, or from the wire, costs.
 */
#include "copy.h"
#include "network_server.h"

#define TRIES 8u /* chains looked at for one frame; those that are no good are given back */

/* Whether a chain is a place for any frame: all of it in the window, and long enough. `*whole`: where it is one buffer. */
static enum counter judge_place(const struct network_channel *channel, uint8_t **whole) {
  const struct virtqueue_chain *chain = &channel->place;
  uint64_t length = 0;
  if (chain->readable)
    return COUNT_BAD_CHAIN;
  if (chain->count == 1) {
    *whole = window_resolve(&channel->window, chain->buffer[0].address, chain->buffer[0].length);
    if (!*whole)
      return COUNT_BAD_RANGE;
    return chain->buffer[0].length < NETWORK_BUFFER ? COUNT_BAD_LENGTH : COUNTERS;
  }
  *whole = NULL;
  for (uint32_t i = 0; i < chain->count; i++) {
    if (!window_resolve(&channel->window, chain->buffer[i].address, chain->buffer[i].length))
      return COUNT_BAD_RANGE;
    length += chain->buffer[i].length;
  }
  return length < NETWORK_BUFFER ? COUNT_BAD_LENGTH : COUNTERS;
}

static bool give_back(struct network_channel *channel, uint32_t length) {
  if (!session_current(&channel->session, &channel->window.shared->header))
    return false;
  virtqueue_put_used(&channel->receive, channel->place.head, length);
  channel->received = true;
  network_note_signal(channel);
  return true;
}

static bool find_place(struct network_channel *channel, uint8_t **whole) {
  for (uint32_t i = 0; i < TRIES && !channel->broken; i++) {
    enum virtqueue_take take = virtqueue_take_chain(&channel->receive, &channel->place);
    enum counter wrong = COUNT_BAD_CHAIN;
    if (take == VIRTQUEUE_NOTHING)
      return false;
    if (take == VIRTQUEUE_BROKEN) {
      network_count(channel, COUNT_BAD_RING);
      network_give_up(channel);
      return false;
    }
    if (take == VIRTQUEUE_CHAIN_OK)
      wrong = judge_place(channel, whole);
    if (wrong == COUNTERS)
      return true;
    network_count(channel, wrong);
    if (!give_back(channel, 0))
      return false;
  }
  return false;
}

/* Bytes into the chain, going on where the last ones ended. judge_place has seen that they fit. */
struct writer {
  const struct network_channel *channel;
  uint32_t buffer, offset;
};

static void write_bytes(struct writer *writer, const void *from, uint32_t length) {
  const struct virtqueue_chain *chain = &writer->channel->place;
  const uint8_t *bytes = from;
  while (length && writer->buffer < chain->count) {
    const struct virtqueue_buffer *buffer = &chain->buffer[writer->buffer];
    uint8_t *place = window_resolve(&writer->channel->window, buffer->address, buffer->length);
    uint32_t room = buffer->length - writer->offset, part = length < room ? length : room;
    __builtin_memcpy(place + writer->offset, bytes, part);
    bytes += part;
    length -= part;
    writer->offset += part;
    if (writer->offset == buffer->length) {
      writer->offset = 0;
      writer->buffer++;
    }
  }
}

/* Returns the frame's length. */
static uint32_t write_divided(struct network_channel *channel, const struct virtio_net_hdr *header,
                              const uint8_t *ethernet, const struct network_piece *pieces, uint32_t count) {
  struct writer writer = {.channel = channel};
  write_bytes(&writer, header, NETWORK_HEADER);
  write_bytes(&writer, ethernet, ETHERNET_HEADER);
  uint32_t length = ETHERNET_HEADER;
  for (uint32_t i = 0; i < count; i++) {
    write_bytes(&writer, pieces[i].place, pieces[i].length);
    length += pieces[i].length;
  }
  return length;
}

static uint32_t write_whole(bool wide, uint8_t *place, const struct virtio_net_hdr *header, const uint8_t *ethernet,
                            const struct network_piece *pieces, uint32_t count) {
  __builtin_memcpy(place, header, NETWORK_HEADER);
  __builtin_memcpy(place + NETWORK_HEADER, ethernet, ETHERNET_HEADER);
  uint8_t *end = place + NETWORK_HEADER + ETHERNET_HEADER;
  for (uint32_t i = 0; i < count; i++) {
    copy_bytes(end, pieces[i].place, pieces[i].length, wide);
    end += pieces[i].length;
  }
  return (uint32_t)(end - place) - NETWORK_HEADER;
}

void network_deliver(struct network_channel *channel, const struct virtio_net_hdr *header, const uint8_t *ethernet,
                     const struct network_piece *pieces, uint32_t count) {
  uint8_t *whole;
  if (channel->session.epoch == 0 || !find_place(channel, &whole)) {
    network_count(channel, COUNT_NO_BUFFER);
    network_note_signal(channel);
    return;
  }
  uint32_t length = whole ? write_whole(channel->server->wide, whole, header, ethernet, pieces, count)
                          : write_divided(channel, header, ethernet, pieces, count);
  network_count(channel, COUNT_RECEIVED);
  channel->counters.count[COUNT_RECEIVED_BYTES] += length;
  give_back(channel, NETWORK_HEADER + length);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * From a chain of buffers to a frame. Both headers are read once, into private
 * memory, and judged there: what the client writes afterwards changes nothing.
 */
#include "network_server.h"

#define HEADERS (NETWORK_HEADER + ETHERNET_HEADER)
#define LONGEST (NETWORK_HEADER + ETHERNET_FRAME)

/* The chain's first bytes, from buffers in the window; returns how many of them this buffer holds. */
static uint32_t read_headers(uint8_t *headers, uint32_t done, const uint8_t *shared, uint32_t length) {
  if (done == 0 && length >= HEADERS) {
    __builtin_memcpy(headers, shared, HEADERS);
    return HEADERS;
  }
  uint32_t part = length < HEADERS - done ? length : HEADERS - done;
  __builtin_memcpy(headers + done, shared, part);
  return part;
}

static enum counter read_chain(struct network_frame *frame, const struct virtqueue_chain *chain,
                               const struct window *window, uint8_t *headers) {
  uint64_t total = 0;
  uint32_t done = 0;
  frame->inside = true;
  frame->pieces = 0;
  frame->buffer = chain->count;
  for (uint32_t i = 0; i < chain->count; i++) {
    uint32_t length = chain->buffer[i].length, skip = 0;
    const uint8_t *shared = window_resolve(window, chain->buffer[i].address, length);
    total += length;
    if (length == 0)
      return COUNT_BAD_LENGTH;
    if (done < HEADERS) {
      if (!shared)
        return total > LONGEST ? COUNT_BAD_LENGTH : COUNT_BAD_HEADER;
      skip = read_headers(headers, done, shared, length);
      done += skip;
      if (skip == length)
        continue;
    }
    if (frame->buffer == chain->count) {
      frame->buffer = i;
      frame->skip = skip;
    }
    frame->inside &= shared != NULL;
    if (shared)
      frame->piece[frame->pieces++] = (struct network_piece){shared + skip, length - skip};
  }
  frame->length = (uint32_t)total - NETWORK_HEADER;
  return done < HEADERS || total > LONGEST ? COUNT_BAD_LENGTH : COUNTERS;
}

static enum counter judge_header(const struct network_frame *frame) {
  const struct virtio_net_hdr *header = &frame->virtio;
  if (header->gso_type != 0)
    return COUNT_UNSUPPORTED;
  if (header->flags & ~VIRTIO_NET_HDR_F_NEEDS_CSUM)
    return COUNT_BAD_HEADER;
  if (header->flags &&
      (header->csum_start < ETHERNET_HEADER || (uint32_t)header->csum_start + header->csum_offset + 2u > frame->length))
    return COUNT_BAD_HEADER;
  return COUNTERS;
}

static enum counter judge_ethernet(const struct network_frame *frame, const struct network_channel *channel) {
  uint32_t type = (uint32_t)frame->ethernet[12] << 8 | frame->ethernet[13];
  if (network_address(frame->ethernet + ETHERNET_ADDRESS) != channel->address)
    return COUNT_FALSE_SOURCE;
  if (type == ETHERNET_TYPE_VLAN || type == ETHERNET_TYPE_SERVICE_VLAN)
    return COUNT_OWN_TAG; /* or it would choose its VLAN itself */
  return COUNTERS;
}

/* The chain of one buffer that most clients send, as read_chain would judge it. */
static enum counter read_single(struct network_frame *frame, const struct virtqueue_buffer *buffer,
                                const struct window *window, uint8_t *headers) {
  const uint8_t *shared = window_resolve(window, buffer->address, buffer->length);
  if (buffer->length < HEADERS || buffer->length > LONGEST)
    return COUNT_BAD_LENGTH;
  if (!shared)
    return COUNT_BAD_HEADER;
  __builtin_memcpy(headers, shared, HEADERS);
  frame->length = buffer->length - NETWORK_HEADER;
  frame->buffer = 0;
  frame->skip = HEADERS;
  frame->inside = true;
  frame->pieces = 1;
  frame->piece[0] = (struct network_piece){shared + HEADERS, buffer->length - HEADERS};
  return COUNTERS;
}

/* Likewise: the headers alone, then one buffer of payload, anywhere. */
static enum counter read_pair(struct network_frame *frame, const struct virtqueue_buffer *buffer,
                              const struct window *window, uint8_t *headers) {
  uint32_t length = buffer[1].length;
  const uint8_t *shared = window_resolve(window, buffer[0].address, HEADERS);
  const uint8_t *payload = window_resolve(window, buffer[1].address, length);
  if (length == 0 || length > ETHERNET_PAYLOAD)
    return COUNT_BAD_LENGTH;
  if (!shared)
    return COUNT_BAD_HEADER;
  __builtin_memcpy(headers, shared, HEADERS);
  frame->length = ETHERNET_HEADER + length;
  frame->buffer = 1;
  frame->skip = 0;
  frame->inside = payload != NULL;
  frame->pieces = frame->inside;
  frame->piece[0] = (struct network_piece){payload, length};
  return COUNTERS;
}

static enum counter read_any(struct network_frame *frame, const struct virtqueue_chain *chain,
                             const struct window *window, uint8_t *headers) {
  if (chain->count == 1)
    return read_single(frame, chain->buffer, window, headers);
  if (chain->count == 2 && chain->buffer[0].length == HEADERS)
    return read_pair(frame, chain->buffer, window, headers);
  return read_chain(frame, chain, window, headers);
}

enum counter network_frame_read(struct network_frame *frame, const struct virtqueue_chain *chain,
                                const struct network_channel *channel) {
  uint8_t headers[HEADERS];
  if (chain->readable != chain->count)
    return COUNT_BAD_CHAIN;
  enum counter wrong = read_any(frame, chain, &channel->window, headers);
  if (wrong != COUNTERS)
    return wrong;
  __asm__ volatile("" : "+m"(headers)); /* the copy is what is looked at from here on */
  __builtin_memcpy(&frame->virtio, headers, NETWORK_HEADER);
  __builtin_memcpy(frame->ethernet, headers + NETWORK_HEADER, ETHERNET_HEADER);
  wrong = judge_header(frame);
  return wrong == COUNTERS ? judge_ethernet(frame, channel) : wrong;
}

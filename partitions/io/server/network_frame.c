/* SPDX-License-Identifier: Apache-2.0
 *
 * From a chain of buffers to a frame. Both headers are read once, into private
 * memory, and judged there: what the client writes afterwards changes nothing.
 */
#include "network_server.h"

#define HEADERS (NETWORK_HEADER + ETHERNET_HEADER)

static uint32_t total_length(const struct virtqueue_chain *chain) {
  uint64_t length = 0;
  for (uint32_t i = 0; i < chain->count; i++) {
    if (chain->buffer[i].length == 0)
      return 0;
    length += chain->buffer[i].length;
  }
  return length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
}

/* The first bytes of the chain, all of which stand in the window; and where the rest begins. */
static bool read_headers(struct network_frame *frame, const struct virtqueue_chain *chain, const struct window *window,
                         uint8_t *headers) {
  uint32_t done = 0;
  for (uint32_t i = 0; i < chain->count; i++) {
    const struct virtqueue_buffer *buffer = &chain->buffer[i];
    uint32_t part = buffer->length < HEADERS - done ? buffer->length : HEADERS - done;
    const uint8_t *shared = window_resolve(window, buffer->address, part);
    if (!shared)
      return false;
    __builtin_memcpy(headers + done, shared, part);
    done += part;
    if (done == HEADERS) {
      frame->buffer = part == buffer->length ? i + 1 : i;
      frame->skip = part == buffer->length ? 0 : part;
      return true;
    }
  }
  return false;
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

enum counter network_frame_read(struct network_frame *frame, const struct virtqueue_chain *chain,
                                const struct network_channel *channel) {
  uint8_t headers[HEADERS];
  uint32_t length = total_length(chain);
  if (chain->readable != chain->count)
    return COUNT_BAD_CHAIN;
  if (length < HEADERS || length > NETWORK_HEADER + ETHERNET_FRAME)
    return COUNT_BAD_LENGTH;
  if (!read_headers(frame, chain, &channel->window, headers))
    return COUNT_BAD_HEADER;
  __asm__ volatile("" : "+m"(headers)); /* the copy is what is looked at from here on */
  __builtin_memcpy(&frame->virtio, headers, NETWORK_HEADER);
  __builtin_memcpy(frame->ethernet, headers + NETWORK_HEADER, ETHERNET_HEADER);
  frame->length = length - NETWORK_HEADER;
  enum counter wrong = judge_header(frame);
  return wrong == COUNTERS ? judge_ethernet(frame, channel) : wrong;
}

bool network_frame_pieces(const struct network_frame *frame, const struct virtqueue_chain *chain,
                          const struct window *window, struct network_piece *pieces, uint32_t *count) {
  uint32_t skip = frame->skip;
  *count = 0;
  for (uint32_t i = frame->buffer; i < chain->count; i++, skip = 0) {
    const struct virtqueue_buffer *buffer = &chain->buffer[i];
    const uint8_t *place = window_resolve(window, buffer->address, buffer->length);
    if (!place)
      return false;
    pieces[(*count)++] = (struct network_piece){place + skip, buffer->length - skip};
  }
  return true;
}

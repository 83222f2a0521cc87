/* SPDX-License-Identifier: Apache-2.0
 *
 * A frame for the card: our own copy of its header, with the channel's tag, then
 * the payload: the client's own memory where it stands there, a copy where it
 * stands in the window, which no conversion opens to a device.
 */
#include "copy.h"
#include "network_server.h"

struct network_send *network_send_take(struct network_channel *channel) {
  struct network_uplink *uplink = channel->server->uplink;
  struct network_send *send = uplink->free;
  if (!send || channel->sends >= channel->most_sends)
    return NULL;
  uplink->free = send->next;
  channel->sends++;
  send->channel = channel;
  send->generation = channel->generation;
  send->client = send->conversions = send->looks = send->count = send->length = 0;
  send->answers = send->on_card = false;
  return send;
}

void network_send_free(struct network_send *send) {
  struct network_uplink *uplink = send->channel->server->uplink;
  send->channel->sends--;
  send->next = uplink->free;
  uplink->free = send;
  network_wake(send->channel->server);
}

/* Returns its length. */
static uint32_t write_header(uint8_t *place, const uint8_t *ethernet, uint16_t vlan) {
  __builtin_memcpy(place, ethernet, ETHERNET_HEADER);
  if (!vlan)
    return ETHERNET_HEADER;
  place[12] = ETHERNET_TYPE_VLAN >> 8;
  place[13] = ETHERNET_TYPE_VLAN & 0xff;
  place[14] = (uint8_t)(vlan >> 8); /* priority 0 */
  place[15] = (uint8_t)vlan;
  place[16] = ethernet[12];
  place[17] = ethernet[13];
  return ETHERNET_HEADER + ETHERNET_TAG;
}

/* A frame whose payload stands in the window: one piece of our memory. */
static void fill_inside(struct network_send *send, const struct network_frame *frame, uint8_t *memory,
                        uint64_t device) {
  uint32_t length = write_header(memory, frame->ethernet, send->channel->vlan);
  for (uint32_t i = 0; i < frame->pieces; i++) {
    copy_bytes(memory + length, frame->piece[i].place, frame->piece[i].length, send->channel->server->wide);
    length += frame->piece[i].length;
  }
  if (length < ETHERNET_SHORTEST) { /* with zeros of ours: what stood there was another's */
    __builtin_memset(memory + length, 0, ETHERNET_SHORTEST - length);
    length = ETHERNET_SHORTEST;
  }
  send->length = length;
  send->count = 1;
  send->segment[0] = (struct network_segment){device, length};
}

/* --- a frame some of whose payload is the client's own memory, and which is never short --- */

/* Bytes of ours that follow each other are one segment. */
struct builder {
  struct network_send *send;
  uint8_t *memory;
  uint32_t used;
  uint64_t device; /* address of `memory` for the card */
};

static uint8_t *own_bytes(struct builder *builder, uint32_t length) {
  struct network_send *send = builder->send;
  uint8_t *place = builder->memory + builder->used;
  uint32_t last = send->count - 1;
  if (send->count && !(send->client >> last & 1))
    send->segment[last].length += length;
  else
    send->segment[send->count++] = (struct network_segment){builder->device + builder->used, length};
  builder->used += length;
  send->length += length;
  return place;
}

static void add_payload(struct builder *builder, const struct network_frame *frame,
                        const struct virtqueue_chain *chain) {
  struct network_send *send = builder->send;
  uint32_t skip = frame->skip;
  for (uint32_t i = frame->buffer; i < chain->count; i++, skip = 0) {
    const struct virtqueue_buffer *buffer = &chain->buffer[i];
    uint32_t length = buffer->length - skip;
    const uint8_t *shared = window_resolve(&send->channel->window, buffer->address, buffer->length);
    if (shared) {
      __builtin_memcpy(own_bytes(builder, length), shared + skip, length);
      continue;
    }
    send->client |= 1u << send->count;
    send->conversions++;
    send->segment[send->count++] = (struct network_segment){buffer->address + skip, length};
    send->length += length;
  }
}

static void fill_outside(struct network_send *send, const struct network_frame *frame,
                         const struct virtqueue_chain *chain, uint8_t *memory, uint64_t device) {
  struct builder builder = {.send = send, .memory = memory, .device = device};
  own_bytes(&builder, write_header(memory, frame->ethernet, send->channel->vlan));
  add_payload(&builder, frame, chain);
}

void network_send_fill(struct network_send *send, const struct network_frame *frame,
                       const struct virtqueue_chain *chain) {
  struct network_uplink *uplink = send->channel->server->uplink;
  uint8_t *memory = uplink->memory->send[send - uplink->send];
  uint64_t device = (uintptr_t)memory + uplink->bias;
  if (frame->inside)
    fill_inside(send, frame, memory, device);
  else
    fill_outside(send, frame, chain, memory, device);
  send->checksum = (struct network_checksum){0};
  if (frame->virtio.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
    send->checksum.start = (uint16_t)(frame->virtio.csum_start + (send->channel->vlan ? ETHERNET_TAG : 0));
    send->checksum.offset = frame->virtio.csum_offset;
  }
  send->head = chain->head;
  send->answers = send->conversions != 0;
}

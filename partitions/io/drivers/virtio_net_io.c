/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of a virtio network card (OASIS virtio 1.1, 5.1.6): slots, headers,
 * answers. The hot path.
 */
#include "virtio_net.h"

#include <stddef.h>

static struct virtio_net *net_of(struct network_device *device) {
  return (struct virtio_net *)device;
}

static void free_slot(struct virtio_net_way *way, struct virtio_net_slot *slot) {
  slot->state = NET_IDLE;
  slot->next = way->free;
  way->free = slot;
}

uint32_t virtio_net_slots_reset(struct virtio_net_way *way) {
  uint32_t count = 0;
  way->free = NULL;
  for (uint32_t i = way->slots; i-- > 0;) {
    if (way->slot[i].state != NET_IDLE)
      continue;
    free_slot(way, &way->slot[i]);
    count++;
  }
  return count;
}

static inline void give(struct virtio_net_way *way, struct virtio_net_slot *slot, uint32_t tag) {
  way->free = slot->next;
  slot->tag = tag;
  slot->state = NET_WITH_DEVICE;
  virtio_queue_put(&way->queue, slot->head);
}

/* --- out --- */

static void put_segments(const struct virtio_net_slot *slot, const struct network_segment *segments, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint16_t flags = i + 1 < count ? VIRTIO_DESC_NEXT : 0;
    slot->table[i + 1] =
        (struct virtio_descriptor){segments[i].physical, segments[i].length, flags, (uint16_t)(slot->link + i + 2)};
  }
}

/* 5.1.6.2: flags say whether the other two fields count. */
static void put_checksum(struct virtio_net_header *header, struct network_checksum checksum) {
  header->flags = checksum.start ? HEADER_NEEDS_CHECKSUM : 0;
  header->checksum_start = checksum.start;
  header->checksum_offset = checksum.offset;
}

enum network_result virtio_net_transmit(struct network_device *device, const struct network_segment *segments,
                                        uint32_t count, struct network_checksum checksum, uint32_t tag) {
  struct virtio_net *net = net_of(device);
  struct virtio_net_slot *slot = net->transmit.free;
  if (!net->ready || count == 0 || count > NETWORK_SEGMENTS)
    return NETWORK_REFUSED;
  if (checksum.start && !(device->offloads & NETWORK_OFFLOAD_TRANSMIT))
    return NETWORK_REFUSED;
  if (!slot)
    return NETWORK_BUSY;
  put_checksum(slot->header, checksum);
  put_segments(slot, segments, count);
  give(&net->transmit, slot, tag);
  device->transmit_free--;
  return NETWORK_TAKEN;
}

/* --- in --- */

/* The device is not told of more room than the longest frame needs, so it cannot bring a longer one. */
enum network_result virtio_net_receive(struct network_device *device, struct network_segment buffer, uint32_t tag) {
  struct virtio_net *net = net_of(device);
  struct virtio_net_slot *slot = net->receive.free;
  if (!net->ready || buffer.length < NETWORK_FRAME_MAX)
    return NETWORK_REFUSED;
  if (!slot)
    return NETWORK_BUSY;
  slot->room = NETWORK_FRAME_MAX;
  slot->table[1] = (struct virtio_descriptor){buffer.physical, slot->room, VIRTIO_DESC_WRITE, 0};
  give(&net->receive, slot, tag);
  device->receive_free--;
  return NETWORK_TAKEN;
}

void virtio_net_commit(struct network_device *device) {
  struct virtio_net *net = net_of(device);
  if (!net->ready)
    return;
  virtio_queue_tell(&net->transmit.queue);
  virtio_queue_tell(&net->receive.queue);
}

/* --- answers --- */

/* The next slot that a reset took: its device will never answer. A new life may have fewer slots. */
static struct virtio_net_slot *take_lost(struct virtio_net_way *way, uint32_t *free) {
  for (uint32_t i = 0; i < way->most; i++) {
    struct virtio_net_slot *slot = &way->slot[i];
    if (slot->state != NET_TAKEN_BY_RESET)
      continue;
    way->lost--;
    slot->state = NET_IDLE;
    if (i < way->slots) {
      free_slot(way, slot);
      ++*free;
    }
    return slot;
  }
  way->lost = 0;
  return NULL;
}

/* The next slot that the device is through with. An answer to nothing: a broken device must not free a slot twice, and gets a
   reset. */
static inline struct virtio_net_slot *take(struct virtio_net *net, struct virtio_net_way *way, uint32_t *length) {
  struct virtio_answer answer;
  if (!net->ready || net->nonsense || !virtio_queue_next(&way->queue, &answer))
    return NULL;
  struct virtio_net_slot *slot = &way->slot[answer.slot];
  if (answer.slot >= way->slots || slot->state != NET_WITH_DEVICE) {
    net->nonsense = true;
    return NULL;
  }
  *length = answer.length;
  free_slot(way, slot);
  return slot;
}

uint32_t virtio_net_sent(struct network_device *device, struct network_sent *sent, uint32_t limit) {
  struct virtio_net *net = net_of(device);
  struct virtio_net_slot *slot;
  uint32_t count = 0, length;
  while (net->transmit.lost && count < limit && (slot = take_lost(&net->transmit, &device->transmit_free)))
    sent[count++] = (struct network_sent){slot->tag, NETWORK_ERROR_RESET};
  while (count < limit && (slot = take(net, &net->transmit, &length))) {
    sent[count++] = (struct network_sent){slot->tag, 0};
    device->transmit_free++;
  }
  return count;
}

static struct network_received received_of(const struct virtio_net_slot *slot, uint32_t length) {
  if (length <= VIRTIO_NET_HEADER || length - VIRTIO_NET_HEADER > slot->room)
    return (struct network_received){.tag = slot->tag, .error = NETWORK_ERROR_NONSENSE};
  return (struct network_received){.tag = slot->tag, .length = length - VIRTIO_NET_HEADER};
}

uint32_t virtio_net_received(struct network_device *device, struct network_received *received, uint32_t limit) {
  struct virtio_net *net = net_of(device);
  struct virtio_net_slot *slot;
  uint32_t count = 0, length;
  while (net->receive.lost && count < limit && (slot = take_lost(&net->receive, &device->receive_free)))
    received[count++] = (struct network_received){.tag = slot->tag, .error = NETWORK_ERROR_RESET};
  while (count < limit && (slot = take(net, &net->receive, &length))) {
    received[count++] = received_of(slot, length);
    device->receive_free++;
  }
  return count;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What an honest client of the block server does.
 */
#ifndef IO_BLOCK_KIT_H
#define IO_BLOCK_KIT_H

#include "io_block_model.h"
#include "runtime_check.h"

static inline uint64_t window_address(const struct client *one, const void *place) {
  return CLIENT_WINDOW + (uint64_t)((const uint8_t *)place - (const uint8_t *)one->window);
}

/* Adds a request of up to 16 data buffers; returns its head, -1: no room. */
static inline int add(struct client *one, uint32_t type, uint64_t sector, const struct virtqueue_buffer *data,
                      uint32_t count) {
  int head = virtqueue_next_head(&one->queue);
  if (head < 0)
    return -1;
  struct channel_request *request = &one->window->request[head];
  struct virtqueue_buffer buffer[VIRTQUEUE_CHAIN];
  buffer[0] = (struct virtqueue_buffer){window_address(one, &request->header), sizeof request->header, 0};
  for (uint32_t i = 0; i < count; i++)
    buffer[i + 1] = data[i];
  buffer[count + 1] = (struct virtqueue_buffer){window_address(one, &request->status), 1, 1};
  if (virtqueue_add(&one->queue, buffer, count + 2) < 0)
    return -1;
  request->header = (struct virtio_blk_req){.type = type, .sector = sector};
  request->status = 0xee;
  return head;
}

static inline int add_one(struct client *one, uint32_t type, uint64_t sector, uint64_t address, uint32_t length) {
  struct virtqueue_buffer data = {address, length, type != VIRTIO_BLK_T_OUT};
  return add(one, type, sector, &data, length != 0);
}

static inline void kick(const struct client *one) {
  block_channel_event(&model_server_channel[one->index]);
}

/* Runs one request alone and returns its status. */
static inline uint8_t ask(struct client *one, uint32_t type, uint64_t sector, uint64_t address, uint32_t length) {
  int head = add_one(one, type, sector, address, length);
  uint16_t used;
  uint32_t written;
  CHECK(head >= 0);
  kick(one);
  model_drain();
  CHECK(virtqueue_take_used(&one->queue, &used, &written) && used == head);
  CHECK(!virtqueue_take_used(&one->queue, &used, &written));
  return one->window->request[head].status;
}

#endif

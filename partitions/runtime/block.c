/* SPDX-License-Identifier: Apache-2.0
 *
 * The client of a block channel: requests that are under way. The header and the
 * status of a request stand in the window, under the index of its first
 * descriptor, a range under that of its second; its data is where the program
 * has it.
 */
#include "runtime.h"

#define FLAGS (BLOCK_THROUGH | BLOCK_UNMAP)
#define STATUS_UNWRITTEN 0xffu /* no value of virtio's */

static void begin(struct block *block) {
  session_client_stop(&block->window->header);
  virtqueue_driver_reset(&block->queue, &block->window->queue[0]);
  block->epoch = session_client_begin(&block->window->header, channel_life(block->channel));
  monitor_signal(block->channel->index, 0);
}

bool block_open(struct block *block, const struct channel_descriptor *channel) {
  memset(block, 0, sizeof *block);
  if (!channel || channel->class != CLASS_BLOCK || channel->end != END_CLIENT)
    return false;
  block->channel = channel;
  block->window = (struct channel_window *)channel->address;
  block->timeout_ns = BLOCK_TIMEOUT_NS;
  begin(block);
  return true;
}

uint64_t block_capacity(const struct block *block) {
  return block->channel ? block->channel->capacity : 0;
}

bool block_config(const struct block *block, struct virtio_blk_config *config, uint64_t *features) {
  if (!block->channel || !session_client_served(&block->window->header, block->epoch))
    return false;
  *config = block->window->config.disk;
  *features = block->window->header.features;
  return true;
}

static uint32_t type_of(const struct block_request *request) {
  return request->type & ~FLAGS;
}

/* Bytes of the longest request of a type that has any; else 0. */
static uint32_t longest(uint32_t type) {
  switch (type) {
  case VIRTIO_BLK_T_IN:
  case VIRTIO_BLK_T_OUT:
    return BLOCK_PIECE;
  case VIRTIO_BLK_T_DISCARD:
  case VIRTIO_BLK_T_WRITE_ZEROES:
    return BLOCK_RANGE;
  default:
    return 0;
  }
}

/* What may be added to a type. */
static uint32_t flag_of(uint32_t type) {
  if (type == VIRTIO_BLK_T_OUT)
    return BLOCK_THROUGH;
  return type == VIRTIO_BLK_T_WRITE_ZEROES ? BLOCK_UNMAP : 0;
}

static bool valid(const struct block *block, const struct block_request *request) {
  const struct channel_descriptor *channel = block->channel;
  uint32_t type = request->type, most = BLOCK_PIECE;
  if (!channel)
    return false;
  if (type > VIRTIO_BLK_T_OUT) {
    type = type_of(request);
    most = longest(type);
    if ((most == 0 && type != VIRTIO_BLK_T_FLUSH) || (request->type & FLAGS & ~flag_of(type)))
      return false;
  }
  if (!(channel->rights & (type == VIRTIO_BLK_T_IN ? RIGHT_READ : RIGHT_WRITE)))
    return false;
  if (type == VIRTIO_BLK_T_FLUSH)
    return true;
  if (request->size == 0 || request->size > most)
    return false;
  if ((request->offset | request->size) % channel->block_size)
    return false;
  return request->offset <= channel->capacity && request->size <= channel->capacity - request->offset;
}

static void finish(struct block *block, uint16_t head, enum block_result result) {
  block->request[head]->result = result;
  block->request[head] = NULL;
  block->in_flight--;
}

/* A server that was restarted has reset its device before it came back: no buffer is in use any more. */
static unsigned fail_all(struct block *block) {
  unsigned finished = block->in_flight;
  for (uint16_t head = 0; head < QUEUE_SIZE; head++)
    if (block->request[head])
      finish(block, head, BLOCK_LOST);
  begin(block);
  return finished;
}

/* The second descriptor's index is the head of no other request, so the place under it is ours. */
static struct virtqueue_buffer place_range(struct block *block, const struct block_request *request, uint16_t head) {
  struct virtio_blk_discard_write_zeroes *range = &block->window->request[block->queue.next[head]].range;
  *range = (struct virtio_blk_discard_write_zeroes){.sector = request->offset / VIRTIO_BLK_SECTOR,
                                                    .num_sectors = request->size / VIRTIO_BLK_SECTOR,
                                                    .flags = request->type & BLOCK_UNMAP ? VIRTIO_BLK_RANGE_UNMAP : 0};
  return (struct virtqueue_buffer){(uintptr_t)range, sizeof *range, 0};
}

static void publish(struct block *block, struct block_request *request, uint16_t head) {
  struct channel_request *slot = &block->window->request[head];
  uint32_t type = type_of(request);
  bool moves = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_OUT;
  slot->header = (struct virtio_blk_req){.type = type,
                                         .reserved = request->type & BLOCK_THROUGH ? VIRTIO_BLK_THROUGH : 0,
                                         .sector = moves ? request->offset / VIRTIO_BLK_SECTOR : 0};
  slot->status = STATUS_UNWRITTEN;
  struct virtqueue_buffer chain[3] = {{(uintptr_t)&slot->header, sizeof slot->header, 0}};
  unsigned count = 1;
  if (moves)
    chain[count++] = (struct virtqueue_buffer){(uintptr_t)request->buffer, request->size, type == VIRTIO_BLK_T_IN};
  else if (type != VIRTIO_BLK_T_FLUSH)
    chain[count++] = place_range(block, request, head);
  chain[count++] = (struct virtqueue_buffer){(uintptr_t)&slot->status, 1, 1};
  block->request[head] = request;
  block->in_flight++;
  block->untold = true;
  virtqueue_add(&block->queue, chain, count);
}

bool block_submit(struct block *block, struct block_request *request) {
  if (!valid(block, request)) {
    request->result = BLOCK_INVALID;
    return true;
  }
  if (block->in_flight >= BLOCK_DEPTH)
    return false;
  request->result = BLOCK_PENDING;
  publish(block, request, (uint16_t)virtqueue_next_head(&block->queue));
  return true;
}

static enum block_result result_of(uint8_t status) {
  switch (status) {
  case VIRTIO_BLK_S_OK:
    return BLOCK_OK;
  case VIRTIO_BLK_S_UNSUPP:
    return BLOCK_UNSUPPORTED;
  default:
    return BLOCK_ERROR;
  }
}

static unsigned take_finished(struct block *block) {
  unsigned finished = 0;
  uint16_t head;
  uint32_t length;
  bool lost = session_client_lost(&block->window->header, block->epoch);
  while (session_client_served(&block->window->header, block->epoch) &&
         virtqueue_take_used(&block->queue, &head, &length)) {
    uint8_t status = *(const volatile uint8_t *)&block->window->request[head].status;
    finish(block, head, result_of(status));
    finished++;
  }
  return lost ? finished + fail_all(block) : finished;
}

static bool must_tell(struct block *block) {
  bool tell = block->untold && virtqueue_wants_kick(&block->queue);
  block->untold = false;
  return tell;
}

unsigned block_poll(struct block *block) {
  if (!block->channel)
    return 0;
  if (must_tell(block))
    monitor_signal(block->channel->index, 0);
  return take_finished(block);
}

unsigned block_wait(struct block *block, uint64_t deadline) {
  if (!block->channel)
    return 0;
  for (;;) {
    unsigned finished = take_finished(block);
    if (finished || block->in_flight == 0)
      return finished;
    unsigned event = block->channel->event;
    bool came =
        must_tell(block) ? signal_and_wait_event(block->channel->index, event, deadline) : wait_event(event, deadline);
    if (!came)
      return take_finished(block);
  }
}

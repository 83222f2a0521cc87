/* SPDX-License-Identifier: Apache-2.0
 *
 * The client of a block channel: requests that are under way. The header and the
 * status of a request stand in the window, under the index of its first
 * descriptor; its data is where the program has it.
 */
#include "runtime.h"

#define STATUS_UNWRITTEN 0xffu /* no value of virtio's */

static void begin(struct block *block) {
  session_client_stop(&block->window->header);
  virtqueue_driver_reset(&block->queue, &block->window->queue[0]);
  block->epoch = session_client_begin(&block->window->header, life());
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

static bool valid(const struct block *block, const struct block_request *request) {
  const struct channel_descriptor *channel = block->channel;
  uint32_t type = request->type;
  if (!channel || (type != VIRTIO_BLK_T_IN && type != VIRTIO_BLK_T_OUT && type != VIRTIO_BLK_T_FLUSH))
    return false;
  if (!(channel->rights & (type == VIRTIO_BLK_T_IN ? RIGHT_READ : RIGHT_WRITE)))
    return false;
  if (type == VIRTIO_BLK_T_FLUSH)
    return true;
  if (request->size == 0 || request->size > BLOCK_PIECE)
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

static void publish(struct block *block, struct block_request *request, uint16_t head) {
  struct channel_request *slot = &block->window->request[head];
  slot->header = (struct virtio_blk_req){.type = request->type, .sector = request->offset / VIRTIO_BLK_SECTOR};
  slot->status = STATUS_UNWRITTEN;
  struct virtqueue_buffer chain[3] = {{(uintptr_t)&slot->header, sizeof slot->header, 0}};
  unsigned count = 1;
  if (request->type != VIRTIO_BLK_T_FLUSH)
    chain[count++] =
        (struct virtqueue_buffer){(uintptr_t)request->buffer, request->size, request->type == VIRTIO_BLK_T_IN};
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

static unsigned take_finished(struct block *block) {
  unsigned finished = 0;
  uint16_t head;
  uint32_t length;
  bool lost = session_client_lost(&block->window->header, block->epoch);
  while (session_client_served(&block->window->header, block->epoch) &&
         virtqueue_take_used(&block->queue, &head, &length)) {
    uint8_t status = *(const volatile uint8_t *)&block->window->request[head].status;
    finish(block, head, status == VIRTIO_BLK_S_OK ? BLOCK_OK : BLOCK_ERROR);
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

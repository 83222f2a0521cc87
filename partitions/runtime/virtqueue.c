/* SPDX-License-Identifier: Apache-2.0
 *
 * Split virtqueues, both sides. The order of accesses follows virtio 1.1, 2.6.
 */
#include "virtqueue.h"

#define MASK (QUEUE_SIZE - 1u)

_Static_assert((QUEUE_SIZE & MASK) == 0, "ring indexes are masked");

static uint16_t load(const uint16_t *shared) {
  return __atomic_load_n(shared, __ATOMIC_ACQUIRE);
}

static void publish(uint16_t *shared, uint16_t value) {
  __atomic_store_n(shared, value, __ATOMIC_RELEASE);
}

static void set_flags(uint16_t *flags, uint16_t value) {
  __atomic_store_n(flags, value, __ATOMIC_RELAXED);
  /* The other side may publish just now: whoever turns notification on looks at the ring after this (2.6.7.1). */
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* --- driver --- */

void virtqueue_driver_reset(struct virtqueue_driver *driver, struct channel_queue *queue) {
  driver->queue = queue;
  driver->available = 0;
  driver->used = 0;
  driver->free_head = 0;
  driver->free_count = QUEUE_SIZE;
  for (unsigned i = 0; i < QUEUE_SIZE; i++) {
    driver->next[i] = (uint16_t)(i + 1);
    driver->chain[i] = 0;
    queue->desc[i] = (struct virtq_desc){0};
  }
  queue->avail.flags = 0;
  publish(&queue->avail.idx, 0);
}

int virtqueue_next_head(const struct virtqueue_driver *driver) {
  return driver->free_count ? driver->free_head : -1;
}

/* Returns the descriptor after it. */
static inline uint16_t put(struct virtqueue_driver *driver, uint16_t index, const struct virtqueue_buffer *buffer,
                           uint16_t flags) {
  struct virtq_desc *desc = &driver->queue->desc[index];
  uint16_t next = driver->next[index];
  desc->addr = buffer->address;
  desc->len = buffer->length;
  desc->flags = buffer->writable ? flags | VIRTQ_DESC_F_WRITE : flags;
  desc->next = next & MASK;
  return next;
}

int virtqueue_add(struct virtqueue_driver *driver, const struct virtqueue_buffer *buffers, unsigned count) {
  if (count == 0 || count > driver->free_count)
    return -1;
  uint16_t head = driver->free_head, index = head;
  driver->chain[head] = (uint16_t)count;
  driver->free_count = (uint16_t)(driver->free_count - count);
  for (; count > 1; count--)
    index = put(driver, index, buffers++, VIRTQ_DESC_F_NEXT);
  driver->free_head = put(driver, index, buffers, 0);
  driver->queue->avail.ring[driver->available & MASK] = head;
  publish(&driver->queue->avail.idx, ++driver->available);
  return head;
}

bool virtqueue_wants_kick(const struct virtqueue_driver *driver) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST); /* our index is visible before we look whether the server sleeps */
  return !(__atomic_load_n(&driver->queue->used.flags, __ATOMIC_RELAXED) & VIRTQ_USED_F_NO_NOTIFY);
}

static void free_chain(struct virtqueue_driver *driver, uint16_t head) {
  uint16_t last = head, count = driver->chain[head];
  driver->chain[head] = 0;
  driver->free_count = (uint16_t)(driver->free_count + count);
  for (; count > 1; count--)
    last = driver->next[last];
  driver->next[last] = driver->free_head;
  driver->free_head = head;
}

bool virtqueue_take_used(struct virtqueue_driver *driver, uint16_t *head, uint32_t *length) {
  const struct virtq_used *used = &driver->queue->used;
  while (load(&used->idx) != driver->used) {
    const struct virtq_used_elem *element = &used->ring[driver->used++ & MASK];
    uint32_t id = __atomic_load_n(&element->id, __ATOMIC_RELAXED);
    *length = __atomic_load_n(&element->len, __ATOMIC_RELAXED);
    if (id >= QUEUE_SIZE || driver->chain[id] == 0)
      continue; /* never asked for, or answered twice */
    *head = (uint16_t)id;
    free_chain(driver, (uint16_t)id);
    return true;
  }
  return false;
}

void virtqueue_driver_interrupts(struct virtqueue_driver *driver, bool on) {
  set_flags(&driver->queue->avail.flags, on ? 0 : VIRTQ_AVAIL_F_NO_INTERRUPT);
}

/* --- device --- */

void virtqueue_device_reset(struct virtqueue_device *device, struct channel_queue *queue) {
  device->queue = queue;
  device->available = 0;
  device->used = 0;
  queue->used.flags = 0;
  publish(&queue->used.idx, 0);
}

bool virtqueue_pending(const struct virtqueue_device *device) {
  return load(&device->queue->avail.idx) != device->available;
}

static struct virtq_desc read_once(const struct virtq_desc *shared) {
  const volatile struct virtq_desc *desc = shared;
  return (struct virtq_desc){.addr = desc->addr, .len = desc->len, .flags = desc->flags, .next = desc->next};
}

/* Follows a chain from its head into private memory. False: it breaks a rule (2.6.4.2, 2.6.5). */
static bool copy_chain(const struct virtq_desc *table, struct virtqueue_chain *chain) {
  struct virtqueue_buffer *buffer = chain->buffer;
  uint32_t index = chain->head, count = 0, readable = 0;
  for (;; count++, buffer++) {
    struct virtq_desc desc = read_once(&table[index & MASK]);
    uint32_t flags = desc.flags;
    if (count == VIRTQUEUE_CHAIN || (flags & VIRTQ_DESC_F_INDIRECT))
      return false;
    if (!(flags & VIRTQ_DESC_F_WRITE) && readable++ != count)
      return false;
    *buffer = (struct virtqueue_buffer){desc.addr, desc.len, flags / VIRTQ_DESC_F_WRITE & 1};
    if (!(flags & VIRTQ_DESC_F_NEXT))
      break;
    index = desc.next;
  }
  chain->count = (uint16_t)(count + 1);
  chain->readable = (uint16_t)readable;
  return true;
}

enum virtqueue_take virtqueue_take_chain(struct virtqueue_device *device, struct virtqueue_chain *chain) {
  const struct virtq_avail *avail = &device->queue->avail;
  uint16_t waiting = (uint16_t)(load(&avail->idx) - device->available);
  if (waiting == 0)
    return VIRTQUEUE_NOTHING;
  if (waiting > QUEUE_SIZE)
    return VIRTQUEUE_BROKEN;
  uint16_t head = __atomic_load_n(&avail->ring[device->available & MASK], __ATOMIC_RELAXED);
  device->available++;
  chain->head = (uint16_t)(head & MASK);
  return copy_chain(device->queue->desc, chain) ? VIRTQUEUE_CHAIN_OK : VIRTQUEUE_BAD;
}

void virtqueue_put_used(struct virtqueue_device *device, uint16_t head, uint32_t length) {
  struct virtq_used *used = &device->queue->used;
  used->ring[device->used & MASK] = (struct virtq_used_elem){.id = head, .len = length};
  publish(&used->idx, ++device->used);
}

bool virtqueue_wants_interrupt(const struct virtqueue_device *device) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST); /* our index is visible before we look whether the client sleeps */
  return !(__atomic_load_n(&device->queue->avail.flags, __ATOMIC_RELAXED) & VIRTQ_AVAIL_F_NO_INTERRUPT);
}

void virtqueue_device_kicks(struct virtqueue_device *device, bool on) {
  set_flags(&device->queue->used.flags, on ? 0 : VIRTQ_USED_F_NO_NOTIFY);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio_queue.h"
#include "access.h"

/* x86 keeps stores in order and loads in order, but lets a load pass an earlier store. */
static void store_before_load(void) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void use_tables(struct virtio_queue *queue, const struct virtio_queue_plan *plan) {
  queue->tables = plan->tables;
  queue->table_entries = plan->table_entries;
  queue->slots = queue->size < plan->slots ? queue->size : plan->slots;
  for (uint32_t slot = 0; slot < queue->slots; slot++)
    plan->rings->descriptor[slot] = (struct virtio_descriptor){
        .address = (uint64_t)(uintptr_t)virtio_queue_table(queue, slot) + plan->bias,
        .length = plan->table_entries * (uint32_t)sizeof(struct virtio_descriptor),
        .flags = VIRTIO_DESC_INDIRECT,
    };
}

static void deal_out(struct virtio_queue *queue, const struct virtio_queue_plan *plan) {
  uint32_t slots = queue->size / plan->direct_entries;
  queue->tables = plan->rings->descriptor;
  queue->table_entries = queue->link_step = plan->direct_entries;
  queue->slots = slots < plan->slots ? slots : plan->slots;
  while (1u << queue->slot_shift < plan->direct_entries)
    queue->slot_shift++;
}

bool virtio_queue_reset(struct virtio_queue *queue, const struct virtio_queue_plan *plan, uint16_t size) {
  *plan->rings = (struct virtio_rings){0};
  *queue = (struct virtio_queue){.rings = plan->rings, .size = size};
  queue->event_index = plan->features & VIRTIO_F_RING_EVENT_IDX;
  /* 2.6.5.3.1: no table is longer than the queue */
  if ((plan->features & VIRTIO_F_RING_INDIRECT_DESC) && plan->table_entries <= size)
    use_tables(queue, plan);
  else
    deal_out(queue, plan);
  return queue->slots != 0;
}

/* 2.6.7.2: was the event's index among those from `from` to `to`? */
static bool passed(uint16_t event, uint16_t from, uint16_t to) {
  return (uint16_t)(to - event - 1) < (uint16_t)(to - from);
}

static bool wants_doorbell(const struct virtio_queue *queue) {
  const volatile struct virtio_used *used = &queue->rings->used;
  if (!queue->event_index)
    return !(used->flags & VIRTIO_USED_NO_NOTIFY);
  return passed((uint16_t)used->ring[queue->size].id /* avail_event */, queue->told, queue->available);
}

void virtio_queue_tell(struct virtio_queue *queue) {
  if (queue->told == queue->available)
    return;
  __atomic_store_n(&queue->rings->available.index, queue->available, __ATOMIC_RELEASE);
  store_before_load();
  bool ring = wants_doorbell(queue);
  queue->told = queue->available;
  if (ring)
    register_write16(queue->doorbell, queue->number);
}

bool virtio_queue_listen(struct virtio_queue *queue) {
  if (!queue->event_index)
    return false; /* available.flags stays 0: each answer may interrupt */
  *(volatile uint16_t *)&queue->rings->available.ring[queue->size] = queue->used; /* used_event */
  store_before_load();
  return __atomic_load_n(&queue->rings->used.index, __ATOMIC_ACQUIRE) != queue->used;
}

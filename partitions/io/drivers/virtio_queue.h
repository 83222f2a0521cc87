/* SPDX-License-Identifier: Apache-2.0
 *
 * The driver's side of a split virtqueue (OASIS virtio 1.1, 2.6) in slots: slot
 * i has a table of descriptors of its own, so that what never changes in a chain
 * is written once. With VIRTIO_F_RING_INDIRECT_DESC the tables are indirect
 * ones and there is a slot for each entry of the queue; without, the queue's
 * own descriptors are dealt out to fewer slots.
 *
 * What the device writes (used ring, avail_event) is read once and not trusted.
 */
#ifndef PARCLOSE_IO_VIRTIO_QUEUE_H
#define PARCLOSE_IO_VIRTIO_QUEUE_H

#include "virtio_registers.h"

#include <stdbool.h>

struct virtio_queue {
  struct virtio_rings *rings;
  struct virtio_descriptor *tables; /* of all slots, one after the other */
  uintptr_t doorbell;
  uint32_t slots;
  uint32_t table_entries; /* descriptors of a slot */
  uint32_t link_step;     /* from one slot's number of an entry to the next one's: indirect tables begin at 0 each */
  uint16_t number, size;
  uint16_t slot_shift; /* head of a slot's chain = slot << slot_shift */
  uint16_t available;  /* our next index of the available ring */
  uint16_t told;       /* the index that the device was told of */
  uint16_t used;       /* next index of the used ring that we look at */
  bool event_index;
};

/* One answer of the device. `slot` may be any number: nothing more was checked. */
struct virtio_answer {
  uint32_t slot;
  uint32_t length; /* bytes that the device says it wrote */
};

/* Memory and way of working of a queue; its size and doorbell come with virtio_pci_queue. */
struct virtio_queue_plan {
  struct virtio_rings *rings;
  struct virtio_descriptor *tables; /* slots × table_entries, aligned to 16: for indirect tables */
  uint64_t bias;
  uint32_t slots;          /* at most */
  uint32_t table_entries;  /* with indirect tables */
  uint32_t direct_entries; /* without: a power of two */
  uint64_t features;       /* negotiated */
};

/* Empty rings. size: a power of two, at most VIRTIO_QUEUE_MAX. False: not even one slot fits. */
bool virtio_queue_reset(struct virtio_queue *queue, const struct virtio_queue_plan *plan, uint16_t size);

static inline struct virtio_descriptor *virtio_queue_table(const struct virtio_queue *queue, uint32_t slot) {
  return &queue->tables[slot * queue->table_entries];
}

/* What `next` of a descriptor means entry `entry` of the slot's table. */
static inline uint16_t virtio_queue_link(const struct virtio_queue *queue, uint32_t slot, uint32_t entry) {
  return (uint16_t)(slot * queue->link_step + entry);
}

/* How the device calls the slot's chain. */
static inline uint16_t virtio_queue_head(const struct virtio_queue *queue, uint32_t slot) {
  return (uint16_t)(slot << queue->slot_shift);
}

/* The chain is the device's at the next virtio_queue_tell. It is put again only after its answer came. */
static inline void virtio_queue_put(struct virtio_queue *queue, uint16_t head) {
  queue->rings->available.ring[queue->available++ & (queue->size - 1)] = head;
}

/* Makes all that was put visible, and rings the doorbell where the device wants it. */
void virtio_queue_tell(struct virtio_queue *queue);

/* False: no answer is there. */
static inline bool virtio_queue_take(struct virtio_queue *queue, struct virtio_answer *answer) {
  const struct virtio_used *used = &queue->rings->used;
  if (__atomic_load_n(&used->index, __ATOMIC_ACQUIRE) == queue->used)
    return false;
  const volatile struct virtio_used_element *element = &used->ring[queue->used++ & (queue->size - 1)];
  uint32_t head = element->id, slot = head >> queue->slot_shift;
  answer->slot = slot << queue->slot_shift == head ? slot : UINT32_MAX;
  answer->length = element->length;
  return true;
}

/* Asks for an interrupt at the next answer. True: one has come meanwhile, and there may be no interrupt for it. */
bool virtio_queue_listen(struct virtio_queue *queue);

/* The next answer. False: there is none, and an interrupt will tell of one. */
static inline bool virtio_queue_next(struct virtio_queue *queue, struct virtio_answer *answer) {
  return virtio_queue_take(queue, answer) || (virtio_queue_listen(queue) && virtio_queue_take(queue, answer));
}

#endif

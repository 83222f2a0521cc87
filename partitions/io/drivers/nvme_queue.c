/* SPDX-License-Identifier: Apache-2.0
 *
 * A pair of NVMe queues: rings, phase bit, doorbells (NVMe 1.4, 4.1 and 4.6).
 */
#include "access.h"
#include "nvme.h"

void nvme_queue_reset(struct nvme_queue *queue, uint32_t size) {
  queue->size = size;
  queue->tail = queue->told = queue->head = 0;
  queue->phase = 1;
  for (uint32_t i = 0; i < size; i++)
    queue->completion[i] = (struct nvme_completion){0};
}

void nvme_queue_tell(struct nvme_queue *queue) {
  if (queue->told == queue->tail)
    return;
  queue->told = queue->tail;
  register_write32(queue->tail_doorbell, queue->tail);
}

/* One write for all entries taken since. */
void nvme_queue_taken(struct nvme_queue *queue) {
  register_write32(queue->head_doorbell, queue->head);
}

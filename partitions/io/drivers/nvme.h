/* SPDX-License-Identifier: Apache-2.0
 *
 * The NVMe driver: an admin queue and one pair of I/O queues on the first
 * active namespace of a controller. What a reset of the controller took is issued
 * again once, if it is the same namespace still: reads and writes may be repeated
 * as long as their clients wait, and so may the others.
 */
#ifndef PARCLOSE_IO_NVME_H
#define PARCLOSE_IO_NVME_H

#include "block.h"
#include "nvme_registers.h"
#include "resources.h"

#define NVME_PAGE 4096u
#define NVME_ADMIN_ENTRIES 16u
#define NVME_IO_ENTRIES 128u
#define NVME_LIST_ENTRIES 128u                       /* PRP entries after the first */
#define NVME_LONGEST_DISCARD 0x40000000u             /* bytes of one command: ours, so that others come in between */
#define NVME_LONGEST (NVME_LIST_ENTRIES * NVME_PAGE) /* any alignment: one page more than these may be touched */

#define NVME_SGL_ENTRIES (NVME_LIST_ENTRIES / 2) /* the same memory holds them */
#define NVME_SGL_LONGEST (1u << 20)

/* Memory that the controller reads and writes. Physically contiguous, like all of a program's memory. */
struct nvme_memory {
  _Alignas(NVME_PAGE) struct nvme_command admin_submission[NVME_ADMIN_ENTRIES];
  _Alignas(NVME_PAGE) struct nvme_completion admin_completion[NVME_ADMIN_ENTRIES];
  _Alignas(NVME_PAGE) uint8_t identify[NVME_PAGE];
  _Alignas(NVME_PAGE) struct nvme_command submission[NVME_IO_ENTRIES];
  _Alignas(NVME_PAGE) struct nvme_completion completion[NVME_IO_ENTRIES];
  _Alignas(NVME_PAGE) uint64_t list[NVME_IO_ENTRIES][NVME_LIST_ENTRIES]; /* a list crosses no page */
};

struct nvme_queue {
  struct nvme_command *submission;
  struct nvme_completion *completion;
  uintptr_t tail_doorbell, head_doorbell;
  uint32_t size;
  uint32_t tail; /* of the submission queue */
  uint32_t told; /* the tail that the controller knows */
  uint32_t head; /* of the completion queue */
  uint32_t phase;
};

enum nvme_slot_state { SLOT_FREE, SLOT_BUSY, SLOT_AGAIN, SLOT_LOST };

struct nvme {
  struct block_device block; /* first: a block_device is one of these */
  uintptr_t registers;
  struct nvme_memory *memory;
  uint64_t bias;      /* device address of memory = its address here + bias */
  uint32_t interrupt; /* entry of the MSI-X table for the I/O completion queue */
  uint32_t nsid;
  uint32_t block_shift;
  uint32_t lost;    /* commands that a reset took and poll has not told yet */
  uint32_t aborts;  /* commands of the admin queue that nobody waits for */
  uint32_t aborted; /* slot + 1 that the last of them is about */
  bool ready;
  bool sgl; /* the controller takes SGLs */
  uint8_t serial[CONTROLLER_SERIAL_BYTES];
  struct nvme_queue admin, io;
  uint16_t free_slots[NVME_IO_ENTRIES]; /* a stack of block.free slots */
  uint8_t state[NVME_IO_ENTRIES];
  bool retried[NVME_IO_ENTRIES]; /* a reset has taken it once */
  uint32_t tag[NVME_IO_ENTRIES];
  struct nvme_command command[NVME_IO_ENTRIES]; /* as issued */
};

struct block_device *nvme_open(const struct driver_resources *given);

/* --- between the two files of the driver --- */

static inline void nvme_queue_push(struct nvme_queue *queue, const struct nvme_command *command) {
  queue->submission[queue->tail] = *command;
  if (++queue->tail == queue->size)
    queue->tail = 0;
}

/* The next completion, if there is one. */
static inline bool nvme_queue_take(struct nvme_queue *queue, struct nvme_completion *completion) {
  struct nvme_completion *entry = &queue->completion[queue->head];
  uint32_t status = __atomic_load_n(&entry->status, __ATOMIC_ACQUIRE);
  if (COMPLETION_PHASE(status) != queue->phase)
    return false;
  completion->status = status;
  completion->result = entry->result;
  if (++queue->head == queue->size) {
    queue->head = 0;
    queue->phase ^= 1;
  }
  return true;
}

/* nvme_queue.c */
void nvme_queue_reset(struct nvme_queue *queue, uint32_t size);
void nvme_queue_tell(struct nvme_queue *queue);
void nvme_queue_taken(struct nvme_queue *queue);
/* nvme_io.c */
void nvme_slots_reset(struct nvme *nvme);
void nvme_lose(struct nvme *nvme);
void nvme_issue_again(struct nvme *nvme);
void nvme_late(struct block_device *device, uint32_t tag);
enum block_result nvme_submit(struct block_device *device, struct block_transfer *transfer, uint32_t tag);
enum block_result nvme_flush(struct block_device *device, uint32_t tag);
enum block_result nvme_discard(struct block_device *device, uint64_t offset, uint64_t length, uint32_t tag);
enum block_result nvme_zeroes(struct block_device *device, uint64_t offset, uint64_t length, bool unmap, uint32_t tag);
void nvme_commit(struct block_device *device);
uint32_t nvme_poll(struct block_device *device, struct block_completion *completions, uint32_t limit);

#endif

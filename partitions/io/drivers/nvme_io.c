/* SPDX-License-Identifier: Apache-2.0
 *
 * NVMe reads, writes, flushes, and what has a range: command slots, PRP lists (NVMe 1.4, 4.3),
 * completions. The hot path.
 */
#include "nvme.h"

static struct nvme *nvme_of(struct block_device *device) {
  return (struct nvme *)device;
}

void nvme_slots_reset(struct nvme *nvme) {
  nvme->block.free = 0;
  for (uint32_t slot = nvme->block.depth; slot-- > 0;) {
    if (nvme->state[slot] == SLOT_FREE)
      nvme->free_slots[nvme->block.free++] = (uint16_t)slot;
  }
}

/* The pages that one command takes from the front of a transfer. */
struct page_walk {
  uint64_t first, second; /* PRP entries */
  uint32_t pages, bytes;
};

void nvme_lose(struct nvme *nvme) {
  for (uint32_t slot = 0; slot < NVME_IO_ENTRIES; slot++) {
    if (nvme->state[slot] != SLOT_BUSY && nvme->state[slot] != SLOT_AGAIN)
      continue;
    nvme->lost += nvme->retried[slot];
    nvme->state[slot] = nvme->retried[slot] ? SLOT_LOST : SLOT_AGAIN;
    nvme->retried[slot] = true;
  }
}

/* All of a transfer, where it is one buffer within a page: most are. */
static inline bool within_page(const struct block_transfer *transfer) {
  const struct block_segment *segment = transfer->segment;
  return transfer->count == 1 && (segment->physical & (NVME_PAGE - 1)) + segment->length <= NVME_PAGE;
}

/* Takes what one command can hold: only its first page may begin, only its last may end, inside a page. */
static struct page_walk take_pages(struct block_transfer *transfer, uint64_t *list, uint32_t longest) {
  struct page_walk walk = {0};
  while (transfer->count && walk.bytes < longest && walk.pages <= NVME_LIST_ENTRIES) {
    struct block_segment *segment = transfer->segment;
    uint32_t inside = segment->physical & (NVME_PAGE - 1), length = NVME_PAGE - inside;
    if (walk.pages && inside)
      break;
    if (length > segment->length)
      length = segment->length;
    if (length > longest - walk.bytes)
      length = longest - walk.bytes;
    if (walk.pages == 0) {
      walk.first = segment->physical;
    } else {
      list[walk.pages - 1] = segment->physical;
      walk.second = segment->physical;
    }
    walk.pages++;
    walk.bytes += length;
    segment->physical += length;
    segment->length -= length;
    if (segment->length == 0) {
      transfer->segment++;
      transfer->count--;
    }
    if ((inside + length) & (NVME_PAGE - 1))
      break;
  }
  return walk;
}

/* One descriptor for each piece of memory, whatever their alignment (4.4). In `bytes` 0: one of them is not of dwords, which some
   controllers want. */
static struct page_walk take_pieces(struct block_transfer *transfer, struct nvme_sgl *list, uint32_t longest) {
  struct page_walk walk = {0};
  uint32_t bits = 0;
  while (transfer->count && walk.bytes < longest && walk.pages < NVME_SGL_ENTRIES) {
    struct block_segment *segment = transfer->segment;
    uint32_t length = segment->length < longest - walk.bytes ? segment->length : longest - walk.bytes;
    list[walk.pages++] = (struct nvme_sgl){.address = segment->physical, .length = length, .type = SGL_DATA_BLOCK};
    walk.bytes += length;
    bits |= (uint32_t)segment->physical | length;
    segment->physical += length;
    segment->length -= length;
    if (segment->length == 0) {
      transfer->segment++;
      transfer->count--;
    }
  }
  if (bits & 3)
    walk.bytes = 0;
  return walk;
}

/* What no command sets is 0 in all of them; the caller sets the rest. */
static inline struct nvme_command *take_slot(struct nvme *nvme, uint32_t opcode, uint32_t tag) {
  uint16_t slot = nvme->free_slots[--nvme->block.free];
  nvme->state[slot] = SLOT_BUSY;
  nvme->retried[slot] = false;
  nvme->tag[slot] = tag;
  struct nvme_command *command = &nvme->command[slot];
  command->opcode = opcode | (uint32_t)slot << 16;
  command->nsid = nvme->nsid;
  return command;
}

/* Blocks larger than the layout says: rounded down, the count of blocks would be none, which means 65,536. */
static inline enum block_result move(struct nvme *nvme, struct block_transfer *transfer, uint32_t tag, uint32_t bytes,
                                     uint64_t first, uint64_t second, uint32_t flags) {
  uint64_t offset = transfer->offset, block = offset >> nvme->block_shift;
  if (bytes == 0 || ((offset | bytes) & (nvme->block.block_size - 1)))
    return BLOCK_REFUSED;
  uint32_t opcode = transfer->direction == BLOCK_WRITE ? NVME_WRITE : NVME_READ;
  struct nvme_command *command = take_slot(nvme, opcode | flags, tag);
  command->prp1 = first;
  command->prp2 = second;
  command->cdw10 = (uint32_t)block;
  command->cdw11 = (uint32_t)(block >> 32);
  command->cdw12 = ((bytes >> nvme->block_shift) - 1) | (transfer->through ? WRITE_THROUGH : 0);
  transfer->offset = offset + bytes;
  nvme_queue_push(&nvme->io, command);
  return BLOCK_TAKEN;
}

static __attribute__((noinline)) enum block_result move_pages(struct nvme *nvme, struct block_transfer *transfer,
                                                              uint32_t tag) {
  uint64_t *list = nvme->memory->list[nvme->free_slots[nvme->block.free - 1]];
  struct page_walk walk = take_pages(transfer, list, nvme->block.longest);
  uint64_t second = walk.pages > 2 ? (uint64_t)(uintptr_t)list + nvme->bias : walk.second;
  return move(nvme, transfer, tag, walk.bytes, walk.first, second, 0);
}

static __attribute__((noinline)) enum block_result move_pieces(struct nvme *nvme, struct block_transfer *transfer,
                                                               uint32_t tag) {
  struct nvme_sgl *list = (struct nvme_sgl *)nvme->memory->list[nvme->free_slots[nvme->block.free - 1]];
  struct page_walk walk = take_pieces(transfer, list, nvme->block.longest);
  struct nvme_sgl whole = list[0];
  if (walk.pages > 1)
    whole = (struct nvme_sgl){.address = (uint64_t)(uintptr_t)list + nvme->bias,
                              .length = walk.pages * (uint32_t)sizeof *list,
                              .type = SGL_LAST_SEGMENT};
  return move(nvme, transfer, tag, walk.bytes, whole.address, whole.length | (uint64_t)whole.type << 56, COMMAND_SGL);
}

enum block_result nvme_submit(struct block_device *device, struct block_transfer *transfer, uint32_t tag) {
  struct nvme *nvme = nvme_of(device);
  if (!nvme->ready || transfer->count == 0 || (transfer->segment->physical & 3)) /* 4.3: PRP1 is aligned to a dword */
    return BLOCK_REFUSED;
  if (device->free == 0)
    return BLOCK_BUSY;
  if (!within_page(transfer))
    return nvme->sgl ? move_pieces(nvme, transfer, tag) : move_pages(nvme, transfer, tag);
  transfer->count = 0;
  return move(nvme, transfer, tag, transfer->segment->length, transfer->segment->physical, 0, 0);
}

static struct nvme_command *take_cleared(struct nvme *nvme, uint32_t opcode, uint32_t tag) {
  struct nvme_command *command = take_slot(nvme, opcode, tag);
  command->prp1 = command->prp2 = 0;
  command->cdw10 = command->cdw11 = command->cdw12 = 0;
  return command;
}

enum block_result nvme_flush(struct block_device *device, uint32_t tag) {
  struct nvme *nvme = nvme_of(device);
  if (!nvme->ready)
    return BLOCK_REFUSED;
  if (device->free == 0)
    return BLOCK_BUSY;
  nvme_queue_push(&nvme->io, take_cleared(nvme, NVME_FLUSH, tag));
  return BLOCK_TAKEN;
}

static enum block_result can_take(const struct nvme *nvme, uint64_t offset, uint64_t length, uint32_t longest) {
  if (!nvme->ready || length == 0 || length > longest || ((offset | length) & (nvme->block.block_size - 1)))
    return BLOCK_REFUSED;
  return nvme->block.free ? BLOCK_TAKEN : BLOCK_BUSY;
}

/* One range of 16 bytes, which stands where the slot's list would: attributes, blocks, first block (6.7, figure 360). */
enum block_result nvme_discard(struct block_device *device, uint64_t offset, uint64_t length, uint32_t tag) {
  struct nvme *nvme = nvme_of(device);
  enum block_result result = can_take(nvme, offset, length, device->longest_discard);
  if (result != BLOCK_TAKEN)
    return result;
  uint64_t *range = nvme->memory->list[nvme->free_slots[device->free - 1]];
  range[0] = (length >> nvme->block_shift) << 32;
  range[1] = offset >> nvme->block_shift;
  struct nvme_command *command = take_cleared(nvme, NVME_DATASET_MANAGEMENT, tag);
  command->prp1 = (uint64_t)(uintptr_t)range + nvme->bias;
  command->cdw11 = DATASET_DEALLOCATE;
  nvme_queue_push(&nvme->io, command);
  return BLOCK_TAKEN;
}

enum block_result nvme_zeroes(struct block_device *device, uint64_t offset, uint64_t length, bool unmap, uint32_t tag) {
  struct nvme *nvme = nvme_of(device);
  enum block_result result = can_take(nvme, offset, length, device->longest_zeroes);
  if (result != BLOCK_TAKEN)
    return result;
  uint64_t block = offset >> nvme->block_shift;
  struct nvme_command *command = take_cleared(nvme, NVME_WRITE_ZEROES, tag);
  command->cdw10 = (uint32_t)block;
  command->cdw11 = (uint32_t)(block >> 32);
  command->cdw12 = (uint32_t)(length >> nvme->block_shift) - 1;
  if (unmap && (device->features & BLOCK_ZEROES_UNMAP))
    command->cdw12 |= ZEROES_DEALLOCATE;
  nvme_queue_push(&nvme->io, command);
  return BLOCK_TAKEN;
}

void nvme_commit(struct block_device *device) {
  struct nvme *nvme = nvme_of(device);
  if (nvme->ready)
    nvme_queue_tell(&nvme->io);
}

static void free_slot(struct nvme *nvme, uint32_t slot) {
  nvme->state[slot] = SLOT_FREE;
  nvme->free_slots[nvme->block.free++] = (uint16_t)slot;
}

/* --- when the controller is slow, or was reset --- */

/* Abort (5.1), one at a time: the controller does what it can. Its answer interests nobody; the command itself is answered too,
   or the next step is a reset. */
void nvme_late(struct block_device *device, uint32_t tag) {
  struct nvme *nvme = nvme_of(device);
  for (uint32_t slot = 0; slot < device->depth && nvme->ready && !nvme->aborts; slot++) {
    if (nvme->state[slot] != SLOT_BUSY || nvme->tag[slot] != tag || nvme->aborted == slot + 1)
      continue;
    nvme_queue_push(&nvme->admin, &(struct nvme_command){.opcode = NVME_ADMIN_ABORT, .cdw10 = slot << 16 | 1});
    nvme_queue_tell(&nvme->admin);
    nvme->aborts = 1;
    nvme->aborted = slot + 1;
  }
}

static void take_abort(struct nvme *nvme) {
  struct nvme_completion completion;
  if (!nvme_queue_take(&nvme->admin, &completion))
    return;
  nvme_queue_taken(&nvme->admin);
  nvme->aborts = 0;
}

/* In the order of slots, which is none: all of them were under way at the same time. */
void nvme_issue_again(struct nvme *nvme) {
  for (uint32_t slot = 0; slot < NVME_IO_ENTRIES; slot++) {
    if (nvme->state[slot] != SLOT_AGAIN)
      continue;
    nvme->state[slot] = SLOT_BUSY;
    nvme_queue_push(&nvme->io, &nvme->command[slot]);
  }
  nvme_queue_tell(&nvme->io);
}

/* Commands that a reset took: the controller will never answer them. */
static uint32_t poll_lost(struct nvme *nvme, struct block_completion *completions, uint32_t limit) {
  uint32_t count = 0;
  for (uint32_t slot = 0; slot < NVME_IO_ENTRIES && count < limit; slot++) {
    if (nvme->state[slot] != SLOT_LOST)
      continue;
    completions[count++] = (struct block_completion){nvme->tag[slot], BLOCK_ERROR_RESET};
    nvme->lost--;
    free_slot(nvme, slot);
  }
  return count;
}

uint32_t nvme_poll(struct block_device *device, struct block_completion *completions, uint32_t limit) {
  struct nvme *nvme = nvme_of(device);
  if (nvme->lost)
    return poll_lost(nvme, completions, limit);
  if (!nvme->ready)
    return 0;
  if (nvme->aborts)
    take_abort(nvme);
  struct nvme_completion entry;
  uint32_t count = 0, taken = 0;
  while (count < limit && taken < nvme->io.size && nvme_queue_take(&nvme->io, &entry)) {
    taken++;
    uint32_t slot = COMPLETION_COMMAND(entry.status);
    if (slot >= device->depth || nvme->state[slot] != SLOT_BUSY)
      continue; /* an answer to nothing: a broken controller must not free a slot twice */
    completions[count++] = (struct block_completion){nvme->tag[slot], COMPLETION_ERROR(entry.status)};
    free_slot(nvme, slot);
  }
  if (taken)
    nvme_queue_taken(&nvme->io);
  return count;
}

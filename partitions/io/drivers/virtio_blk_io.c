/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands of a virtio disk (OASIS virtio 1.1, 5.2.6): slots, data descriptors,
 * answers. The hot path.
 */
#include "virtio_blk.h"

#include <stddef.h>

static struct virtio_blk *disk_of(struct block_device *device) {
  return (struct virtio_blk *)device;
}

static void free_slot(struct virtio_blk *disk, struct virtio_blk_slot *slot) {
  slot->state = SLOT_IDLE;
  slot->next = disk->free;
  disk->free = slot;
  disk->block.free++;
}

void virtio_blk_slots_reset(struct virtio_blk *disk) {
  disk->block.free = 0;
  disk->free = NULL;
  for (uint32_t i = disk->block.depth; i-- > 0;) {
    if (disk->slot[i].state == SLOT_IDLE)
      free_slot(disk, &disk->slot[i]);
  }
}

static enum block_result can_take(const struct virtio_blk *disk) {
  if (!disk->ready)
    return BLOCK_REFUSED;
  return disk->free ? BLOCK_TAKEN : BLOCK_BUSY;
}

/* Entry `entry` of the table is a buffer of data; the chain goes on with the one after it, or ends with the status. */
static inline void put_data(const struct virtio_blk *disk, const struct virtio_blk_slot *slot, uint32_t entry,
                            uint64_t address, uint32_t length, uint16_t flags, bool more) {
  uint32_t next = more ? entry + 1 : disk->last;
  slot->table[entry] = (struct virtio_descriptor){address, length, flags, (uint16_t)(slot->link + next)};
}

/* The header is followed by entry 1, or by the status at once. */
static inline void put_header(const struct virtio_blk *disk, const struct virtio_blk_slot *slot, bool more) {
  slot->table[0].next = (uint16_t)(slot->link + (more ? 1 : disk->last));
}

static inline void send(struct virtio_blk *disk, uint32_t type, uint64_t sector, uint32_t tag) {
  struct virtio_blk_slot *slot = disk->free;
  struct virtio_blk_command *command = slot->command;
  disk->free = slot->next;
  disk->block.free--;
  slot->tag = tag;
  slot->state = SLOT_UNDER_WAY;
  slot->heartbeat = type == REQUEST_GET_ID;
  command->header.type = type;
  command->header.sector = sector;
  command->status = REQUEST_UNANSWERED;
  virtio_queue_put(&disk->queue, slot->head);
}

/* --- reads and writes --- */

/* Takes from the front of a transfer what one command can hold, and returns its bytes. */
static uint32_t take_data(const struct virtio_blk *disk, const struct virtio_blk_slot *slot,
                          struct block_transfer *transfer, uint16_t flags) {
  uint32_t bytes = 0;
  for (uint32_t used = 1; transfer->count && used <= disk->segments && bytes < VIRTIO_BLK_LONGEST; used++) {
    struct block_segment *segment = transfer->segment;
    uint64_t physical = segment->physical;
    uint32_t length = segment->length < disk->segment_length ? segment->length : disk->segment_length;
    if (length > VIRTIO_BLK_LONGEST - bytes)
      length = VIRTIO_BLK_LONGEST - bytes;
    bytes += length;
    segment->physical += length;
    segment->length -= length;
    if (segment->length == 0) {
      transfer->segment++;
      transfer->count--;
    }
    bool more = transfer->count && used < disk->segments && bytes < VIRTIO_BLK_LONGEST;
    put_data(disk, slot, used, physical, length, flags, more);
  }
  return bytes;
}

_Static_assert(REQUEST_IN == (int)BLOCK_READ && REQUEST_OUT == (int)BLOCK_WRITE, "a direction is a request's type");

enum block_result virtio_blk_submit(struct block_device *device, struct block_transfer *transfer, uint32_t tag) {
  struct virtio_blk *disk = disk_of(device);
  struct virtio_blk_slot *slot = disk->free;
  enum block_direction direction = transfer->direction;
  if (!disk->takes[direction] || transfer->count == 0 || transfer->through)
    return BLOCK_REFUSED;
  if (!slot)
    return BLOCK_BUSY;
  uint16_t flags = direction == BLOCK_WRITE ? VIRTIO_DESC_NEXT : VIRTIO_DESC_NEXT | VIRTIO_DESC_WRITE;
  uint64_t offset = transfer->offset;
  uint32_t bytes = transfer->segment->length;
  put_header(disk, slot, true);
  if (transfer->count == 1 && bytes <= disk->segment_length) {
    put_data(disk, slot, 1, transfer->segment->physical, bytes, flags, false);
    transfer->count = 0;
  } else {
    bytes = take_data(disk, slot, transfer, flags);
  }
  if ((offset | bytes) & (device->block_size - 1)) /* its blocks may be larger than the layout says */
    return BLOCK_REFUSED;
  send(disk, direction, offset >> VIRTIO_SECTOR_SHIFT, tag);
  transfer->offset = offset + bytes;
  return BLOCK_TAKEN;
}

/* --- flush, discard, write zeroes --- */

/* A device without a cache has no flush either: another command's answer then ends it. */
enum block_result virtio_blk_flush(struct block_device *device, uint32_t tag) {
  struct virtio_blk *disk = disk_of(device);
  enum block_result result = can_take(disk);
  if (result != BLOCK_TAKEN)
    return result;
  bool cache = device->features & BLOCK_CACHE;
  uint64_t identity = (uint64_t)(uintptr_t)disk->memory->identity + disk->bias;
  put_header(disk, disk->free, !cache);
  if (!cache)
    put_data(disk, disk->free, 1, identity, VIRTIO_BLK_IDENTITY, VIRTIO_DESC_NEXT | VIRTIO_DESC_WRITE, false);
  send(disk, cache ? REQUEST_FLUSH : REQUEST_GET_ID, 0, tag);
  return BLOCK_TAKEN;
}

static enum block_result send_range(struct virtio_blk *disk, uint32_t type, struct virtio_blk_range range,
                                    uint32_t tag) {
  enum block_result result = can_take(disk);
  if (result != BLOCK_TAKEN)
    return result;
  struct virtio_blk_range *place = &disk->free->command->range;
  *place = range;
  put_header(disk, disk->free, true);
  put_data(disk, disk->free, 1, (uint64_t)(uintptr_t)place + disk->bias, sizeof *place, VIRTIO_DESC_NEXT, false);
  send(disk, type, 0, tag);
  return BLOCK_TAKEN;
}

static bool whole_blocks(const struct block_device *device, uint64_t offset, uint64_t length, uint32_t longest) {
  return length != 0 && length <= longest && ((offset | length) & (device->block_size - 1)) == 0;
}

enum block_result virtio_blk_discard(struct block_device *device, uint64_t offset, uint64_t length, uint32_t tag) {
  if (!whole_blocks(device, offset, length, device->longest_discard))
    return BLOCK_REFUSED;
  struct virtio_blk_range range = {offset >> VIRTIO_SECTOR_SHIFT, (uint32_t)(length >> VIRTIO_SECTOR_SHIFT), 0};
  return send_range(disk_of(device), REQUEST_DISCARD, range, tag);
}

enum block_result virtio_blk_zeroes(struct block_device *device, uint64_t offset, uint64_t length, bool unmap,
                                    uint32_t tag) {
  if (!whole_blocks(device, offset, length, device->longest_zeroes))
    return BLOCK_REFUSED;
  bool may = unmap && (device->features & BLOCK_ZEROES_UNMAP);
  struct virtio_blk_range range = {offset >> VIRTIO_SECTOR_SHIFT, (uint32_t)(length >> VIRTIO_SECTOR_SHIFT),
                                   may ? RANGE_UNMAP : 0};
  return send_range(disk_of(device), REQUEST_WRITE_ZEROES, range, tag);
}

void virtio_blk_commit(struct block_device *device) {
  struct virtio_blk *disk = disk_of(device);
  if (disk->ready)
    virtio_queue_tell(&disk->queue);
}

/* --- answers --- */

/* Commands that a reset took: the device will never answer them. A new life may have fewer slots than theirs. */
static uint32_t poll_lost(struct virtio_blk *disk, struct block_completion *completions, uint32_t limit) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < VIRTIO_BLK_SLOTS && count < limit; i++) {
    struct virtio_blk_slot *slot = &disk->slot[i];
    if (slot->state != SLOT_TAKEN_BY_RESET)
      continue;
    completions[count++] = (struct block_completion){slot->tag, BLOCK_ERROR_RESET};
    disk->lost--;
    if (i < disk->block.depth)
      free_slot(disk, slot);
    else
      slot->state = SLOT_IDLE;
  }
  return count;
}

static inline uint32_t error_of(const struct virtio_blk_slot *slot) {
  uint8_t status = *(const volatile uint8_t *)&slot->command->status;
  return slot->heartbeat ? REQUEST_OK : status;
}

uint32_t virtio_blk_poll(struct block_device *device, struct block_completion *completions, uint32_t limit) {
  struct virtio_blk *disk = disk_of(device);
  struct virtio_answer answer;
  uint32_t count = 0;
  if (disk->lost)
    return poll_lost(disk, completions, limit);
  if (!disk->ready || disk->nonsense)
    return 0;
  while (count < limit && virtio_queue_next(&disk->queue, &answer)) {
    struct virtio_blk_slot *slot = &disk->slot[answer.slot];
    if (answer.slot >= device->depth || slot->state != SLOT_UNDER_WAY) {
      disk->nonsense = true; /* an answer to nothing: a broken device must not free a slot twice, and gets a reset */
      break;
    }
    completions[count++] = (struct block_completion){slot->tag, error_of(slot)};
    free_slot(disk, slot);
  }
  return count;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands of a virtio disk (OASIS virtio 1.1, 5.2.6): slots, data descriptors,
 * answers. The hot path.
 */
#include "virtio_blk.h"

static struct virtio_blk *disk_of(struct block_device *device) {
  return (struct virtio_blk *)device;
}

void virtio_blk_slots_reset(struct virtio_blk *disk) {
  disk->block.free = 0;
  for (uint32_t slot = disk->block.depth; slot-- > 0;) {
    if (disk->slot[slot].state == SLOT_IDLE)
      disk->free_slots[disk->block.free++] = (uint16_t)slot;
  }
}

static enum block_result can_take(const struct virtio_blk *disk) {
  if (!disk->ready)
    return BLOCK_REFUSED;
  return disk->block.free ? BLOCK_TAKEN : BLOCK_BUSY;
}

static uint32_t next_slot(const struct virtio_blk *disk) {
  return disk->free_slots[disk->block.free - 1];
}

/* The last of a table's descriptors is the status: after `used` others, the chain goes on there. */
static void end_data(struct virtio_blk *disk, uint32_t slot, uint32_t used) {
  struct virtio_descriptor *table = virtio_queue_table(&disk->queue, slot);
  table[used - 1].next = virtio_queue_link(&disk->queue, slot, disk->queue.table_entries - 1);
}

static void send(struct virtio_blk *disk, uint32_t type, uint64_t sector, uint32_t tag) {
  uint32_t slot = next_slot(disk);
  struct virtio_blk_command *command = &disk->memory->command[slot];
  command->header.type = type;
  command->header.sector = sector;
  command->status = REQUEST_UNANSWERED;
  disk->slot[slot] = (struct virtio_blk_slot){tag, SLOT_UNDER_WAY, type == REQUEST_GET_ID};
  disk->block.free--;
  virtio_queue_put(&disk->queue, slot);
}

/* --- reads and writes --- */

/* Takes from the front of a transfer what one command can hold, and returns its bytes. */
static uint32_t take_data(struct virtio_blk *disk, struct block_transfer *transfer, uint32_t slot) {
  struct virtio_descriptor *table = virtio_queue_table(&disk->queue, slot);
  uint16_t flags = VIRTIO_DESC_NEXT | (transfer->direction == BLOCK_WRITE ? 0 : VIRTIO_DESC_WRITE);
  uint32_t bytes = 0, used = 1, end = 1 + disk->segments;
  while (transfer->count && used < end && bytes < disk->block.longest) {
    struct block_segment *segment = transfer->segment;
    uint32_t length = segment->length;
    if (length > disk->segment_length)
      length = disk->segment_length;
    if (length > disk->block.longest - bytes)
      length = disk->block.longest - bytes;
    uint16_t link = virtio_queue_link(&disk->queue, slot, used + 1);
    table[used++] = (struct virtio_descriptor){segment->physical, length, flags, link};
    bytes += length;
    segment->physical += length;
    segment->length -= length;
    if (segment->length == 0) {
      transfer->segment++;
      transfer->count--;
    }
  }
  end_data(disk, slot, used);
  return bytes;
}

enum block_result virtio_blk_submit(struct block_device *device, struct block_transfer *transfer, uint32_t tag) {
  struct virtio_blk *disk = disk_of(device);
  bool write = transfer->direction == BLOCK_WRITE;
  if (transfer->count == 0 || transfer->through || (write && disk->read_only))
    return BLOCK_REFUSED;
  enum block_result result = can_take(disk);
  if (result != BLOCK_TAKEN)
    return result;
  uint64_t offset = transfer->offset;
  uint32_t bytes = take_data(disk, transfer, next_slot(disk));
  if ((offset | bytes) & (device->block_size - 1)) /* its blocks may be larger than the layout says */
    return BLOCK_REFUSED;
  send(disk, write ? REQUEST_OUT : REQUEST_IN, offset >> VIRTIO_SECTOR_SHIFT, tag);
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
  uint32_t slot = next_slot(disk), used = 1;
  bool cache = device->features & BLOCK_CACHE;
  if (!cache)
    virtio_queue_table(&disk->queue, slot)[used++] = (struct virtio_descriptor){
        .address = (uint64_t)(uintptr_t)disk->memory->identity + disk->bias,
        .length = VIRTIO_BLK_IDENTITY,
        .flags = VIRTIO_DESC_NEXT | VIRTIO_DESC_WRITE,
    };
  end_data(disk, slot, used);
  send(disk, cache ? REQUEST_FLUSH : REQUEST_GET_ID, 0, tag);
  return BLOCK_TAKEN;
}

static enum block_result send_range(struct virtio_blk *disk, uint32_t type, struct virtio_blk_range range,
                                    uint32_t tag) {
  enum block_result result = can_take(disk);
  if (result != BLOCK_TAKEN)
    return result;
  uint32_t slot = next_slot(disk);
  struct virtio_blk_range *place = &disk->memory->command[slot].range;
  *place = range;
  virtio_queue_table(&disk->queue, slot)[1] = (struct virtio_descriptor){
      .address = (uint64_t)(uintptr_t)place + disk->bias, .length = sizeof *place, .flags = VIRTIO_DESC_NEXT};
  end_data(disk, slot, 2);
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

static void free_slot(struct virtio_blk *disk, uint32_t slot) {
  disk->slot[slot].state = SLOT_IDLE;
  disk->free_slots[disk->block.free++] = (uint16_t)slot;
}

/* Commands that a reset took: the device will never answer them. A new life may have fewer slots than theirs. */
static uint32_t poll_lost(struct virtio_blk *disk, struct block_completion *completions, uint32_t limit) {
  uint32_t count = 0;
  for (uint32_t slot = 0; slot < VIRTIO_BLK_SLOTS && count < limit; slot++) {
    if (disk->slot[slot].state != SLOT_TAKEN_BY_RESET)
      continue;
    completions[count++] = (struct block_completion){disk->slot[slot].tag, BLOCK_ERROR_RESET};
    disk->lost--;
    if (slot < disk->block.depth)
      free_slot(disk, slot);
    else
      disk->slot[slot].state = SLOT_IDLE;
  }
  return count;
}

static uint32_t error_of(struct virtio_blk *disk, uint32_t slot) {
  uint8_t status = *(const volatile uint8_t *)&disk->memory->command[slot].status;
  return disk->slot[slot].heartbeat ? REQUEST_OK : status;
}

/* An answer to nothing: a broken device must not free a slot twice, and gets a reset. */
static bool expected(struct virtio_blk *disk, uint32_t slot) {
  if (slot < disk->block.depth && disk->slot[slot].state == SLOT_UNDER_WAY)
    return true;
  disk->nonsense = true;
  return false;
}

uint32_t virtio_blk_poll(struct block_device *device, struct block_completion *completions, uint32_t limit) {
  struct virtio_blk *disk = disk_of(device);
  if (disk->lost)
    return poll_lost(disk, completions, limit);
  if (!disk->ready)
    return 0;
  uint32_t count = 0, taken = 0;
  struct virtio_answer answer;
  while (count < limit && taken <= disk->queue.size) { /* no honest device answers more than it was given */
    if (!virtio_queue_take(&disk->queue, &answer)) {
      if (virtio_queue_listen(&disk->queue))
        continue;
      break;
    }
    taken++;
    if (!expected(disk, answer.slot))
      continue;
    completions[count++] = (struct block_completion){disk->slot[answer.slot].tag, error_of(disk, answer.slot)};
    free_slot(disk, answer.slot);
  }
  return count;
}

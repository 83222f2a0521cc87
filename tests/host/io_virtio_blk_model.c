/* SPDX-License-Identifier: Apache-2.0 */
#include "io_virtio_blk_model.h"
#include "drivers/virtio_blk.h"
#include "runtime_check.h"

struct disk_model disk_model;

static uint8_t disk[DISK_SIZE];

/* virtio 1.1, 5.2.4 */
static void set(uint32_t offset, const void *value, size_t bytes) {
  memcpy(&model.configuration[offset], value, bytes);
}

static void set32(uint32_t offset, uint32_t value) {
  set(offset, &value, sizeof value);
}

void disk_power(uint64_t features, uint16_t queue_size, uint32_t block_size, uint32_t segment_length,
                uint32_t segments) {
  uint64_t capacity = DISK_SIZE / 512;
  model_power(features | VIRTIO_F_VERSION_1, queue_size);
  model.queues = 1;
  disk_model = (struct disk_model){
      .block_size = block_size, .segment_length = segment_length, .segments = segments, .disk = disk};
  set(0, &capacity, sizeof capacity);
  set32(8, segment_length);
  set32(12, segments);
  set32(20, block_size);
  set32(36, 128); /* discard: sectors, */
  set32(40, 1);   /* segments, */
  set32(44, 8);   /* alignment */
  set32(48, 64);
  set32(52, 1);
  set32(56, 1);
}

static uint8_t move(const struct model_chain *chain, bool write, uint64_t sector) {
  uint64_t offset = sector * 512;
  CHECK(chain->count - 2 <= disk_model.segments);
  for (uint32_t i = 1; i < chain->count - 1; i++) {
    const struct model_part *part = &chain->part[i];
    CHECK(part->writable != write && part->length <= disk_model.segment_length);
    CHECK(offset <= DISK_SIZE && part->length <= DISK_SIZE - offset);
    if (write)
      memcpy(&disk[offset], part->place, part->length);
    else
      memcpy(part->place, &disk[offset], part->length);
    offset += part->length;
  }
  CHECK(chain->count > 2 && offset % disk_model.block_size == 0 && sector * 512 % disk_model.block_size == 0);
  return 0;
}

static uint8_t change(const struct model_chain *chain, bool zeroes) {
  struct virtio_blk_range range;
  CHECK(chain->count == 3 && chain->part[1].length == sizeof range && !chain->part[1].writable);
  memcpy(&range, chain->part[1].place, sizeof range);
  CHECK(range.sector * 512 + range.sectors * 512ull <= DISK_SIZE && (range.flags & ~RANGE_UNMAP) == 0);
  CHECK(range.sectors && range.sectors <= (zeroes ? 64 : 128) && (zeroes || range.flags == 0));
  disk_model.unmapped = range.flags & RANGE_UNMAP;
  memset(&disk[range.sector * 512], zeroes ? 0 : DISK_PATTERN, range.sectors * 512);
  return 0;
}

static uint8_t carry_out(const struct model_chain *chain) {
  struct virtio_blk_header header;
  CHECK(chain->count >= 2 && chain->part[0].length == sizeof header && !chain->part[0].writable);
  memcpy(&header, chain->part[0].place, sizeof header);
  CHECK(header.reserved == 0);
  switch (header.type) {
  case REQUEST_IN:
    return move(chain, false, header.sector);
  case REQUEST_OUT:
    CHECK(!(model.offered & F_RO));
    return move(chain, true, header.sector);
  case REQUEST_FLUSH:
    CHECK((model.accepted & F_FLUSH) && header.sector == 0 && chain->count == 2);
    disk_model.flushes++;
    return 0;
  case REQUEST_GET_ID:
    CHECK(chain->count == 3 && chain->part[1].length == VIRTIO_BLK_IDENTITY && chain->part[1].writable);
    memset(chain->part[1].place, 'v', VIRTIO_BLK_IDENTITY);
    disk_model.identities++;
    return 2; /* VIRTIO_BLK_S_UNSUPP: a device need not know it */
  default:
    CHECK(header.type == REQUEST_DISCARD || header.type == REQUEST_WRITE_ZEROES);
    CHECK(model.accepted & (header.type == REQUEST_DISCARD ? F_DISCARD : F_WRITE_ZEROES));
    return change(chain, header.type == REQUEST_WRITE_ZEROES);
  }
}

static void serve(const struct model_chain *chain) {
  const struct model_part *status = &chain->part[chain->count - 1];
  CHECK(status->writable && status->length == 1);
  disk_model.commands++;
  uint8_t word = 1; /* VIRTIO_BLK_S_IOERR */
  if (disk_model.fail_in == 0 || --disk_model.fail_in != 0)
    word = carry_out(chain);
  if (!disk_model.no_status)
    *status->place = word;
  model_answer(0, chain->head, 1);
}

uint32_t disk_work(uint32_t limit) {
  struct model_chain chain;
  uint32_t done = 0;
  for (; done < limit && model_take(0, &chain); done++)
    serve(&chain);
  return done;
}

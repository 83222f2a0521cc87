/* SPDX-License-Identifier: Apache-2.0
 *
 * The NVMe driver against a model of the controller: PRP lists and SGLs of every
 * shape, completions out of order, what it can do beyond reading and writing.
 */
#include "io_nvme_kit.h"

#define SLICE (64u << 10) /* of disk and memory that one tag has for itself */

static uint8_t expected[PAGES * PAGE];

/* Submits all pieces of a transfer; returns how many there are. */
static uint32_t submit_all(struct block_transfer *transfer, uint32_t tag) {
  uint32_t pieces = 0;
  for (; transfer->count; pieces++)
    CHECK(device->driver->submit(device, transfer, tag) == BLOCK_TAKEN);
  return pieces;
}

/* Segments of a random shape that make up `blocks` blocks of the slice at `place`, in order. */
static uint32_t random_segments(struct block_segment *segment, uint8_t *place, uint32_t blocks) {
  uint32_t count = 0;
  while (blocks) {
    uint32_t part = count == 15 ? blocks : 1 + random_below(blocks);
    segment[count++] = (struct block_segment){device_address(place), part * device->block_size};
    place += (size_t)part * device->block_size;
    blocks -= part;
  }
  return count;
}

struct job {
  uint8_t *place;
  uint64_t offset;
  uint32_t bytes;
};

static uint8_t *source_of(const struct job *job, enum block_direction direction) {
  return direction == BLOCK_WRITE ? job->place : &model.disk[job->offset];
}

static uint8_t *target_of(const struct job *job, enum block_direction direction) {
  return direction == BLOCK_WRITE ? &model.disk[job->offset] : job->place;
}

static uint32_t begin(struct job *job, uint32_t tag, enum block_direction direction) {
  struct block_segment segment[16];
  uint32_t blocks = 1 + random_below(SLICE / 2 / device->block_size - 1);
  *job = (struct job){&buffers[tag * SLICE + 4 * random_below(512)], tag * SLICE, blocks * device->block_size};
  for (uint32_t i = 0; i < job->bytes; i++)
    source_of(job, direction)[i] = expected[tag * SLICE + i] = (uint8_t)random_next();
  memset(target_of(job, direction), 0, job->bytes);
  struct block_transfer transfer = {job->offset, segment, random_segments(segment, job->place, blocks), direction,
                                    false};
  uint32_t pieces = submit_all(&transfer, tag);
  CHECK(transfer.offset == job->offset + job->bytes);
  return pieces;
}

/* Several transfers at once, each in its own slice; memory and disk are compared with what they should hold. */
static void round_of_transfers(enum block_direction direction) {
  struct job job[2];
  uint32_t pieces = 0, failed = 0;
  for (uint32_t tag = 0; tag < 2; tag++)
    pieces += begin(&job[tag], tag, direction);
  CHECK(device->depth - device->free == pieces);
  finish_all(pieces, &failed);
  CHECK(failed == 0 && device->free == device->depth);
  for (uint32_t tag = 0; tag < 2; tag++)
    CHECK(memcmp(target_of(&job[tag], direction), &expected[tag * SLICE], job[tag].bytes) == 0);
}

static void transfers(uint32_t block_shift, uint32_t mdts, uint32_t entries, uint32_t sgls) {
  model_power(block_shift, mdts, entries);
  model.sgls = sgls;
  open_device();
  CHECK(device->block_size == 1u << block_shift && device->size == model.disk_size);
  CHECK(device->depth == (entries < NVME_IO_ENTRIES ? entries : NVME_IO_ENTRIES) - 1);
  for (uint32_t i = 0; i < 2000; i++)
    round_of_transfers(i % 2 ? BLOCK_READ : BLOCK_WRITE);
}

/* One contiguous piece of every length and alignment up to the longest: the list's every length. */
static void lengths(void) {
  model_power(9, 0, 1024);
  open_device();
  for (uint32_t blocks = 1; blocks <= NVME_LONGEST / 512 + 9; blocks += 1 + random_below(9)) {
    uint32_t failed = 0;
    uint8_t *place = &buffers[4 * random_below(1024)];
    struct block_segment segment = {device_address(place), blocks * 512};
    struct block_transfer transfer = {512, &segment, 1, BLOCK_READ, false};
    for (uint32_t i = 0; i < blocks * 512; i++)
      model.disk[512 + i] = (uint8_t)random_next();
    uint32_t pieces = submit_all(&transfer, 0);
    CHECK(pieces == (blocks * 512 + NVME_LONGEST - 1) / NVME_LONGEST);
    finish_all(pieces, &failed);
    CHECK(failed == 0 && memcmp(place, &model.disk[512], blocks * 512) == 0);
  }
}

/* The second segment begins inside a page where the first ended at one: PRP entries cannot say that in one command. */
static void scattered(void) {
  model_power(9, 7, 64);
  open_device();
  uint32_t failed = 0;
  uint8_t *first = &buffers[PAGE - 512], *second = &buffers[4 * PAGE + 1024];
  struct block_segment segment[] = {{device_address(first), 512}, {device_address(second), 1024}};
  struct block_transfer transfer = {0, segment, 2, BLOCK_READ, false};
  for (uint32_t i = 0; i < 1536; i++)
    model.disk[i] = (uint8_t)random_next();
  uint32_t pieces = submit_all(&transfer, 0);
  CHECK(pieces == 2);
  finish_all(pieces, &failed);
  CHECK(!failed && memcmp(first, model.disk, 512) == 0 && memcmp(second, &model.disk[512], 1024) == 0);
}

/* A full queue says so, one doorbell tells of all commands, and every tag comes back once. */
static void full_queue(void) {
  bool seen[NVME_IO_ENTRIES] = {false};
  struct block_completion completion[NVME_IO_ENTRIES];
  model_power(9, 7, 1024);
  open_device();
  for (uint32_t i = 0; i < device->depth; i++)
    CHECK(read_block(i) == BLOCK_TAKEN);
  CHECK(read_block(0) == BLOCK_BUSY && device->driver->flush(device, 0) == BLOCK_BUSY);
  uint32_t before = model.doorbells;
  device->driver->commit(device);
  device->driver->commit(device);
  CHECK(model.doorbells == before + 1);
  model_work(NVME_IO_ENTRIES);
  CHECK(device->driver->poll(device, completion, NVME_IO_ENTRIES) == device->depth);
  for (uint32_t i = 0; i < device->depth; i++) {
    CHECK(!seen[completion[i].tag] && completion[i].error == 0);
    seen[completion[i].tag] = true;
  }
  CHECK(model.doorbells == before + 2 && device->free == device->depth);
}

static void finish_one(void) {
  uint32_t failed = 0;
  CHECK(finish_all(1, &failed) == 1 && failed == 0);
}

static bool all_are(uint64_t offset, uint32_t bytes, uint8_t value) {
  for (uint32_t i = 0; i < bytes; i++) {
    if (model.disk[offset + i] != value)
      return false;
  }
  return true;
}

/* Ranges reach to their last block and no further. */
static void ranges(uint32_t block_shift) {
  const struct block_driver *driver = device->driver;
  uint32_t size = 1u << block_shift;
  model_power(block_shift, 7, 64);
  open_device();
  CHECK(device->features == (BLOCK_FUA | BLOCK_CACHE | BLOCK_DISCARD | BLOCK_ZEROES | BLOCK_ZEROES_UNMAP));
  CHECK(device->discard_alignment == 8 * size && device->longest_zeroes == 65536 * size);
  memset(model.disk, 0x11, model.disk_size);
  CHECK(driver->discard(device, size, 3 * size, 1) == BLOCK_TAKEN);
  finish_one();
  CHECK(all_are(0, size, 0x11) && all_are(size, 3 * size, 0xdd) && all_are(4 * size, size, 0x11));
  for (uint32_t unmap = 0; unmap < 2; unmap++) {
    CHECK(driver->zeroes(device, 8 * size, 2 * size, unmap, 1) == BLOCK_TAKEN);
    finish_one();
    CHECK(model.deallocated == unmap);
    CHECK(all_are(7 * size, size, 0x11) && all_are(8 * size, 2 * size, 0) && all_are(10 * size, size, 0x11));
  }
  CHECK(driver->zeroes(device, 0, size / 2, false, 1) == BLOCK_REFUSED);
  CHECK(driver->zeroes(device, size / 2, size, false, 1) == BLOCK_REFUSED);
  CHECK(driver->zeroes(device, 0, (uint64_t)65537 * size, false, 1) == BLOCK_REFUSED);
  CHECK(driver->discard(device, 0, 0, 1) == BLOCK_REFUSED);
  while (driver->discard(device, 0, size, 1) == BLOCK_TAKEN)
    ;
  CHECK(device->free == 0 && driver->zeroes(device, 0, size, false, 1) == BLOCK_BUSY);
}

static void through(void) {
  model_power(9, 7, 64);
  open_device();
  for (uint32_t i = 0; i < 2; i++) {
    struct block_segment segment = {device_address(buffers), 512};
    struct block_transfer transfer = {0, &segment, 1, BLOCK_WRITE, i};
    CHECK(device->driver->submit(device, &transfer, 0) == BLOCK_TAKEN);
    finish_one();
    CHECK(model.through == i);
  }
}

static void without_options(void) {
  model_power(9, 7, 64);
  model.plain = true;
  open_device();
  CHECK(device->features == BLOCK_FUA);
  CHECK(device->driver->discard(device, 0, 512, 1) == BLOCK_REFUSED);
  CHECK(device->driver->zeroes(device, 0, 512, false, 1) == BLOCK_REFUSED);
}

/* Half a block would become a count of 65,536. */
static bool refused(uint64_t offset, uint32_t first, uint32_t second) {
  struct block_segment segment[] = {{device_address(buffers), first}, {device_address(&buffers[PAGE]), second}};
  struct block_transfer transfer = {offset, segment, second ? 2 : 1, BLOCK_READ, false};
  return device->driver->submit(device, &transfer, 0) == BLOCK_REFUSED;
}

static void larger_blocks(void) {
  model_power(12, 0, 64);
  open_device();
  CHECK(refused(0, 512, 0) && refused(512, 4096, 0) && refused(0, 4096, 512));
  CHECK(device->free == device->depth && !refused(4096, 4096, 0));
  device->driver->commit(device);
  model_work(9);
  CHECK(model.commands == 1);
}

/* With SGLs pieces of any alignment go into one command, as long as the controller lets one be. */
static void many_pieces(void) {
  struct block_segment segment[NVME_SGL_ENTRIES + 1];
  uint32_t failed = 0;
  model_power(9, 0, 64);
  model.sgls = 1;
  open_device();
  CHECK(device->longest == NVME_SGL_LONGEST);
  for (uint32_t i = 0; i <= NVME_SGL_ENTRIES; i++)
    segment[i] = (struct block_segment){device_address(&buffers[4 + 1536 * i]), 512};
  struct block_transfer transfer = {0, segment, NVME_SGL_ENTRIES + 1, BLOCK_WRITE, false};
  for (uint32_t i = 0; i < sizeof buffers; i++)
    buffers[i] = (uint8_t)random_next();
  CHECK(submit_all(&transfer, 0) == 2);
  finish_all(2, &failed);
  CHECK(!failed && model.listed == 1);
  for (uint32_t i = 0; i <= NVME_SGL_ENTRIES; i++)
    CHECK(memcmp(&model.disk[512 * i], &buffers[4 + 1536 * i], 512) == 0);
  struct block_segment odd[] = {{device_address(buffers), 512}, {device_address(&buffers[1026]), 512}};
  struct block_transfer refused = {0, odd, 2, BLOCK_READ, false};
  CHECK(device->driver->submit(device, &refused, 0) == BLOCK_REFUSED);
  struct block_segment nothing = {device_address(buffers), 0};
  struct block_transfer empty = {0, &nothing, 1, BLOCK_READ, false};
  CHECK(device->driver->submit(device, &empty, 0) == BLOCK_REFUSED);
}

int main(void) {
  transfers(9, 7, 1024, 0);
  transfers(9, 2, 33, 0);
  transfers(12, 0, 128, 0);
  transfers(9, 7, 1024, 1);
  transfers(12, 1, 33, 2);
  lengths();
  scattered();
  many_pieces();
  full_queue();
  larger_blocks();
  ranges(9);
  ranges(12);
  through();
  without_options();
  puts("ok");
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The virtio disk driver against a model of the device: features and limits of
 * every kind, answers out of order, doorbells and interrupts saved and never
 * missed, errors.
 */
#include "io_virtio_blk_kit.h"

#define SLICE (64u << 10) /* of disk and memory that one tag has for itself */

static uint8_t expected[PAGES * PAGE];
static uint32_t interrupts_seen;

/* As the server polls: after an interrupt, and again only when it got all that it asked for. What the device answered without
   an interrupt stays until one comes, so one that the driver failed to ask for shows as a wait without end. */
static uint32_t poll_as_server(struct block_completion *completions, uint32_t limit, bool *again) {
  if (!*again && model.interrupts == interrupts_seen)
    return 0;
  interrupts_seen = model.interrupts;
  uint32_t count = device->driver->poll(device, completions, limit);
  *again = count == limit;
  return count;
}

static uint32_t finish_all(uint32_t pieces) {
  struct block_completion completion[8];
  uint32_t done = 0, failed = 0;
  bool again = false;
  device->driver->commit(device);
  for (uint32_t rounds = 0; done < pieces; rounds++) {
    CHECK(rounds < 10000);
    disk_work(1 + random_below(5));
    uint32_t count = poll_as_server(completion, 1 + random_below(8), &again);
    for (uint32_t i = 0; i < count; i++)
      failed += completion[i].error != 0;
    done += count;
  }
  while (again)
    CHECK(poll_as_server(completion, 8, &again) == 0);
  return failed;
}

/* Submits all pieces of a transfer; returns how many there are. Where the device is full, it works first. */
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
  return direction == BLOCK_WRITE ? job->place : &disk_model.disk[job->offset];
}

static uint8_t *target_of(const struct job *job, enum block_direction direction) {
  return direction == BLOCK_WRITE ? &disk_model.disk[job->offset] : job->place;
}

static uint32_t begin(struct job *job, uint32_t tag, uint32_t blocks, enum block_direction direction) {
  struct block_segment segment[16];
  *job = (struct job){&buffers[tag * SLICE + random_below(512)], tag * SLICE, blocks * device->block_size};
  for (uint32_t i = 0; i < job->bytes; i++)
    source_of(job, direction)[i] = expected[tag * SLICE + i] = (uint8_t)random_next();
  memset(target_of(job, direction), 0, job->bytes);
  struct block_transfer transfer = {job->offset, segment, random_segments(segment, job->place, blocks), direction,
                                    false};
  uint32_t pieces = submit_all(&transfer, tag);
  CHECK(transfer.offset == job->offset + job->bytes);
  return pieces;
}

/* Two transfers at once, each in its own slice; memory and disk are compared with what they should hold. */
static void round_of_transfers(enum block_direction direction, uint32_t most) {
  struct job job[2];
  uint32_t pieces = 0;
  for (uint32_t tag = 0; tag < 2; tag++)
    pieces += begin(&job[tag], tag, 1 + random_below(most), direction);
  CHECK(device->depth - device->free == pieces);
  CHECK(finish_all(pieces) == 0 && device->free == device->depth);
  for (uint32_t tag = 0; tag < 2; tag++)
    CHECK(memcmp(target_of(&job[tag], direction), &expected[tag * SLICE], job[tag].bytes) == 0);
}

/* `most`: blocks of a transfer, so that two always fit the queue. */
static void transfers(uint64_t features, uint16_t queue_size, uint32_t block_size, uint32_t most, uint32_t segments) {
  disk_power(features, queue_size, block_size, 8192, segments);
  open_device();
  interrupts_seen = 0;
  CHECK(device->block_size == block_size && device->size == DISK_SIZE);
  for (uint32_t i = 0; i < 2000; i++)
    round_of_transfers(i % 2 ? BLOCK_READ : BLOCK_WRITE, most);
}

/* A full queue says so, one doorbell tells of all commands, one interrupt of all answers, and every tag comes back once. */
static void full_queue(uint64_t features, uint16_t queue_size, uint32_t depth) {
  bool seen[VIRTIO_BLK_SLOTS] = {false};
  struct block_completion completion[VIRTIO_BLK_SLOTS + 1];
  disk_power(features | F_ALL, queue_size, 512, 8192, 5);
  open_device();
  CHECK(device->depth == depth);
  for (uint32_t i = 0; i < depth; i++)
    CHECK(read_block(i) == BLOCK_TAKEN);
  CHECK(read_block(0) == BLOCK_BUSY && device->driver->flush(device, 0) == BLOCK_BUSY);
  CHECK(device->driver->discard(device, 0, 512, 0) == BLOCK_BUSY);
  device->driver->commit(device);
  device->driver->commit(device);
  CHECK(model.doorbells == 1);
  CHECK(disk_work(VIRTIO_BLK_SLOTS) == depth);
  CHECK(device->driver->poll(device, completion, VIRTIO_BLK_SLOTS + 1) == depth);
  for (uint32_t i = 0; i < depth; i++) {
    CHECK(!seen[completion[i].tag] && completion[i].error == 0);
    seen[completion[i].tag] = true;
  }
  CHECK(device->free == depth && model.interrupts == (features & VIRTIO_F_RING_EVENT_IDX ? 1 : depth));
  uint32_t before = model.interrupts;
  CHECK(read_block(7) == BLOCK_TAKEN && only_answer(7) == 0 && model.interrupts == before + 1);
}

/* While the device is at work it needs no doorbell for what is added, and has none. */
static void doorbells(void) {
  struct block_completion completion;
  disk_power(RINGS, 256, 512, 8192, 5);
  open_device();
  CHECK(read_block(0) == BLOCK_TAKEN && read_block(1) == BLOCK_TAKEN);
  device->driver->commit(device);
  CHECK(model.doorbells == 1 && disk_work(1) == 1);
  CHECK(read_block(2) == BLOCK_TAKEN);
  device->driver->commit(device);
  CHECK(model.doorbells == 1 && disk_work(9) == 2 && disk_work(9) == 0);
  for (uint32_t i = 0; i < 3; i++)
    CHECK(device->driver->poll(device, &completion, 1) == 1);
  CHECK(read_block(3) == BLOCK_TAKEN);
  device->driver->commit(device);
  CHECK(model.doorbells == 2);
}

static void errors(void) {
  disk_power(RINGS | F_ALL, 256, 512, 8192, 5);
  open_device();
  disk_model.fail_in = 1;
  CHECK(read_block(9) == BLOCK_TAKEN && only_answer(9) == 1);
  disk_model.no_status = true;
  CHECK(read_block(10) == BLOCK_TAKEN && only_answer(10) == REQUEST_UNANSWERED);
  disk_model.no_status = false;
  struct block_segment segment = {device_address(buffers), 512};
  struct block_transfer through = {0, &segment, 1, BLOCK_WRITE, true};
  CHECK(device->driver->submit(device, &through, 1) == BLOCK_REFUSED); /* there is no such write in virtio */
  CHECK(read_block(11) == BLOCK_TAKEN && only_answer(11) == 0 && device->free == device->depth);
}

static void flushes(void) {
  disk_power(RINGS | F_ALL, 256, 512, 8192, 5);
  open_device();
  CHECK((device->features & BLOCK_CACHE) && device->driver->flush(device, 3) == BLOCK_TAKEN);
  CHECK(only_answer(3) == 0 && disk_model.flushes == 1);
  disk_power(RINGS, 256, 512, 8192, 5);
  open_device();
  CHECK(!(device->features & BLOCK_CACHE) && device->driver->flush(device, 4) == BLOCK_TAKEN);
  CHECK(only_answer(4) == 0 && disk_model.flushes == 0 && disk_model.identities == 1);
}

static bool all(uint32_t first, uint32_t end, uint8_t value) {
  for (uint32_t i = first; i < end; i++)
    if (disk_model.disk[i] != value)
      return false;
  return true;
}

static void discards_and_zeroes(void) {
  disk_power(RINGS | F_ALL, 256, 512, 8192, 5);
  open_device();
  memset(disk_model.disk, 0x11, 1 << 20);
  CHECK(device->features == (BLOCK_CACHE | BLOCK_DISCARD | BLOCK_ZEROES | BLOCK_ZEROES_UNMAP));
  CHECK(device->longest_discard == 65536 && device->longest_zeroes == 32768 && device->discard_alignment == 4096);
  CHECK(device->driver->discard(device, 8192, 65536, 5) == BLOCK_TAKEN && only_answer(5) == 0);
  CHECK(all(0, 8192, 0x11) && all(8192, 8192 + 65536, DISK_PATTERN) && all(8192 + 65536, 1 << 20, 0x11));
  CHECK(device->driver->zeroes(device, 1024, 512, true, 6) == BLOCK_TAKEN && only_answer(6) == 0);
  CHECK(disk_model.unmapped && all(1024, 1536, 0) && all(0, 1024, 0x11) && all(1536, 8192, 0x11));
  CHECK(device->driver->zeroes(device, 1024, 512, false, 6) == BLOCK_TAKEN && only_answer(6) == 0);
  CHECK(!disk_model.unmapped);
  CHECK(device->driver->zeroes(device, 0, 32768 + 512, true, 6) == BLOCK_REFUSED);
  CHECK(device->driver->discard(device, 0, 65536 + 512, 6) == BLOCK_REFUSED);
  CHECK(device->driver->discard(device, 100, 512, 6) == BLOCK_REFUSED);
  CHECK(device->driver->discard(device, 0, 0, 6) == BLOCK_REFUSED && device->free == device->depth);
  disk_power(RINGS, 256, 512, 8192, 5);
  open_device();
  CHECK(device->features == 0 && device->driver->discard(device, 0, 512, 6) == BLOCK_REFUSED);
}

static void read_only(void) {
  disk_power(RINGS | F_ALL | F_RO, 256, 512, 8192, 5);
  open_device();
  struct block_segment segment = {device_address(buffers), 512};
  struct block_transfer write = {0, &segment, 1, BLOCK_WRITE, false};
  CHECK(device->features == (BLOCK_CACHE | BLOCK_READ_ONLY));
  CHECK(device->driver->submit(device, &write, 1) == BLOCK_REFUSED);
  CHECK(device->driver->zeroes(device, 0, 512, true, 6) == BLOCK_REFUSED);
  CHECK(read_block(2) == BLOCK_TAKEN && only_answer(2) == 0);
}

static bool refused(uint64_t offset, uint32_t first, uint32_t second) {
  struct block_segment segment[] = {{device_address(buffers), first}, {device_address(&buffers[PAGE]), second}};
  struct block_transfer transfer = {offset, segment, second ? 2 : 1, BLOCK_READ, false};
  return device->driver->submit(device, &transfer, 0) == BLOCK_REFUSED;
}

static void larger_blocks(void) {
  disk_power(RINGS | F_ALL, 256, 4096, 8192, 5);
  open_device();
  CHECK(refused(0, 512, 0) && refused(512, 4096, 0) && refused(0, 4096, 512));
  CHECK(device->free == device->depth && !refused(4096, 4096, 0) && only_answer(0) == 0 && disk_model.commands == 1);
}

/* Longer than any device needs to take at once: it is taken in parts. */
static void longest(void) {
  disk_power(RINGS | F_ALL, 256, 512, UINT32_MAX, 5);
  open_device();
  CHECK(device->longest == VIRTIO_BLK_LONGEST);
  struct block_segment segment = {device_address(buffers), sizeof buffers};
  struct block_transfer transfer = {0, &segment, 1, BLOCK_WRITE, false};
  CHECK(submit_all(&transfer, 1) == sizeof buffers / VIRTIO_BLK_LONGEST);
  CHECK(finish_all(sizeof buffers / VIRTIO_BLK_LONGEST) == 0);
  CHECK(memcmp(disk_model.disk, buffers, sizeof buffers) == 0);
}

int main(void) {
  transfers(F_ALL | RINGS, 256, 512, 64, 5);
  transfers(F_SIZE_MAX | F_SEG_MAX | VIRTIO_F_RING_INDIRECT_DESC, 128, 512, 64, 5);
  transfers(F_ALL | VIRTIO_F_RING_EVENT_IDX | VIRTIO_F_ACCESS_PLATFORM, 256, 512, 64, 5);
  transfers(F_ALL, 128, 4096, 8, 5);
  transfers(F_ALL | RINGS, 256, 512, 64, 254); /* more than our tables have room for */
  transfers(F_ALL, 256, 512, 64, 254);
  full_queue(RINGS, 256, VIRTIO_BLK_SLOTS);
  full_queue(RINGS, 32, 32);
  full_queue(0, 256, 256 / VIRTIO_BLK_DIRECT);
  doorbells();
  errors();
  flushes();
  discards_and_zeroes();
  read_only();
  larger_blocks();
  longest();
  puts("ok");
  return 0;
}

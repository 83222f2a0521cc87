/* SPDX-License-Identifier: Apache-2.0
 *
 * The AHCI driver against a model of controller and disk: regions of every shape,
 * commands that must run alone, the list, messages.
 */
#include "io_ahci_kit.h"

#define SLICE (64u << 10) /* of disk and memory that one tag has for itself */

static uint8_t expected[PAGES * PAGE];

/* --- data --- */

static uint32_t random_segments(struct block_segment *segment, uint8_t *where, uint32_t blocks) {
  uint32_t count = 0;
  while (blocks) {
    uint32_t part = count == 15 ? blocks : 1 + random_below(blocks);
    segment[count++] = (struct block_segment){device_address(where), part * device->block_size};
    where += (size_t)part * device->block_size;
    blocks -= part;
  }
  return count;
}

struct job {
  uint8_t *where;
  uint64_t offset;
  uint32_t bytes;
};

static uint8_t *source_of(const struct job *job, enum block_direction direction) {
  return direction == BLOCK_WRITE ? job->where : &model.disk[job->offset];
}

static uint8_t *target_of(const struct job *job, enum block_direction direction) {
  return direction == BLOCK_WRITE ? &model.disk[job->offset] : job->where;
}

static void begin(struct job *job, uint32_t tag, enum block_direction direction) {
  struct block_segment segment[16];
  uint32_t blocks = 1 + random_below(SLICE / 2 / device->block_size - 1);
  *job = (struct job){&buffers[tag * SLICE + 2 * random_below(512)], tag * SLICE, blocks * device->block_size};
  for (uint32_t i = 0; i < job->bytes; i++)
    source_of(job, direction)[i] = expected[tag * SLICE + i] = (uint8_t)random_next();
  memset(target_of(job, direction), 0, job->bytes);
  struct block_transfer transfer = {job->offset, segment, random_segments(segment, job->where, blocks), direction,
                                    false};
  CHECK(device->driver->submit(device, &transfer, tag) == BLOCK_TAKEN);
  CHECK(transfer.count == 0 && transfer.offset == job->offset + job->bytes);
}

/* Several transfers at once, each in its own slice; memory and disk are compared with what they should hold. */
static void round_of_transfers(enum block_direction direction, uint32_t jobs, bool flush) {
  struct job job[8];
  uint32_t failed = 0;
  for (uint32_t tag = 0; tag < jobs; tag++)
    begin(&job[tag], tag, direction);
  if (flush)
    CHECK(device->driver->flush(device, 99) == BLOCK_TAKEN);
  CHECK(device->depth - device->free == jobs + flush);
  finish(jobs + flush, &failed);
  CHECK(failed == 0 && device->free == device->depth);
  for (uint32_t tag = 0; tag < jobs; tag++)
    CHECK(memcmp(target_of(&job[tag], direction), &expected[tag * SLICE], job[tag].bytes) == 0);
}

static void transfers(uint32_t shift, uint32_t slots, uint32_t depth) {
  power(shift, slots, depth);
  CHECK(device->block_size == 1u << shift && device->size == model.disk_size && device->longest == AHCI_LONGEST);
  CHECK(device->depth == (depth == 0 ? 1 : depth < slots ? depth : slots));
  for (uint32_t i = 0; i < 500; i++)
    round_of_transfers(i % 2 ? BLOCK_READ : BLOCK_WRITE, device->depth < 8 ? 1 : 1 + random_below(7),
                       device->depth > 1 && random_below(4) == 0);
}

/* Longer than a command: the first piece is the longest there is. */
static void longest(void) {
  power(9, 32, 32);
  uint32_t failed = 0;
  struct block_segment segment[] = {{device_address(buffers), 512}, {device_address(&buffers[512]), AHCI_LONGEST}};
  struct block_transfer transfer = {1024, segment, 2, BLOCK_READ, false};
  for (uint32_t i = 0; i < AHCI_LONGEST + 512; i++)
    model.disk[1024 + i] = (uint8_t)random_next();
  CHECK(device->driver->submit(device, &transfer, 0) == BLOCK_TAKEN && transfer.offset == 1024 + AHCI_LONGEST);
  CHECK(device->driver->submit(device, &transfer, 0) == BLOCK_TAKEN && transfer.count == 0);
  finish(2, &failed);
  CHECK(!failed && memcmp(buffers, &model.disk[1024], AHCI_LONGEST + 512) == 0);
}

/* More pieces than a table has places: the rest is the next command's. */
static void many_pieces(void) {
  power(9, 32, 32);
  struct block_segment segment[AHCI_REGIONS + 3];
  for (uint32_t i = 0; i < AHCI_REGIONS + 3; i++)
    segment[i] = (struct block_segment){device_address(&buffers[1024 * i]), 512};
  struct block_transfer transfer = {0, segment, AHCI_REGIONS + 3, BLOCK_WRITE, false};
  uint32_t failed = 0;
  CHECK(device->driver->submit(device, &transfer, 0) == BLOCK_TAKEN && transfer.count == 3);
  CHECK(device->driver->submit(device, &transfer, 0) == BLOCK_TAKEN && transfer.count == 0);
  finish(2, &failed);
  for (uint32_t i = 0; i < AHCI_REGIONS + 3; i++)
    CHECK(memcmp(&model.disk[512 * i], &buffers[1024 * i], 512) == 0);
}

static void refused(void) {
  struct block_segment odd[] = {{device_address(buffers) + 1, 512}, {device_address(buffers), 511}};
  power(12, 32, 32);
  for (uint32_t i = 0; i < 2; i++) {
    struct block_transfer transfer = {0, &odd[i], 1, BLOCK_READ, false};
    CHECK(device->driver->submit(device, &transfer, 0) == BLOCK_REFUSED);
  }
  CHECK(access_block(0, 0) == BLOCK_REFUSED && access_block(8, 0) == BLOCK_REFUSED); /* half a block */
  CHECK(device->free == device->depth);
}

/* --- the list --- */

/* A full list says so, one write tells of all commands, and every tag comes back once, some at a time. */
static void full_list(void) {
  bool seen[AHCI_SLOTS] = {false};
  struct block_completion completion[AHCI_SLOTS];
  power(9, 32, 32);
  for (uint32_t i = 0; i < 32; i++)
    CHECK(access_block(i, i) == BLOCK_TAKEN);
  CHECK(access_block(0, 0) == BLOCK_BUSY && device->driver->flush(device, 0) == BLOCK_BUSY);
  uint32_t before = model.issues;
  device->driver->commit(device);
  device->driver->commit(device);
  CHECK(model.issues == before + 1);
  model_work(32);
  CHECK(model_interrupt());
  for (uint32_t left = 32; left;) {
    uint32_t count = poll(completion, 5);
    for (uint32_t i = 0; i < count; i++) {
      CHECK(!seen[completion[i].tag] && completion[i].error == 0);
      seen[completion[i].tag] = true;
    }
    left -= count;
  }
  CHECK(device->free == 32 && poll(completion, 5) == 0);
}

/* A flush waits for what came before it, and what comes after waits for it: the model refuses a mixture. */
static void flush_alone(void) {
  struct block_completion completion[4];
  power(9, 32, 32);
  CHECK(access_block(1, 1) == BLOCK_TAKEN && device->driver->flush(device, 2) == BLOCK_TAKEN);
  CHECK(access_block(3, 3) == BLOCK_BUSY && device->driver->flush(device, 4) == BLOCK_TAKEN);
  CHECK(poll(completion, 4) == 0 && model_waiting() == 0); /* a look before the commit overtakes nothing */
  device->driver->commit(device);
  model_work(9);
  CHECK(model.flushes == 0 && poll(completion, 4) == 1 && completion[0].tag == 1);
  model_work(9);
  CHECK(model.flushes == 1 && poll(completion, 4) == 1 && completion[0].tag == 2 && access_block(3, 3) == BLOCK_BUSY);
  model_work(9);
  CHECK(model.flushes == 2 && poll(completion, 4) == 1 && completion[0].tag == 4);
  CHECK(access_block(3, 3) == BLOCK_TAKEN);
}

/* What ends after the causes were cleared sends a message again; what ended before was seen. */
static void messages(void) {
  struct block_completion completion[4];
  power(9, 32, 32);
  for (uint32_t i = 0; i < 3; i++)
    access_block(i, i);
  device->driver->commit(device);
  for (uint32_t i = 0; i < 3; i++) {
    model_work(1);
    CHECK(model_interrupt() && poll(completion, 4) == 1 && !model_interrupt());
  }
}

/* A write through the cache is one only where the disk says that it can; else the server has to flush. */
static void through(uint32_t depth, bool forces) {
  uint32_t failed = 0;
  model_power(9, 32, depth);
  model.forces = forces;
  model.caches = true;
  open_device();
  CHECK(device->features == (BLOCK_CACHE | (forces ? BLOCK_FUA : 0)));
  struct block_segment segment = {device_address(buffers), 512};
  struct block_transfer transfer = {0, &segment, 1, BLOCK_WRITE, true};
  CHECK(device->driver->submit(device, &transfer, 0) == (forces ? BLOCK_TAKEN : BLOCK_REFUSED));
  if (forces)
    finish(1, &failed);
  CHECK(!failed && model.forced == forces);
}

static void discard(uint32_t shift) {
  uint32_t failed = 0;
  model_power(shift, 32, 32);
  open_device();
  CHECK(device->features == 0 && device->driver->discard(device, 0, 4096, 0) == BLOCK_REFUSED);
  model.trims = true;
  CHECK(device->driver->reset(device) && device->driver->start(device));
  CHECK(device->features == BLOCK_DISCARD && device->longest_discard >= 64u << 20);
  CHECK(device->driver->discard(device, 0, device->block_size / 2, 0) == BLOCK_REFUSED);
  CHECK(device->driver->discard(device, 0, (uint64_t)device->longest_discard + device->block_size, 0) == BLOCK_REFUSED);
  memset(model.disk, 0xa5, model.disk_size);
  CHECK(access_block(0, 0) == (shift == 9 ? BLOCK_TAKEN : BLOCK_REFUSED));
  CHECK(device->driver->discard(device, 8192, model.disk_size - 16384, 1) == BLOCK_TAKEN);
  finish(shift == 9 ? 2 : 1, &failed);
  CHECK(!failed && model.disk[8191] && !model.disk[8192] && !model.disk[model.disk_size - 8193]);
  CHECK(model.disk[model.disk_size - 8192]);
}

int main(void) {
  transfers(9, 32, 32);
  transfers(12, 32, 5);
  transfers(9, 8, 32);
  transfers(9, 32, 0);
  longest();
  many_pieces();
  refused();
  full_list();
  flush_alone();
  messages();
  through(32, true);
  through(32, false);
  through(0, true);
  discard(9);
  discard(12);
  puts("ok");
  return 0;
}

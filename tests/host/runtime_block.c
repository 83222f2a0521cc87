/* SPDX-License-Identifier: Apache-2.0
 *
 * The block client against a server of the test's own: a disk in memory that
 * answers in any order, fails where it is told to, dies and comes back.
 */
#include "parclose.h"
#include "runtime_check.h"

#define DISK_SIZE (5u << 20)
#define BLOCK 512u

static struct channel_window window;
static const struct channel_descriptor descriptor = {.name = "disk",
                                                     .end = END_CLIENT,
                                                     .class = CLASS_BLOCK,
                                                     .event = 5,
                                                     .address = (uintptr_t)&window,
                                                     .size = sizeof window,
                                                     .capacity = DISK_SIZE,
                                                     .block_size = BLOCK,
                                                     .rights = RIGHT_READ | RIGHT_WRITE};
static struct block block;

/* --- the server --- */

static uint8_t disk[DISK_SIZE];
static struct session session;
static struct virtqueue_device side;
static uint32_t server_life, requests, most_at_once;
static uint64_t bad_offset = UINT64_MAX;
static bool dead;
static uint32_t last_flags, last_reserved; /* of the last range, of the last write */
static bool ranges_unknown;
static struct virtqueue_chain held[QUEUE_SIZE];
static uint32_t held_count;

static void server_start(void) {
  dead = false;
  held_count = 0;
  session_server_begin(&session, &window.header, ++server_life);
  fake_events |= 1ull << descriptor.event;
}

static uint8_t answer_range(const struct virtio_blk_req *header, const struct virtqueue_buffer *buffer) {
  const struct virtio_blk_discard_write_zeroes *range = (const void *)(uintptr_t)buffer->address;
  uint64_t offset = range->sector * VIRTIO_BLK_SECTOR, size = (uint64_t)range->num_sectors * VIRTIO_BLK_SECTOR;
  CHECK(range >= &window.request[0].range && range <= &window.request[QUEUE_SIZE - 1].range);
  CHECK(!buffer->writable && buffer->length == sizeof *range && header->sector == 0);
  CHECK(size != 0 && size <= BLOCK_RANGE && offset <= DISK_SIZE && size <= DISK_SIZE - offset);
  if (ranges_unknown)
    return VIRTIO_BLK_S_UNSUPP;
  last_flags = range->flags;
  memset(disk + offset, header->type == VIRTIO_BLK_T_DISCARD ? 0xdd : 0, size);
  return VIRTIO_BLK_S_OK;
}

static void answer(const struct virtqueue_chain *chain) {
  const struct virtio_blk_req *header = (const void *)(uintptr_t)chain->buffer[0].address;
  uint8_t *status = (uint8_t *)(uintptr_t)chain->buffer[chain->count - 1].address;
  uint64_t offset = header->sector * VIRTIO_BLK_SECTOR;
  CHECK(header == &window.request[chain->head].header && status == &window.request[chain->head].status);
  CHECK(chain->count == (header->type == VIRTIO_BLK_T_FLUSH ? 2 : 3));
  *status = offset == bad_offset ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
  if (header->type == VIRTIO_BLK_T_DISCARD || header->type == VIRTIO_BLK_T_WRITE_ZEROES) {
    *status = answer_range(header, &chain->buffer[1]);
  } else if (chain->count == 3 && *status == VIRTIO_BLK_S_OK) {
    last_reserved = header->reserved;
    void *data = (void *)(uintptr_t)chain->buffer[1].address;
    uint32_t size = chain->buffer[1].length;
    CHECK(size <= BLOCK_PIECE && offset + size <= DISK_SIZE);
    CHECK(chain->buffer[1].writable == (header->type == VIRTIO_BLK_T_IN));
    if (header->type == VIRTIO_BLK_T_IN)
      memcpy(data, disk + offset, size);
    else
      memcpy(disk + offset, data, size);
  }
  virtqueue_put_used(&side, chain->head, 1);
}

static void server_run(void) {
  if (dead)
    return;
  if (session_server_take_up(&session, &window.header)) {
    virtqueue_device_reset(&side, &window.queue[0]);
    session_server_ready(&session, &window.header);
    held_count = 0;
  }
  if (session.epoch == 0)
    return;
  while (virtqueue_take_chain(&side, &held[held_count]) == VIRTQUEUE_CHAIN_OK) {
    held_count++;
    requests++;
  }
  if (held_count > most_at_once)
    most_at_once = held_count;
  for (uint32_t answers = random_below(3) + 1; answers && held_count; answers--) {
    uint32_t pick = random_below(held_count);
    answer(&held[pick]);
    held[pick] = held[--held_count];
    fake_events |= 1ull << descriptor.event;
  }
}

/* --- tests --- */

static uint8_t buffer[5u << 20], copy[5u << 20];

static void fill(uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    bytes[i] = (uint8_t)random_next();
}

static void test_any_size(void) {
  for (int i = 0; i < 20; i++) {
    size_t size = (1 + random_below(sizeof buffer / BLOCK)) * BLOCK;
    uint64_t offset = (uint64_t)random_below((uint32_t)(DISK_SIZE - size) / BLOCK + 1) * BLOCK;
    fill(buffer, size);
    CHECK(block_write(&block, offset, buffer, size) == BLOCK_OK);
    CHECK(memcmp(disk + offset, buffer, size) == 0);
    memset(copy, 0, size);
    CHECK(block_read(&block, offset, copy, size) == BLOCK_OK && memcmp(copy, buffer, size) == 0);
    CHECK(block_flush(&block) == BLOCK_OK);
  }
  CHECK(block.in_flight == 0 && most_at_once > 1);
  CHECK(block_write(&block, 0, buffer, 0) == BLOCK_OK);
}

static void test_invalid(void) {
  struct block none = {0};
  uint32_t before = requests;
  CHECK(!block_open(&none, NULL) && block_read(&none, 0, buffer, BLOCK) == BLOCK_INVALID);
  CHECK(block_poll(&none) == 0 && block_wait(&none, 0) == 0 && block_capacity(&none) == 0);
  CHECK(block_read(&block, DISK_SIZE, buffer, BLOCK) == BLOCK_INVALID);
  CHECK(block_read(&block, DISK_SIZE - BLOCK, buffer, 2 * BLOCK) == BLOCK_INVALID);
  CHECK(block_read(&block, UINT64_MAX - BLOCK + 1, buffer, BLOCK) == BLOCK_INVALID);
  CHECK(block_read(&block, 1, buffer, BLOCK) == BLOCK_INVALID && block_read(&block, 0, buffer, 7) == BLOCK_INVALID);
  CHECK(requests == before);
}

static void test_error(void) {
  bad_offset = 3 * BLOCK_PIECE;
  CHECK(block_read(&block, 0, buffer, 5 * BLOCK_PIECE) == BLOCK_ERROR);
  CHECK(block.in_flight == 0);
  bad_offset = UINT64_MAX;
  CHECK(block_read(&block, 0, buffer, 5 * BLOCK_PIECE) == BLOCK_OK);
}

static void test_deep(void) {
  static struct block_request request[BLOCK_DEPTH + 1];
  for (uint32_t i = 0; i <= BLOCK_DEPTH; i++) {
    request[i] = (struct block_request){VIRTIO_BLK_T_IN, BLOCK, i * BLOCK, buffer + i * BLOCK, BLOCK_OK};
    CHECK(block_submit(&block, &request[i]) == (i < BLOCK_DEPTH));
  }
  uint32_t done = 0, before = requests;
  while (done < BLOCK_DEPTH)
    done += block_wait(&block, NEVER);
  CHECK(requests == before + BLOCK_DEPTH && block_wait(&block, NEVER) == 0);
  for (uint32_t i = 0; i < BLOCK_DEPTH; i++)
    CHECK(request[i].result == BLOCK_OK);
  CHECK(memcmp(buffer, disk, BLOCK_DEPTH * BLOCK) == 0);
}

static void test_silence_then_restart(void) {
  block.timeout_ns = 1000;
  dead = true;
  CHECK(block_read(&block, 0, buffer, 3 * BLOCK_PIECE) == BLOCK_TIMEOUT);
  CHECK(block.in_flight == 3); /* a device could still write there */
  for (int i = 0; i < 20; i++)
    CHECK(block_read(&block, 0, copy, 3 * BLOCK_PIECE) == BLOCK_TIMEOUT);
  CHECK(block.in_flight == BLOCK_DEPTH);
  block.timeout_ns = BLOCK_TIMEOUT_NS;
  server_start();
  CHECK(block_poll(&block) == 0 || block.in_flight == 0);
  while (block.in_flight)
    CHECK(block_wait(&block, NEVER) > 0);
  CHECK(block_read(&block, 0, buffer, 3 * BLOCK_PIECE) == BLOCK_OK);
}

static void die_and_return(void) {
  if (random_below(3) == 0) {
    server_start();
    fake_events |= 1ull << descriptor.event;
  }
  server_run();
}

static void test_lost(void) {
  struct block_request request = {VIRTIO_BLK_T_IN, BLOCK, 0, buffer, BLOCK_OK};
  dead = true;
  CHECK(block_submit(&block, &request) && block_wait(&block, 0) == 0 && request.result == BLOCK_PENDING);
  server_start();
  CHECK(block_wait(&block, NEVER) == 1 && request.result == BLOCK_LOST);
  CHECK(block_submit(&block, &request) && block_wait(&block, NEVER) == 1 && request.result == BLOCK_OK);
}

static void test_restarts_under_load(void) {
  uint32_t before = server_life;
  fake_wait = die_and_return;
  for (int i = 0; i < 1000; i++) {
    size_t size = BLOCK_PIECE + 2 * BLOCK;
    uint64_t offset = (uint64_t)random_below((uint32_t)(DISK_SIZE - size) / BLOCK) * BLOCK;
    memset(copy, 0xaa, size);
    CHECK(block_read(&block, offset, copy, size) == BLOCK_OK);
    CHECK(memcmp(copy, disk + offset, size) == 0 && block.in_flight == 0);
  }
  CHECK(server_life > before + 500);
  fake_wait = server_run;
}

static bool all_are(uint64_t offset, uint64_t size, uint8_t value) {
  for (uint64_t i = 0; i < size; i++) {
    if (disk[offset + i] != value)
      return false;
  }
  return true;
}

static void test_ranges(void) {
  memset(disk, 0x11, sizeof disk);
  CHECK(block_discard(&block, BLOCK, DISK_SIZE - 2 * BLOCK) == BLOCK_OK && last_flags == 0);
  CHECK(all_are(0, BLOCK, 0x11) && all_are(BLOCK, DISK_SIZE - 2 * BLOCK, 0xdd) && disk[DISK_SIZE - BLOCK] == 0x11);
  CHECK(block_zeroes(&block, 3 * BLOCK, 2 * BLOCK, true) == BLOCK_OK && last_flags == VIRTIO_BLK_RANGE_UNMAP);
  CHECK(all_are(2 * BLOCK, BLOCK, 0xdd) && all_are(3 * BLOCK, 2 * BLOCK, 0) && all_are(5 * BLOCK, BLOCK, 0xdd));
  CHECK(block_zeroes(&block, 0, BLOCK, false) == BLOCK_OK && last_flags == 0);
  CHECK(block_discard(&block, 0, DISK_SIZE + BLOCK) == BLOCK_INVALID);
  CHECK(block_discard(&block, DISK_SIZE, BLOCK) == BLOCK_INVALID);
  CHECK(block_zeroes(&block, 1, BLOCK, false) == BLOCK_INVALID);
  CHECK(block_zeroes(&block, 0, BLOCK - 1, false) == BLOCK_INVALID);
  ranges_unknown = true;
  CHECK(block_zeroes(&block, 0, BLOCK, false) == BLOCK_UNSUPPORTED);
  CHECK(block_discard(&block, 0, BLOCK) == BLOCK_UNSUPPORTED);
  ranges_unknown = false;
}

static void test_through(void) {
  CHECK(block_write_through(&block, 0, buffer, BLOCK) == BLOCK_OK && last_reserved == VIRTIO_BLK_THROUGH);
  CHECK(block_write(&block, 0, buffer, BLOCK) == BLOCK_OK && last_reserved == 0);
}

static void test_flags(void) {
  struct block_request request = {VIRTIO_BLK_T_IN | BLOCK_THROUGH, BLOCK, 0, buffer, BLOCK_OK};
  CHECK(block_submit(&block, &request) && request.result == BLOCK_INVALID);
  request.type = VIRTIO_BLK_T_DISCARD | BLOCK_UNMAP;
  CHECK(block_submit(&block, &request) && request.result == BLOCK_INVALID);
  request.type = VIRTIO_BLK_T_OUT | BLOCK_THROUGH | BLOCK_UNMAP;
  CHECK(block_submit(&block, &request) && request.result == BLOCK_INVALID);
}

static void test_config(void) {
  struct virtio_blk_config config;
  struct block none = {0};
  uint64_t features;
  CHECK(!block_config(&none, &config, &features));
  window.config.disk.capacity = 77;
  window.header.features = 99;
  CHECK(block_config(&block, &config, &features) && config.capacity == 77 && features == 99);
}

static void test_read_only(void) {
  struct channel_descriptor read_only = descriptor;
  read_only.rights = RIGHT_READ;
  CHECK(block_open(&block, &read_only));
  CHECK(block_write(&block, 0, buffer, BLOCK) == BLOCK_INVALID && block_flush(&block) == BLOCK_INVALID);
  CHECK(block_discard(&block, 0, BLOCK) == BLOCK_INVALID && block_zeroes(&block, 0, BLOCK, true) == BLOCK_INVALID);
  CHECK(block_read(&block, 0, buffer, BLOCK) == BLOCK_OK);
}

int main(void) {
  fill(disk, sizeof disk);
  fake_wait = server_run;
  CHECK(block_open(&block, &descriptor) && block_capacity(&block) == DISK_SIZE);
  server_start();
  test_any_size();
  test_invalid();
  test_error();
  test_deep();
  test_silence_then_restart();
  test_lost();
  test_restarts_under_load();
  test_ranges();
  test_through();
  test_flags();
  test_config();
  test_read_only();
  return 0;
}

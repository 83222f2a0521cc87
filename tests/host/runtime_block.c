/* SPDX-License-Identifier: Apache-2.0
 *
 * The block client against a server of the test's own: a disk in memory that
 * answers in any order, fails where it is told to, dies and comes back.
 */
#include "parclose.h"
#include "runtime_check.h"

#define DISK_SIZE (4u << 20)
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
static struct virtqueue_chain held[QUEUE_SIZE];
static uint32_t held_count;

static void server_start(void) {
  dead = false;
  held_count = 0;
  session_server_begin(&session, &window.header, ++server_life);
  fake_events |= 1ull << descriptor.event;
}

static void answer(const struct virtqueue_chain *chain) {
  const struct virtio_blk_req *header = (const void *)(uintptr_t)chain->buffer[0].address;
  uint8_t *status = (uint8_t *)(uintptr_t)chain->buffer[chain->count - 1].address;
  uint64_t offset = header->sector * VIRTIO_BLK_SECTOR;
  CHECK(header == &window.request[chain->head].header && status == &window.request[chain->head].status);
  CHECK(chain->count == (header->type == VIRTIO_BLK_T_FLUSH ? 2 : 3));
  *status = offset == bad_offset ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
  if (chain->count == 3 && *status == VIRTIO_BLK_S_OK) {
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

static uint8_t buffer[1u << 20], copy[1u << 20];

static void fill(uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    bytes[i] = (uint8_t)random_next();
}

static void test_any_size(void) {
  for (int i = 0; i < 50; i++) {
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
  CHECK(block_read(&block, 0, buffer, 8 * BLOCK_PIECE) == BLOCK_ERROR);
  CHECK(block.in_flight == 0);
  bad_offset = UINT64_MAX;
  CHECK(block_read(&block, 0, buffer, 8 * BLOCK_PIECE) == BLOCK_OK);
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
  for (int i = 0; i < 2000; i++) {
    uint64_t offset = (uint64_t)random_below(DISK_SIZE / BLOCK - 256) * BLOCK;
    memset(copy, 0xaa, 256 * BLOCK);
    CHECK(block_read(&block, offset, copy, 256 * BLOCK) == BLOCK_OK);
    CHECK(memcmp(copy, disk + offset, 256 * BLOCK) == 0 && block.in_flight == 0);
  }
  CHECK(server_life > before + 500);
  fake_wait = server_run;
}

static void test_read_only(void) {
  struct channel_descriptor read_only = descriptor;
  read_only.rights = RIGHT_READ;
  CHECK(block_open(&block, &read_only));
  CHECK(block_write(&block, 0, buffer, BLOCK) == BLOCK_INVALID && block_flush(&block) == BLOCK_INVALID);
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
  test_read_only();
  return 0;
}

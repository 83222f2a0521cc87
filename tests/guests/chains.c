/* SPDX-License-Identifier: Apache-2.0
 *
 * A client whose rings make no sense: chains in circles or longer than any request, indexes that jump beyond the table,
 * addresses and lengths beyond everything. Whatever it offers is answered, and a decent request is served after it.
 */
#include "hostile.h"

enum way { CIRCLES, JUMPS, OUTSIDE };

#define HEAD 100u /* the client's driver, with one request at a time, uses the first three */
#define NEXT VIRTQ_DESC_F_NEXT
#define WRITE VIRTQ_DESC_F_WRITE
#define FAR 0x08000000ull
#define PATIENCE_NS 5000000000ull

static struct block disk;
static uint8_t data[512];

static void link(unsigned i, uint64_t address, uint32_t length, unsigned flags, unsigned next) {
  disk.window->queue[0].desc[i] =
      (struct virtq_desc){.addr = address, .len = length, .flags = (uint16_t)flags, .next = (uint16_t)next};
}

static void header(unsigned next) {
  disk.window->request[HEAD].header = (struct virtio_blk_req){.type = VIRTIO_BLK_T_IN};
  link(HEAD, (uintptr_t)&disk.window->request[HEAD].header, sizeof(struct virtio_blk_req), NEXT, next);
}

static void status(unsigned i) {
  link(i, (uintptr_t)&disk.window->request[HEAD].status, 1, WRITE, 0);
}

static void offer(const char *what, uint16_t head) {
  struct channel_queue *queue = &disk.window->queue[0];
  uint16_t before = __atomic_load_n(&queue->used.idx, __ATOMIC_ACQUIRE);
  uint64_t limit = deadline_in_ns(PATIENCE_NS);
  attempting("%s", what);
  queue->avail.ring[disk.queue.available++ % QUEUE_SIZE] = head;
  __atomic_store_n(&queue->avail.idx, disk.queue.available, __ATOMIC_RELEASE);
  monitor_signal(disk.channel->index, 0);
  while (__atomic_load_n(&queue->used.idx, __ATOMIC_ACQUIRE) == before && clock_now() < limit)
    sleep_ns(200000);
  if (__atomic_load_n(&queue->used.idx, __ATOMIC_ACQUIRE) == before)
    escaped("%s: no answer", what);
  else
    say("answer to %s", what);
}

static void circles(void) {
  header(HEAD + 1);
  link(HEAD + 1, (uintptr_t)data, sizeof data, NEXT | WRITE, HEAD + 1);
  offer("a chain in a circle", HEAD);
  link(HEAD + 1, (uintptr_t)data, sizeof data, NEXT, HEAD);
  offer("a chain back to its head", HEAD);
  header(HEAD + 1);
  for (unsigned i = 1; i < 25; i++)
    link(HEAD + i, (uintptr_t)data, sizeof data, NEXT | WRITE, HEAD + i + 1);
  status(HEAD + 25);
  offer("a chain of 26", HEAD);
}

static void jumps(void) {
  header(0xf001 + HEAD);
  link(HEAD + 1, (uintptr_t)data, sizeof data, NEXT | WRITE, 0xffff);
  link(QUEUE_SIZE - 1, (uintptr_t)&disk.window->request[HEAD].status, 1, WRITE, 0);
  offer("a next descriptor beyond the table", HEAD);
  offer("a head beyond the table", 0xf000 + HEAD);
}

static void outside(void) {
  uint64_t window = disk.channel->address, end = window + disk.channel->size;
  const uint64_t places[] = {window + FAR, window - 16, end - 8, end, ~0ull - 7, 0};
  for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
    link(HEAD, places[i], sizeof(struct virtio_blk_req), NEXT, HEAD + 1);
    link(HEAD + 1, (uintptr_t)data, sizeof data, NEXT | WRITE, HEAD + 2);
    status(HEAD + 2);
    offer("a header outside the window", HEAD);
    header(HEAD + 1);
    link(HEAD + 2, places[i] + 15, 1, WRITE, 0);
    offer("a status outside the window", HEAD);
  }
  header(HEAD + 1);
  link(HEAD + 1, (uintptr_t)data, UINT32_MAX, NEXT | WRITE, HEAD + 2);
  link(HEAD + 2, (uintptr_t)data, 513, NEXT | WRITE, HEAD + 3); /* their sum is 512 in 32 bits */
  status(HEAD + 3);
  offer("lengths that wrap", HEAD);
  link(HEAD + 1, (uintptr_t)data, UINT32_MAX, NEXT | WRITE, HEAD + 3);
  offer("a length of 2^32-1", HEAD);
}

int main(void) {
  block_open(&disk, channel("disk"));
  say("fair %d", block_read(&disk, 0, data, sizeof data));
  if (WAY == CIRCLES)
    circles();
  else if (WAY == JUMPS)
    jumps();
  else
    outside();
  say("fair %d", block_read(&disk, 0, data, sizeof data));
  return verdict();
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Rewrites its requests while they are in flight: their descriptors, headers and places in the ring. What counts is what
 * the server read in the beginning.
 */
#include "hostile.h"

#define COUNT 12u
#define EACH 3u   /* descriptors of a request */
#define FIRST 64u /* the client's driver, with one request at a time, uses the first three */
#define HEAD(i) (FIRST + EACH * (i))
#define NEXT VIRTQ_DESC_F_NEXT
#define WRITE VIRTQ_DESC_F_WRITE
#define MARK 0xa5
#define FAR 0x08000000ull
#define PATIENCE_NS 10000000000ull

static struct block disk;
static uint8_t data[COUNT][512];

static void link(unsigned i, uint64_t address, uint32_t length, unsigned flags, unsigned next) {
  disk.window->queue[0].desc[i] =
      (struct virtq_desc){.addr = address, .len = length, .flags = (uint16_t)flags, .next = (uint16_t)next};
}

static void prepare(unsigned i) {
  struct channel_request *slot = &disk.window->request[HEAD(i)];
  slot->header = (struct virtio_blk_req){.type = VIRTIO_BLK_T_IN, .sector = i};
  slot->status = 0xff;
  link(HEAD(i), (uintptr_t)&slot->header, sizeof slot->header, NEXT, HEAD(i) + 1);
  link(HEAD(i) + 1, (uintptr_t)data[i], sizeof data[i], NEXT | WRITE, HEAD(i) + 2);
  link(HEAD(i) + 2, (uintptr_t)&slot->status, 1, WRITE, 0);
  disk.window->queue[0].avail.ring[disk.queue.available++ % QUEUE_SIZE] = (uint16_t)HEAD(i);
}

static uint16_t finished(void) {
  return __atomic_load_n(&disk.window->queue[0].used.idx, __ATOMIC_ACQUIRE);
}

static void wait_until_finished(uint16_t wanted) {
  uint64_t limit = deadline_in_ns(PATIENCE_NS);
  while ((int16_t)(finished() - wanted) < 0 && clock_now() < limit)
    sleep_ns(100000);
}

static void rewrite(unsigned i) {
  attempting("to rewrite request %u", i);
  disk.window->request[HEAD(i)].header = (struct virtio_blk_req){.type = VIRTIO_BLK_T_OUT, .sector = 1u << 20};
  link(HEAD(i), ~0ull - 7, UINT32_MAX, NEXT, HEAD(i) + 1);
  link(HEAD(i) + 1, PROGRAM_ADDRESS, UINT32_MAX, NEXT | WRITE, HEAD(i) + 2);
  link(HEAD(i) + 2, disk.channel->address - FAR, 1, WRITE, 0);
  for (unsigned slot = 0; slot < QUEUE_SIZE; slot++)
    disk.window->queue[0].avail.ring[slot] = 0xffff;
}

static void look(unsigned i) {
  uint8_t status = disk.window->request[HEAD(i)].status;
  if (status == VIRTIO_BLK_S_OK && data[i][0] == MARK && data[i][511] == MARK)
    say("answer to request %u", i);
  else
    escaped("request %u was answered with %x and data %x", i, status, data[i][0]);
}

int main(void) {
  static uint8_t written[COUNT * 512];
  block_open(&disk, channel("disk"));
  memset(written, MARK, sizeof written);
  say("fair %d", block_write(&disk, 0, written, sizeof written));
  for (unsigned i = 0; i < COUNT; i++)
    prepare(i);
  uint16_t before = finished();
  __atomic_store_n(&disk.window->queue[0].avail.idx, disk.queue.available, __ATOMIC_RELEASE);
  monitor_signal(disk.channel->index, 0);
  wait_until_finished((uint16_t)(before + 1)); /* the server has read all, and the disk is slow */
  for (unsigned i = 0; i < COUNT; i++)
    rewrite(i);
  wait_until_finished((uint16_t)(before + COUNT));
  for (unsigned i = 0; i < COUNT; i++)
    look(i);
  block_open(&disk, disk.channel);
  say("fair %d", block_read(&disk, 0, written, sizeof written));
  return verdict();
}

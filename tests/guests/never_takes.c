/* SPDX-License-Identifier: Apache-2.0
 *
 * A client that never takes a completion: it asks again and again, thirty times around the rings, and never looks at what
 * came back but for how much it is, so that it does not ask for more than fits.
 */
#include "hostile.h"

#define ROUNDS 64u
#define EACH 64u /* requests of a round, all by the same chain */
#define HEAD 100u
#define PATIENCE_NS 10000000000ull

static struct block disk;
static uint8_t data[512];

static void make_chain(void) {
  struct channel_request *slot = &disk.window->request[HEAD];
  struct virtq_desc *desc = &disk.window->queue[0].desc[HEAD];
  slot->header = (struct virtio_blk_req){.type = VIRTIO_BLK_T_IN};
  desc[0] = (struct virtq_desc){(uintptr_t)&slot->header, sizeof slot->header, VIRTQ_DESC_F_NEXT, HEAD + 1};
  desc[1] = (struct virtq_desc){(uintptr_t)data, sizeof data, VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_WRITE, HEAD + 2};
  desc[2] = (struct virtq_desc){(uintptr_t)&slot->status, 1, VIRTQ_DESC_F_WRITE, 0};
}

static bool round_served(void) {
  struct channel_queue *queue = &disk.window->queue[0];
  uint64_t limit = deadline_in_ns(PATIENCE_NS);
  for (unsigned i = 0; i < EACH; i++)
    queue->avail.ring[disk.queue.available++ % QUEUE_SIZE] = HEAD;
  __atomic_store_n(&queue->avail.idx, disk.queue.available, __ATOMIC_RELEASE);
  monitor_signal(disk.channel->index, 0);
  while (__atomic_load_n(&queue->used.idx, __ATOMIC_ACQUIRE) != disk.queue.available && clock_now() < limit)
    sleep_ns(100000);
  return __atomic_load_n(&queue->used.idx, __ATOMIC_ACQUIRE) == disk.queue.available;
}

int main(void) {
  unsigned rounds = 0;
  block_open(&disk, channel("disk"));
  say("fair %d", block_read(&disk, 0, data, sizeof data));
  make_chain();
  attempting("to take none of %u completions", ROUNDS * EACH);
  while (rounds < ROUNDS && round_served())
    rounds++;
  if (rounds < ROUNDS)
    escaped("no answer after %u completions", rounds * EACH);
  else
    say("answer to all");
  block_open(&disk, disk.channel);
  say("fair %d", block_read(&disk, 0, data, sizeof data));
  return verdict();
}

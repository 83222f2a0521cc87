/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks for its whole extent 128 times, by one chain of descriptors that every entry of the ring names, and faults as soon
 * as the first of it is under way: what is left must not cost its server so long that the manager ends the server for it.
 */
#include "monitor.h"
#include "parclose.h"

#define MOST_MIB 56u

static struct block disk;
static uint8_t buffer[MOST_MIB << 20] __attribute__((aligned(4096)));

static void ask(struct channel_window *window, uint64_t base, uint64_t capacity) {
  struct channel_queue *queue = &window->queue[0];
  uint64_t request = base + (uint64_t)((char *)window->request - (char *)window);
  window->request[0].header = (struct virtio_blk_req){.type = VIRTIO_BLK_T_OUT};
  queue->desc[0] =
      (struct virtq_desc){.addr = request, .len = sizeof(struct virtio_blk_req), .flags = VIRTQ_DESC_F_NEXT, .next = 1};
  queue->desc[1] =
      (struct virtq_desc){.addr = (uintptr_t)buffer, .len = (uint32_t)capacity, .flags = VIRTQ_DESC_F_NEXT, .next = 2};
  queue->desc[2] =
      (struct virtq_desc){.addr = request + sizeof(struct virtio_blk_req), .len = 1, .flags = VIRTQ_DESC_F_WRITE};
  for (unsigned i = 0; i < QUEUE_SIZE; i++)
    queue->avail.ring[i] = 0;
  __atomic_store_n(&queue->avail.idx, QUEUE_SIZE, __ATOMIC_RELEASE);
}

int main(void) {
  const struct channel_descriptor *channel_of_disk = channel("disk");
  if (!block_open(&disk, channel_of_disk))
    return 2;
  ask(disk.window, channel_of_disk->address, channel_of_disk->capacity);
  monitor_signal(channel_of_disk->index, 0);
  sleep_ns(5000000);
  __asm__ volatile("ud2");
  return 3;
}

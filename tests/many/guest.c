/* SPDX-License-Identifier: Apache-2.0
 *
 * One of many on the same disk, switch and line: its blocks hold what it wrote, its frames reach its neighbour, its line
 * comes out. Says how long the disk took it: the shares are seen by that.
 */
#include "parclose.h"

#define BLOCK 4096u
#define ROUNDS 4u
#define DEEP 8u
#define FRAME 200u
#define PATIENCE_NS 20000000000ull

static struct block disk;
static struct network network;
static uint8_t written[DEEP][BLOCK], found[DEEP][BLOCK];
static struct block_request request[DEEP];

/* The bytes of this guest and no other. */
static void fill(uint8_t *block, unsigned number) {
  for (unsigned i = 0; i < BLOCK; i++)
    block[i] = (uint8_t)(SELF * 31 + number * 7 + i + (i >> 8));
}

static bool all(uint32_t type, uint8_t (*memory)[BLOCK], unsigned round) {
  bool good = true;
  for (unsigned i = 0; i < DEEP; i++) {
    request[i] =
        (struct block_request){.type = type, .size = BLOCK, .offset = (round * DEEP + i) * BLOCK, .buffer = memory[i]};
    block_submit(&disk, &request[i]);
  }
  while (disk.in_flight)
    block_wait(&disk, deadline_in_ns(PATIENCE_NS));
  for (unsigned i = 0; i < DEEP; i++)
    good &= request[i].result == BLOCK_OK;
  return good;
}

static unsigned use_disk(void) {
  unsigned good = 0;
  for (unsigned round = 0; round < ROUNDS; round++) {
    for (unsigned i = 0; i < DEEP; i++)
      fill(written[i], round * DEEP + i);
    if (!all(VIRTIO_BLK_T_OUT, written, round) || !all(VIRTIO_BLK_T_IN, found, round))
      break;
    good += memcmp(written, found, sizeof written) == 0;
  }
  return good;
}

/* To the next one, again until the frame of the one before has come: he may begin late. */
static bool pass_on(void) {
  uint8_t frame[FRAME] = {0x52, 0x54, 0, 0, 0x20, NEXT, 0x52, 0x54, 0, 0, 0x20, SELF, 0x88, 0xb5, SELF}, came[FRAME];
  bool heard = false;
  for (unsigned i = 0; i < 200 && !heard; i++) {
    network_send(&network, frame, sizeof frame, deadline_in_ns(PATIENCE_NS));
    int size = network_receive(&network, came, sizeof came, deadline_in_ns(100000000));
    heard = size == FRAME && came[5] == SELF && came[11] == BEFORE && came[14] == BEFORE;
  }
  for (unsigned i = 0; i < 20; i++) /* for a neighbour who has not heard yet */
    network_send(&network, frame, sizeof frame, deadline_in_ns(PATIENCE_NS));
  return heard;
}

int main(void) {
  if (!block_open(&disk, channel("disk")) || !network_open(&network, channel("net")))
    return 2;
  uint64_t start = clock_now();
  unsigned good = use_disk();
  unsigned long long took = ticks_to_us(clock_now() - start);
  bool heard = pass_on();
  printf("guest %u: disk %u of %u in %llu us, neighbour %s\n", SELF, good, ROUNDS, took, heard ? "heard" : "silent");
  return good != ROUNDS || !heard;
}

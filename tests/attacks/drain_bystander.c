/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads its own part of the disk and counts the lives that its server has meanwhile.
 */
#include "parclose.h"

#define RUN_NS 4000000000ull

static struct block disk;
static uint8_t sector[4096];

int main(void) {
  uint64_t end = deadline_in_ns(RUN_NS), longest = 0;
  unsigned reads = 0, lives = 0;
  uint32_t life_seen = 0;
  if (!block_open(&disk, channel("disk")))
    return 2;
  for (; clock_now() < end; reads++) {
    uint64_t start = clock_now();
    if (block_read(&disk, 0, sector, sizeof sector) != BLOCK_OK)
      return 3;
    if (clock_now() - start > longest)
      longest = clock_now() - start;
    lives += disk.window->header.server_life != life_seen;
    life_seen = disk.window->header.server_life;
  }
  printf("%u reads, longest %llu us, lives of the server %u\n", reads, (unsigned long long)ticks_to_us(longest), lives);
  return lives != 1;
}

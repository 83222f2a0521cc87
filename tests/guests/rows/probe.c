// SPDX-License-Identifier: Apache-2.0
// Tries what rows of the resource database allow or forbid, and says how each attempt ended.
#include "live.h"
#include "monitor.h"
#include "parclose.h"

#define PIECE 4096u

static char room[256 * 1024];
static struct block disk;

int main(void) {
  char *far = room + sizeof room - PIECE;
  if (!block_open(&disk, channel("disk")))
    return 1;
  uint64_t last = block_capacity(&disk) - PIECE;
  printf("attempting a manager's call: status %u\n", (unsigned)monitor_state(LIVE_PARTITION, 0).status);
  memset(far, 'p', PIECE);
  printf("attempting to write the first block: result %d\n", block_write(&disk, 0, far, PIECE));
  printf("attempting to read the first block: result %d\n", block_read(&disk, 0, far, PIECE));
  printf("attempting to read the last block: result %d\n", block_read(&disk, last, far, PIECE));
  printf("done\n");
  return 0;
}

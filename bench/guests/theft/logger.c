/* SPDX-License-Identifier: Apache-2.0
 *
 * Floods the I/O partition: as many reads as it takes under way at any time, lines on the console, and a signal at every turn.
 */
#include "../measure.h"

#define BLOCK 4096u

static struct block disk;
static struct console line;
static struct block_request request[BLOCK_DEPTH];
static uint8_t buffer[BLOCK_DEPTH][BLOCK] __attribute__((aligned(4096)));

static void submit(unsigned i, uint64_t turn) {
  request[i] = (struct block_request){
      .type = VIRTIO_BLK_T_IN, .size = BLOCK, .offset = (turn * 77 + i) % 8192 * BLOCK, .buffer = buffer[i]};
  if (!block_submit(&disk, &request[i]))
    request[i].result = BLOCK_LOST; /* once more at the next turn */
}

int main(void) {
  const volatile uint32_t *stop = (const volatile uint32_t *)region("stop")->address;
  const struct channel_descriptor *console = channel("console");
  uint64_t done = 0;
  if (!block_open(&disk, channel("disk")) || !console_open(&line, console))
    return 2;
  for (uint64_t turn = 0; !*stop; turn++) {
    for (unsigned i = 0; i < BLOCK_DEPTH; i++)
      if (request[i].result != BLOCK_PENDING || turn == 0) {
        done += turn != 0 && request[i].result == BLOCK_OK;
        submit(i, turn);
      }
    block_poll(&disk);
    console_write(&line, ".", 1, 0);
    monitor_signal(console->index, 0);
  }
  return done > 1000 ? 0 : 3;
}

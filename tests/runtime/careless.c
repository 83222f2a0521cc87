/* SPDX-License-Identifier: Apache-2.0
 *
 * Dies with a disk reading into its memory, several times. Its next life must
 * not start before that is over, and must find its disk at work.
 */
#include "parclose.h"

#define DEEP 32u
#define SIZE 65536u

static struct block disk;
static struct block_request request[DEEP];
static uint8_t buffer[DEEP][SIZE];

static bool untouched(void) {
  for (uint32_t i = 0; i < DEEP; i++)
    for (uint32_t j = 0; j < SIZE; j++)
      if (buffer[i][j])
        return false;
  return true;
}

static void die_in_the_middle(void) {
  for (uint32_t i = 0; i < DEEP; i++) {
    request[i] = (struct block_request){VIRTIO_BLK_T_IN, SIZE, i * SIZE, buffer[i], BLOCK_OK};
    block_submit(&disk, &request[i]);
  }
  block_poll(&disk);
  __builtin_trap();
}

int main(void) {
  if (!block_open(&disk, channel("disk")))
    return 1;
  if (life() == 1) {
    memset(buffer, 0xab, sizeof buffer);
    if (block_write(&disk, 0, buffer, sizeof buffer) != BLOCK_OK)
      return 2;
  }
  if (life() <= 5)
    die_in_the_middle();
  sleep_ns(20000000);
  if (!untouched()) /* .bss is cleared at each life: whoever wrote there came from an earlier one */
    return 3;
  if (block_read(&disk, 0, buffer, sizeof buffer) != BLOCK_OK || buffer[DEEP - 1][SIZE - 1] != 0xab)
    return 4;
  return 0;
}

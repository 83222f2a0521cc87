/* SPDX-License-Identifier: Apache-2.0
 *
 * Another client of the same server: writes a sector and reads it back, many times.
 */
#include "hostile.h"

#define ROUNDS 20u

int main(void) {
  static struct block disk;
  static uint8_t written[512], found[512];
  unsigned served = 0;
  block_open(&disk, channel("disk"));
  disk.timeout_ns = 10000000000ull;
  for (unsigned i = 0; i < ROUNDS; i++) {
    memset(written, (int)i, sizeof written);
    served += block_write(&disk, 0, written, sizeof written) == BLOCK_OK &&
              block_read(&disk, 0, found, sizeof found) == BLOCK_OK && memcmp(written, found, sizeof found) == 0;
    sleep_ns(2000000);
  }
  say("served %u of %u", served, ROUNDS);
  return served != ROUNDS;
}

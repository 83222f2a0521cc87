/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks for zeroes, and for a discard, where it may not write: from the last block of its extent into the neighbour's (BEYOND),
 * and on an extent that it may only read (READS). This client's own checks are talked out of it by a forged descriptor.
 */
#include "hostile.h"

enum way { BEYOND, READS };

static struct block disk;
static uint8_t sector[512];

static void attempt(const char *what, enum block_result result) {
  say("result %d", result);
  if (result == BLOCK_OK)
    escaped("%s", what);
}

int main(void) {
  struct channel_descriptor forged = *channel("disk");
  uint64_t end = forged.capacity, first = WAY == BEYOND ? end - sizeof sector : 0;
  forged.capacity += 1 << 20;
  forged.rights = RIGHT_READ | RIGHT_WRITE;
  block_open(&disk, &forged);
  if (WAY == BEYOND)
    say("fair %d", block_zeroes(&disk, first, sizeof sector, false));
  else
    say("fair %d", block_read(&disk, first, sector, sizeof sector));
  attempting("zeroes from %llx on", (unsigned long long)first);
  attempt("zeroes written", block_zeroes(&disk, first, 2 * sizeof sector, false));
  attempting("a discard from %llx on", (unsigned long long)first);
  attempt("discarded", block_discard(&disk, first, 2 * sizeof sector));
  return verdict();
}

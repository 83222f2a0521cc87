/* SPDX-License-Identifier: Apache-2.0
 *
 * The client of a server without bounds checks of its own: reads and writes the sector right behind its extent, which is
 * the first of the neighbour's. This client's own check is talked out of it by a forged capacity.
 */
#include "hostile.h"

static struct block disk;
static char sector[512];

static void fill(const char *text) {
  memset(sector, 0, sizeof sector);
  memcpy(sector, text, strlen(text));
}

int main(void) {
  struct channel_descriptor forged = *channel("disk");
  uint64_t end = forged.capacity;
  forged.capacity += 1 << 20;
  block_open(&disk, &forged);
  fill("the last sector of our own extent");
  say("fair %d", block_write(&disk, end - sizeof sector, sector, sizeof sector));
  attempting("to read the sector at %llx", (unsigned long long)end);
  enum block_result result = block_read(&disk, end, sector, sizeof sector);
  say("result %d", result);
  if (result == BLOCK_OK)
    escaped("read '%.16s'", sector);
  memset(sector, 'X', sizeof sector);
  attempting("to write the sector at %llx", (unsigned long long)end);
  result = block_write(&disk, end, sector, sizeof sector);
  say("result %d", result);
  if (result == BLOCK_OK)
    escaped("wrote the sector at %llx", (unsigned long long)end);
  return verdict();
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The client of an endpoint by the label of a partition, on a machine with another disk than the one planned: reads and
 * writes where the plan has its extent.
 */
#include "hostile.h"

static struct block disk;
static char sector[512];

int main(void) {
  block_open(&disk, channel("disk"));
  attempting("to read the first sector");
  enum block_result result = block_read(&disk, 0, sector, sizeof sector);
  say("result %d", result);
  if (result == BLOCK_OK)
    escaped("read '%.16s'", sector);
  memset(sector, 'X', sizeof sector);
  attempting("to write it");
  result = block_write(&disk, 0, sector, sizeof sector);
  say("result %d", result);
  if (result == BLOCK_OK)
    escaped("wrote it");
  return verdict();
}

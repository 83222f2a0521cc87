/* SPDX-License-Identifier: Apache-2.0
 *
 * Its server is gone for good. Nothing here may wait for ever.
 */
#include "parclose.h"

static struct block disk;
static char buffer[4096];

int main(void) {
  sleep_ns(50000000);
  for (int i = 0; i < 500; i++)
    printf("line %d, which nobody will read\n", i);
  if (print_lost() == 0)
    return 1;
  if (!block_open(&disk, channel("disk")) || block_read(&disk, 0, buffer, sizeof buffer) != BLOCK_TIMEOUT)
    return 2;
  return 0;
}

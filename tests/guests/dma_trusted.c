/* SPDX-License-Identifier: Apache-2.0
 *
 * No protection: what a program that the layout calls `dma: trusted` can do. It has its device write over a page of its
 * neighbour, whose physical address the test tells it.
 */
#include "nvme_admin.h"

int main(void) {
  controller_start();
  attempting("to have the device write to %llx", (unsigned long long)*targets());
  for (uint32_t slot = 0; slot < ENTRIES - 1; slot++) { /* the neighbour may fill its page a little later */
    sleep_ns(20000000);
    identify_into(slot, *targets());
    if (!done_within(slot, 10000000000))
      return 1;
  }
  return 0;
}

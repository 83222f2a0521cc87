/* SPDX-License-Identifier: Apache-2.0
 *
 * No protection: what a program that the layout calls `dma: trusted` can do. It has its device write over a page of its
 * neighbour, whose physical address the test tells it.
 */
#include "nvme_admin.h"

int main(void) {
  controller_start();
  attempting("to have the device write to %llx", (unsigned long long)*targets());
  sleep_ns(20000000); /* the neighbour has filled its page */
  identify_into(0, *targets());
  say("the device is done: %d", done_within(0, 1000000000));
  return 0;
}

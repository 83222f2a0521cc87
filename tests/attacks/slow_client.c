/* SPDX-License-Identifier: Apache-2.0
 *
 * Shows its server a buffer, waits until it is in flight and faults; its next life has nothing to do.
 */
#include "parclose.h"

static uint8_t buffer[512];

int main(void) {
  struct channel_window *window = (struct channel_window *)channel("disk")->address;
  volatile uint64_t *shown = &window->request[0].header.sector;
  if (life() > 1)
    return 0;
  *shown = (uintptr_t)buffer;
  while (*shown)
    sleep_ns(100000);
  __asm__ volatile("ud2");
  return 1;
}

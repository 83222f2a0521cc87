/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells the server where two of its buffers are, and waits until it is done.
 */
#include "../measure.h"

static uint8_t buffer[8192];

int main(void) {
  const struct channel_descriptor *disk = channel("disk");
  volatile struct channel_window *window = (volatile struct channel_window *)disk->address;
  uint8_t on_stack[4096];
  __asm__ volatile("" : : "r"(on_stack) : "memory");
  window->request[0].header.sector = (uintptr_t)buffer;
  window->request[1].header.sector = (uintptr_t)on_stack;
  window->header.magic = CHANNEL_MAGIC;
  while (window->header.magic == CHANNEL_MAGIC)
    monitor_signal_and_wait(disk->index, 0, deadline_in_ns(1000000));
  return 0;
}

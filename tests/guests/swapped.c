/* SPDX-License-Identifier: Apache-2.0
 *
 * Two clients of a server that takes the channel of one for that of the other. The attacker reads a block of its own into
 * memory of its own; the victim has a buffer at the same address, asks for nothing and looks whether anything comes.
 */
#include "hostile.h"

#define WATCH_NS 400000000ull
#define PATIENCE_NS 150000000ull
#define UNTOUCHED 0x5a

static struct block disk;
static uint8_t buffer[512];

static int watch(void) {
  for (uint64_t end = deadline_in_ns(WATCH_NS); clock_now() < end; sleep_ns(1000000))
    if (*(volatile uint8_t *)buffer != UNTOUCHED) {
      escaped("wrote another's memory, at %p", (void *)buffer);
      return verdict();
    }
  return 0;
}

int main(void) {
  memset(buffer, UNTOUCHED, sizeof buffer);
  block_open(&disk, channel("disk"));
  disk.timeout_ns = PATIENCE_NS;
  if (strcmp(partition_name(), "victim") == 0)
    return watch();
  sleep_ns(50000000);
  attempting("to read through another's channel, into %p", (void *)buffer);
  say("result %d", block_read(&disk, 0, buffer, sizeof buffer));
  if (buffer[0] != UNTOUCHED)
    escaped("read another's block");
  return 0;
}

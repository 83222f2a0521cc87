/* SPDX-License-Identifier: Apache-2.0
 *
 * Rings 1000 times; each time the one who is listed earlier must have run before the call returns.
 */
#include "monitor.h"
#include "parclose.h"

#define RINGS 1000u

int main(void) {
  const volatile uint64_t *rung = (const volatile uint64_t *)region("rung")->address;
  uint32_t bell = channel("bell")->index;
  unsigned missed = 0;
  uint64_t longest = 0;
  sleep_ns(50000000);
  for (unsigned i = 0; i < RINGS; i++) {
    uint64_t before = *rung;
    uint64_t start = clock_now();
    if (monitor_signal(bell, 0) != STATUS_OK)
      return 2;
    uint64_t ticks = clock_now() - start;
    missed += *rung != before + 1;
    longest = ticks > longest ? ticks : longest;
  }
  printf("missed %u of %u\n", missed, RINGS);
  return missed != 0;
}

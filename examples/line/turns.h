/* SPDX-License-Identifier: Apache-2.0
 *
 * Watches the clock at the start of each of our turns. Whoever misses one has a
 * gap of twice the usual length.
 */
#ifndef TURNS_H
#define TURNS_H

#include "parclose.h"

static void watch_turns(uint32_t turns) {
  yield();
  uint64_t first = clock_now(), last = first, longest = 0;
  for (uint32_t i = 0; i < turns; i++) {
    yield(); /* returns at the start of our next turn */
    uint64_t now = clock_now();
    if (now - last > longest)
      longest = now - last;
    last = now;
  }
  printf("%u turns, one every %llu us; the longest gap was %llu us\n", turns,
         (unsigned long long)ticks_to_us((last - first) / turns), (unsigned long long)ticks_to_us(longest));
}

#endif

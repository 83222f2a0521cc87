/* SPDX-License-Identifier: Apache-2.0
 *
 * Watches the clock at the start of each of our turns. Whoever misses one finds
 * a gap of twice the usual length.
 */
#ifndef TURNS_H
#define TURNS_H

#include "parclose.h"

#define TURNS 300u

static uint64_t turn_start[TURNS + 1]; /* ticks */

static void watch_turns(void) {
  uint64_t longest = 0, missed = 0;
  for (uint32_t i = 0; i <= TURNS; i++) {
    yield(); /* returns at the start of our next turn */
    turn_start[i] = clock_now();
  }
  uint64_t usual = (turn_start[TURNS] - turn_start[0]) / TURNS;
  for (uint32_t i = 0; i < TURNS; i++) {
    uint64_t gap = turn_start[i + 1] - turn_start[i];
    longest = gap > longest ? gap : longest;
    missed += gap > usual + usual / 2;
  }
  printf("%u turns, one every %llu us, longest gap %llu us: %llu missed\n", TURNS,
         (unsigned long long)ticks_to_us(usual), (unsigned long long)ticks_to_us(longest), (unsigned long long)missed);
}

#endif

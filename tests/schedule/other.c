/* SPDX-License-Identifier: Apache-2.0
 *
 * Its turns are its own: none is shortened or lost because a neighbour faults.
 */
#include "parclose.h"

#define TURNS 12u

int main(void) {
  uint64_t gap = ns_to_ticks(1000000), most = 0, before = clock_now(), start = 0;
  for (unsigned turn = 0; turn < TURNS;) {
    uint64_t now = clock_now();
    if (now - before > gap) {
      uint64_t apart = now - start;
      most = turn > 1 && apart > most ? apart : most;
      start = now;
      turn++;
    }
    before = now;
  }
  printf("turns at most %llu ns apart\n", (unsigned long long)ticks_to_ns(most));
  return 0;
}

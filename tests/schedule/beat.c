/* SPDX-License-Identifier: Apache-2.0
 *
 * When its turns begin, how far apart and how long they are. It must not wait for anything while it counts.
 */
#include "parclose.h"

#define TURNS 1000u
#define GAP_NS 20000u

static uint64_t start[TURNS + 1], end[TURNS + 1];

static void count_turns(void) {
  uint64_t gap = ns_to_ticks(GAP_NS);
  uint64_t before = clock_now();
  for (unsigned turn = 0; turn <= TURNS;) {
    uint64_t now = clock_now();
    if (now - before > gap) {
      end[turn] = before;
      start[turn++] = now;
    }
    before = now;
  }
}

int main(void) {
  count_turns();
  uint64_t least = UINT64_MAX, most = 0, shortest = UINT64_MAX, longest = 0;
  for (unsigned turn = 2; turn <= TURNS; turn++) {
    uint64_t apart = start[turn] - start[turn - 1];
    uint64_t length = end[turn] - start[turn - 1];
    least = apart < least ? apart : least;
    most = apart > most ? apart : most;
    shortest = length < shortest ? length : shortest;
    longest = length > longest ? length : longest;
  }
  printf("apart %llu to %llu ns\n", (unsigned long long)ticks_to_ns(least), (unsigned long long)ticks_to_ns(most));
  printf("long %llu to %llu ns\n", (unsigned long long)ticks_to_ns(shortest), (unsigned long long)ticks_to_ns(longest));
  printf("together %llu ns in %u turns\n", (unsigned long long)ticks_to_ns(start[TURNS] - start[1]), TURNS - 1);
  return 0;
}

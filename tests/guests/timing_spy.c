/* SPDX-License-Identifier: Apache-2.0
 *
 * No protection: a program that gets what its neighbour leaves of a frame, and learns from how much that is what the
 * neighbour does.
 */
#include "hostile.h"
#include "timing.h"

#define GAP_NS 2000u /* longer: somebody else ran */

/* Our own time in one round of all turns, turn by turn. */
static void measure(uint64_t own[TIMING_BITS]) {
  while (timing_turn(clock_now()) != 0) /* to the end of the round that we came into */
    continue;
  while (timing_turn(clock_now()) == 0)
    continue;
  for (uint64_t before = clock_now(), now, turns = 0; turns < TIMING_BITS; before = now) {
    now = clock_now();
    turns += timing_turn(now) != timing_turn(before);
    if (now - before < GAP_NS && turns < TIMING_BITS)
      own[timing_turn(now)] += now - before;
  }
}

int main(void) {
  uint64_t own[TIMING_BITS] = {0}, most = 0;
  attempting("to learn what the neighbour does, from the time that it leaves");
  measure(own);
  for (unsigned i = 0; i < TIMING_BITS; i++)
    if (own[i] > most)
      most = own[i];
  unsigned learnt = 0;
  for (unsigned i = 0; i < TIMING_BITS; i++)
    learnt |= (unsigned)(own[i] < most / 2) << i;
  say("learnt %x", learnt);
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the clock as fast as it can and counts its own ticks of each of its frames. What is missing was lost to others.
 */
#include "theft.h"

#define STEP 64u /* ticks between two readings with nobody in between, at most */

/* Our ticks from now to the end of this frame, which is where nothing of ours comes for longer than half a frame. */
static uint64_t own_ticks(void) {
  uint64_t own = 0, last = clock_now();
  for (;;) {
    uint64_t now = clock_now(), step = now - last;
    last = now;
    if (step < STEP)
      own += step;
    else if (step > ns_to_ticks(FRAME_NS) / 2)
      return own;
  }
}

int main(void) {
  volatile uint32_t *measured = (volatile uint32_t *)region("measured")->address;
  uint64_t most = 0, declared = ns_to_ticks(BUDGET_NS);
  for (unsigned i = 0; i < 20; i++) /* until the attacker is at work */
    own_ticks();
  for (unsigned i = 0; i < SAMPLES; i++) {
    uint64_t lost = ns_to_ticks(FRAME_NS) - own_ticks();
    most = lost > most ? lost : most;
  }
  *measured = 1;
  say("lost %llu of %llu", (unsigned long long)ticks_to_ns(most), (unsigned long long)ticks_to_ns(declared));
  if (most > declared)
    escaped("the victim lost more than the schedule declares");
  return verdict();
}

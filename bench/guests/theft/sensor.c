/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the clock as fast as it can and counts its own ticks of each frame. The rest of the frame was lost: to the I/O partition
 * before it in the list, to interrupts, to the switches; and, at most, one step of this loop at each of its interruptions.
 */
#include "../measure.h"

#define FRAME_NS 200000u /* as in layout.yaml; a tick is a nanosecond */
#define AWAY 150000u     /* ticks that only the other frames take */
#define STEP 32u         /* of the loop below, at most */
#define SAMPLES 1000u

static uint32_t sample[SAMPLES], interruptions[SAMPLES];

/* Our ticks from now to the end of this frame, and how often we were interrupted. */
static uint32_t own_ticks(uint32_t *interrupted) {
  uint32_t own = 0, last = (uint32_t)clock_now();
  for (;;) {
    uint32_t now = (uint32_t)clock_now(), step = now - last;
    last = now;
    if (step < STEP)
      own += step;
    else if (step > AWAY)
      return own;
    else
      ++*interrupted;
  }
}

int main(void) {
  volatile uint32_t *stop = (volatile uint32_t *)region("stop")->address;
  for (unsigned i = 0; i < 50; i++) /* until the logger is at work */
    own_ticks(&interruptions[0]);
  interruptions[0] = 0;
  for (unsigned i = 0; i < SAMPLES; i++)
    sample[i] = (uint32_t)ns_to_ticks(FRAME_NS) - own_ticks(&interruptions[i]);
  *stop = 1;
  say_samples("lost", sample, SAMPLES);
  say_samples("interruptions", interruptions, SAMPLES);
  return 0;
}

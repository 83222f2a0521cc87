/* SPDX-License-Identifier: Apache-2.0
 *
 * How late it wakes up. Where its frame is over when the moment comes, the next frame's start counts.
 */
#include "parclose.h"

#define SLEEPS 200u

int main(void) {
  uint64_t late[SLEEPS];
  unsigned early = 0;
  for (unsigned i = 0; i < SLEEPS; i++) {
    uint64_t moment = deadline_in_ns(20000 + 7919 * i);
    wait_until(moment);
    uint64_t now = clock_now();
    early += now < moment;
    late[i] = ticks_to_ns(now - moment);
  }
  unsigned prompt = 0;
  for (unsigned i = 0; i < SLEEPS; i++)
    prompt += late[i] < 2000;
  printf("early %u, within 2 us %u of %u\n", early, prompt, SLEEPS);
  return early != 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * No protection: a program that computes or waits by what it knows. It touches nothing of anybody else.
 */
#include "timing.h"

int main(void) {
  for (;;) {
    uint64_t now = clock_now();
    if ((SECRET >> timing_turn(now) & 1) == 0)
      sleep_ns(timing_left(now));
  }
}

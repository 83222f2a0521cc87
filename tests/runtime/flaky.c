/* SPDX-License-Identifier: Apache-2.0
 *
 * Faults in six lives, each after a while.
 */
#include "parclose.h"

int main(void) {
  sleep_ns(PAUSE_MS * 1000000ull);
  if (life() <= 6)
    __builtin_trap();
  return 0;
}

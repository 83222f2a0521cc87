/* SPDX-License-Identifier: Apache-2.0
 *
 * Uses a quarter of its turn and gives up the rest, again and again.
 */
#include "parclose.h"

int main(void) {
  for (;;) {
    for (uint64_t until = clock_now() + ns_to_ticks(50000); clock_now() < until;)
      ;
    yield();
  }
}

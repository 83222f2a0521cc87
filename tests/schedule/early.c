/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts how often it was woken, in memory that 'late' may read. Ends when nobody rings any more.
 */
#include "parclose.h"

int main(void) {
  volatile uint64_t *rung = (volatile uint64_t *)region("rung")->address;
  unsigned event = channel("bell")->event;
  *rung = 0;
  while (wait_event(event, deadline_in_ns(200000000)))
    (*rung)++;
  return 0;
}

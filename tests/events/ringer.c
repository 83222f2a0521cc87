/* SPDX-License-Identifier: Apache-2.0
 *
 * Rings what belongs to each round, as soon as it is asked for.
 */
#include "rounds.h"

int main(void) {
  *word("done") = UINT32_MAX;
  for (uint32_t number = 1; number <= 3 * ROUNDS; number++) {
    while (*word("go") != number)
      sleep_ns(100000);
    for (uint32_t i = 0; i < RUNG; i++)
      monitor_signal(numbered(rounds[(number - 1) % ROUNDS][i])->index, 0);
    *word("done") = number;
  }
  while (*word("go") != UINT32_MAX) /* the end of a partition rings all of its channels */
    sleep_ns(100000);
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "parclose.h"

static struct peer told;

int main(void) {
  uint32_t count = 0, number, answer;
  if (!peer_open(&told, channel("told")))
    return 1;
  while (peer_receive(&told, &number, sizeof number, deadline_in_ns(3000000000)) == sizeof number) {
    answer = number * 3;
    if (peer_send(&told, &answer, sizeof answer, deadline_in_ns(1000000000)) != STATUS_OK)
      return 2;
    if (life() < 6 && ++count == 37)
      __builtin_trap();
  }
  return life() == 6 ? 0 : 3; /* nobody asks any more */
}

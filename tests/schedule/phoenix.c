/* SPDX-License-Identifier: Apache-2.0
 *
 * Notes when it faulted, in memory that outlives it, and at the next life how long that was ago.
 */
#include "parclose.h"

struct ashes {
  uint64_t fault;
  uint64_t longest;
};

int main(void) {
  volatile struct ashes *ashes = (volatile struct ashes *)region("ashes")->address;
  if (life() == 1) {
    ashes->longest = 0;
  } else {
    uint64_t since = ticks_to_ns(clock_now() - ashes->fault);
    if (since > ashes->longest)
      ashes->longest = since;
  }
  if (life() == 4) {
    printf("longest without a life: %llu ns\n", (unsigned long long)ashes->longest);
    return 0;
  }
  for (uint64_t turn = clock_now() + ns_to_ticks(2000000); clock_now() < turn;)
    ; /* well inside a turn: the place of this one must be what the next life gets */
  ashes->fault = clock_now();
  __asm__ volatile("ud2");
  return 1;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks for another's values in the vector registers: the lower halves (WHICH 0) or the upper ones (WHICH 1).
 */
#include "hostile.h"
#include "secret.h"

uint64_t found[16][4];

static void read_all(void) {
  __asm__ volatile(".set place, 0\n"
                   ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
                   "vmovdqu %%ymm\\n, found + place\n"
                   ".set place, place + 32\n"
                   ".endr\n" ::
                       : "memory");
}

static void compare(const char *when) {
  for (unsigned i = 0; i < 16; i++)
    if (found[i][2 * WHICH] == SECRET || found[i][2 * WHICH + 1] == SECRET)
      escaped("%s vector register %u holds %llx %s", WHICH ? "the upper half of" : "the lower half of", i,
              (unsigned long long)found[i][2 * WHICH], when);
}

int main(void) {
  read_all();
  attempting("to find another's vector registers");
  compare("at entry");
  for (unsigned round = 0; round < SWITCHES && !has_escaped; round++) {
    __asm__ volatile("vzeroall" ::: "memory");
    until_switched();
    read_all();
    compare("after a switch");
  }
  return verdict();
}

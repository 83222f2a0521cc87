/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks for another's MXCSR: with a foreign rounding mode our sums come out differently.
 */
#include "hostile.h"
#include "secret.h"

#define OWN 0x1f80u

static void look(const char *when) {
  uint32_t found;
  __asm__ volatile("stmxcsr %0" : "=m"(found));
  if (found != OWN)
    escaped("MXCSR is %x %s", found, when);
}

int main(void) {
  attempting("to find another's MXCSR");
  look("at entry");
  for (unsigned round = 0; round < SWITCHES && !has_escaped; round++) {
    uint32_t own = OWN;
    __asm__ volatile("ldmxcsr %0" : : "m"(own));
    until_switched();
    look("after a switch");
  }
  return verdict();
}

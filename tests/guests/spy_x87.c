/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks for another's x87 registers: the tags of FXSAVE say which are in use (Intel SDM 1, 10.5.1.1).
 */
#include "hostile.h"
#include "secret.h"

static _Alignas(16) uint8_t area[512];

static void look(const char *when) {
  __asm__ volatile("fxsave %0" : "=m"(area));
  if (area[4] != 0)
    escaped("x87 registers %x are in use %s", area[4], when);
}

int main(void) {
  attempting("to find another's x87 registers");
  look("at entry");
  for (unsigned round = 0; round < SWITCHES && !has_escaped; round++) {
    __asm__ volatile("fninit");
    until_switched();
    look("after a switch");
  }
  return verdict();
}

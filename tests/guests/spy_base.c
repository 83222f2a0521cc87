/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks for another's FS and GS base.
 */
#include "hostile.h"
#include "secret.h"

#define OWN 0x12345000ull

static void look(uint64_t own, const char *when) {
  uint64_t fs, gs;
  __asm__ volatile("rdfsbase %0; rdgsbase %1" : "=r"(fs), "=r"(gs));
  if (fs != own || gs != own)
    escaped("FS base is %llx and GS base %llx %s", (unsigned long long)fs, (unsigned long long)gs, when);
}

int main(void) {
  attempting("to find another's segment bases");
  look(0, "at entry");
  for (unsigned round = 0; round < SWITCHES && !has_escaped; round++) {
    __asm__ volatile("wrfsbase %0; wrgsbase %0" : : "r"(OWN));
    until_switched();
    look(OWN, "after a switch");
  }
  return verdict();
}

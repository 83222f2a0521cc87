/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks for another's segment selectors: a few bits that would pass from partition to partition.
 */
#include "hostile.h"
#include "secret.h"

static void look(const char *when) {
  uint32_t ds, es, fs, gs;
  __asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3" : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
  if (ds | es | fs | gs)
    escaped("selectors are %x %x %x %x %s", ds, es, fs, gs, when);
}

int main(void) {
  attempting("to find another's segment selectors");
  look("at entry");
  for (unsigned round = 0; round < SWITCHES && !has_escaped; round++) {
    __asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(0));
    until_switched();
    look("after a switch");
  }
  return verdict();
}

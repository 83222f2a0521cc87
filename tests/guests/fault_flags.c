/* SPDX-License-Identifier: Apache-2.0
 *
 * Carries flags into the monitor by an exception: direction, alignment, nested task, trap, identification. Exceptions have no
 * mask of flags as calls have; backwards string instructions in ring 0 would write over what is before their place.
 */
#include "hostile.h"

static const uint64_t flags[] = {0x400, 0x40000, 0x4000, 0x200000, 0x100, 0x244d00};

static void undefined_with(uint64_t bits) {
  __asm__ volatile("pushfq; orq %0, (%%rsp); popfq; ud2" : : "r"(bits) : "memory", "cc");
}

int main(void) {
  for (unsigned i = life() - 1; i < sizeof flags / sizeof flags[0]; i++) {
    attempting("a fault with flags %llx", (unsigned long long)flags[i]);
    undefined_with(flags[i]);
  }
  return verdict();
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns interrupts off and keeps the processor: life 1 by CLI, life 2 by POPF,
 * which ring 3 may execute but which leaves the flag alone. A step of the clock
 * that is far longer than the loop's own means that somebody else ran.
 */
#include "hostile.h"

#define FLAG_INTERRUPTS 0x200ull
#define LOOP_NS 30000000ull
#define GAP_NS 200000ull

static uint64_t flags_after_popf(void) {
  uint64_t flags;
  __asm__ volatile("pushfq; andq $~0x200, (%%rsp); popfq; pushfq; popq %0" : "=r"(flags) : : "memory", "cc");
  return flags;
}

static unsigned gaps_in_loop(void) {
  unsigned gaps = 0;
  uint64_t gap = ns_to_ticks(GAP_NS), end = deadline_in_ns(LOOP_NS);
  for (uint64_t last = clock_now(), now; last < end; last = now) {
    flags_after_popf();
    now = clock_now();
    gaps += now - last > gap;
  }
  return gaps;
}

int main(void) {
  if (life() == 1) {
    attempting("cli");
    __asm__ volatile("cli");
    escaped("cli: the flag is %d", (flags_after_popf() & FLAG_INTERRUPTS) != 0);
  }
  attempting("popf");
  uint64_t flags = flags_after_popf();
  unsigned gaps = gaps_in_loop();
  __asm__ volatile("" : : : "memory");
  if (flags & FLAG_INTERRUPTS && gaps >= 3)
    say("the flag stays, and others had the processor");
  else
    escaped("interrupts off, %u gaps", gaps);
  return verdict();
}

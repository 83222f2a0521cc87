/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns interrupts off and keeps the processor: life 1 by CLI, life 2 by POPF,
 * which ring 3 may execute but which leaves the flag alone: its neighbour, which counts while it runs, goes on.
 */
#include "hostile.h"
#include "secret.h"

#define FLAG_INTERRUPTS 0x200ull
#define LOOP_NS 2000000000ull
#define ENOUGH 3u

static uint64_t flags_after_popf(void) {
  uint64_t flags;
  __asm__ volatile("pushfq; andq $~0x200, (%%rsp); popfq; pushfq; popq %0" : "=r"(flags) : : "memory", "cc");
  return flags;
}

static unsigned switches_in_loop(void) {
  unsigned switches = 0;
  uint64_t end = deadline_in_ns(LOOP_NS);
  for (uint64_t last = *BEAT, now; clock_now() < end && switches < ENOUGH; last = now) {
    flags_after_popf();
    now = *BEAT;
    switches += now != last;
  }
  return switches;
}

int main(void) {
  if (life() == 1) {
    attempting("cli");
    __asm__ volatile("cli");
    escaped("cli: the flag is %d", (flags_after_popf() & FLAG_INTERRUPTS) != 0);
  }
  attempting("popf");
  uint64_t flags = flags_after_popf();
  unsigned switches = switches_in_loop();
  if (flags & FLAG_INTERRUPTS && switches >= ENOUGH)
    say("the flag stays, and others had the processor");
  else
    escaped("interrupts off, %u switches", switches);
  return verdict();
}

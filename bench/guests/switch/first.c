/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the clock into memory that `second` reads, as fast as it can, so that its last instruction's time is known to
 * one instruction: the store, or the reading after it. Around the loop's own end the word is 0: such a switch does not count.
 */
#include "../measure.h"

static void run(volatile uint32_t *clock, const volatile uint32_t *stop) {
  __asm__ volatile("1:\n\t"
                   ".rept 1024\n\t"
                   "rdtsc\n\t"
                   "movl %%eax, (%0)\n\t"
                   ".endr\n\t"
                   "movl $0, (%0)\n\t"
                   "cmpl $0, (%1)\n\t"
                   "je 1b"
                   :
                   : "r"(clock), "r"(stop)
                   : "eax", "edx", "memory");
}

int main(void) {
  volatile uint32_t *clock = (volatile uint32_t *)region("clock")->address;
  const volatile uint32_t *stop = (const volatile uint32_t *)region("stop")->address;
  vectors_set(1);
  run(clock, stop);
  return vectors_kept(1) ? 0 : 1;
}

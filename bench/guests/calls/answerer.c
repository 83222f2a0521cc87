/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers every signal with a signal: five instructions of its own a round trip.
 */
#include "../measure.h"

int main(void) {
  uint64_t peer = channel("peer")->index;
  vectors_set(2);
  monitor_wait(NEVER);
  __asm__ volatile("1:\n\t"
                   "movl %0, %%eax\n\t"
                   "movq $-1, %%rdx\n\t"
                   "syscall\n\t"
                   "testl %%eax, %%eax\n\t"
                   "je 1b"
                   :
                   : "i"(CALL_SIGNAL_AND_WAIT), "D"(peer), "S"(0)
                   : "eax", "rcx", "rdx", "r11", "memory");
  return vectors_kept(2) ? 0 : 1; /* `caller` has ended: refused */
}

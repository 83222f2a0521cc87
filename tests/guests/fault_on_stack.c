/* SPDX-License-Identifier: Apache-2.0
 *
 * Faults with a stack pointer that no exception frame fits on. The processor must take the monitor's stack.
 */
#include "privileged.h"

int main(void) {
  static const uint64_t stacks[] = {8, LOCAL_CONTEXT + PAGE_SIZE, 0xffffffff80000800ull, 0x8000000000000000ull};
  for (unsigned i = life() - 1; i < sizeof stacks / sizeof stacks[0]; i++) {
    attempting("a fault with the stack at %llx", (unsigned long long)stacks[i]);
    monitor_yield(); /* the control's monitor comes back in ring 0, where a fault takes no other stack */
    __asm__ volatile("mov %0, %%rsp; ud2" : : "r"(stacks[i]) : "memory");
  }
  return verdict();
}

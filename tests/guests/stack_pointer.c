/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls with a stack pointer that leads into the monitor, nowhere, or out of the canonical addresses: the monitor must use
 * a stack of its own from the first instruction on.
 */
#include "hostile.h"

static uint64_t yield_with(uint64_t stack) {
  uint64_t status = CALL_YIELD;
  __asm__ volatile(
      "mov %%rsp, %%rbx; mov %1, %%rsp; syscall; cmp %1, %%rsp; mov %%rbx, %%rsp; je 1f; mov $99, %%eax; 1:"
      : "+a"(status)
      : "r"(stack)
      : "rbx", "rcx", "rdx", "r11", "memory", "cc");
  return status;
}

int main(void) {
  static const uint64_t stacks[] = {8,
                                    LOCAL_CONTEXT + PAGE_SIZE,
                                    LOCAL_STACK_TOP,
                                    DATABASE_ADDRESS + 0x800,
                                    0x8000000000000000ull,
                                    0x0000800000000000ull};
  for (unsigned i = 0; i < sizeof stacks / sizeof stacks[0]; i++) {
    attempting("a call with the stack at %llx", (unsigned long long)stacks[i]);
    must_be(STATUS_OK, yield_with(stacks[i]));
  }
  return verdict();
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Carries flags into the monitor: nested task, direction, alignment, trap-free and all at once, before calls that
 * give the processor away. NT in ring 0 would make its next IRET fault (Intel SDM 2A, IRET).
 */
#include "hostile.h"

#define NESTED 0x4000ull
#define ALIGNMENT 0x40000ull
#define DIRECTION 0x400ull
#define IDENTIFICATION 0x200000ull

static uint64_t yield_with(uint64_t flags) {
  uint64_t status = CALL_YIELD;
  __asm__ volatile("pushfq; orq %1, (%%rsp); popfq; syscall; pushfq; andq $~0x244400, (%%rsp); popfq"
                   : "+a"(status)
                   : "r"(flags)
                   : "rcx", "rdx", "r11", "memory", "cc");
  return status;
}

int main(void) {
  static const uint64_t flags[] = {NESTED, DIRECTION, ALIGNMENT, IDENTIFICATION,
                                   NESTED | DIRECTION | ALIGNMENT | IDENTIFICATION};
  for (unsigned i = 0; i < sizeof flags / sizeof flags[0]; i++) {
    attempting("a call with flags %llx", (unsigned long long)flags[i]);
    must_be(STATUS_OK, yield_with(flags[i]));
  }
  return verdict();
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Single-steps into the monitor: the trap flag over calls that come back by SYSRET at once, over one that gives the
 * processor away, and in the shadow of a load of SS, which holds a trap back for one instruction (Intel SDM 3A, 6.8.3).
 */
#include "hostile.h"

#define STEP "pushfq; orq $0x100, (%%rsp); popfq\n"

#define DEED(name, number, text)                                                                                       \
  static void name(void) {                                                                                             \
    uint64_t result = number;                                                                                          \
    __asm__ volatile(STEP text : "+a"(result) : "D"(0), "S"(0), "d"(0) : "rcx", "r11", "memory", "cc");                \
  }

DEED(over_yield, CALL_YIELD, "syscall; nop; nop")
DEED(over_signal, CALL_SIGNAL, "syscall; nop; nop")
DEED(over_short, CALL_ACKNOWLEDGE, "syscall; nop; nop")
DEED(over_none, CALL_COUNT, "syscall; nop; nop")
DEED(in_shadow, CALL_YIELD, "mov %%ss, %%ecx; mov %%ecx, %%ss; syscall; nop; nop")
DEED(over_nothing, 0, "nop; nop")

static const struct {
  const char *name;
  void (*act)(void);
} deeds[] = {
    {"a yield", over_yield},
    {"a signal", over_signal},
    {"an acknowledgement", over_short},
    {"a call that is none", over_none},
    {"a load of SS, then a yield", in_shadow},
    {"nothing", over_nothing},
};

int main(void) {
  for (unsigned i = life() - 1; i < sizeof deeds / sizeof deeds[0]; i++) {
    attempting("to step over %s", deeds[i].name);
    deeds[i].act();
    escaped("stepped over %s without a trap", deeds[i].name);
  }
  return verdict();
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Call numbers that no role has, with wild arguments, and the calls that every role has with wild arguments where they take
 * none or any. A table read beyond its end would be a jump to anywhere.
 */
#include "hostile.h"

#define WILD 0x8000000000000000ull

/* What a call does not take cannot hurt: these are granted. */
static void fair_calls(void) {
  attempting("to yield with wild arguments");
  say("fair %d", monitor_call(CALL_YIELD, WILD, ~0ull, 0xffffffff).status);
  attempting("to write a wild character");
  say("fair %d", monitor_call(CALL_DEBUG, WILD | '\n', ~0ull, 0xffffffff).status);
  attempting("to wait for the past");
  enum status status = monitor_call(CALL_WAIT, 1, ~0ull, 0xffffffff).status;
  say("fair %d", status == STATUS_TIMEOUT || status == STATUS_OK ? 0 : status);
}

int main(void) {
  fair_calls();
  static const uint64_t numbers[] = {0x7f,       0xff,       0x100,       0xffff,      0x7fffffff,
                                     0x80000000, 0xffffffff, 0x100000000, 0x100000006, 0x1fffffff8,
                                     1ull << 61, WILD,       WILD | 6,    ~0ull - 7,   ~0ull};
  for (uint64_t number = CALL_COUNT; number < CALL_COUNT + 24; number++) {
    attempting("call %llx", (unsigned long long)number);
    must_be(STATUS_NO_CALL, monitor_call((enum call)number, WILD, ~0ull, 0xffffffff).status);
  }
  for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    uint64_t status = numbers[i];
    attempting("call %llx", (unsigned long long)numbers[i]);
    __asm__ volatile("syscall" : "+a"(status) : "D"(WILD), "S"(~0ull), "d"(0xffffffffull) : "rcx", "r11", "memory");
    must_be(STATUS_NO_CALL, (enum status)status);
  }
  return verdict();
}

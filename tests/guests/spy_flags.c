/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks for another's flags: identification, alignment check, direction.
 */
#include "hostile.h"
#include "secret.h"

static void look(const char *when) {
  uint64_t flags;
  __asm__ volatile("pushfq; popq %0; cld" : "=r"(flags) : : "cc");
  if (flags & SECRET_FLAGS)
    escaped("flags are %llx %s", (unsigned long long)flags, when);
}

int main(void) {
  attempting("to find another's flags");
  look("at entry");
  for (unsigned round = 0; round < SWITCHES && !has_escaped; round++) {
    __asm__ volatile("pushfq; andq %0, (%%rsp); popfq" : : "i"(~SECRET_FLAGS) : "cc", "memory");
    until_switched();
    look("after a switch");
  }
  return verdict();
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps values of its own in all general registers through many switches, then looks whether they are still its own.
 */
#include "hostile.h"
#include "secret.h"

static const char names[][4] = {"rax", "rbx", "rdx", "rsi", "rdi", "rbp", "r8",
                                "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
uint64_t found[14];

/* Long enough for some frames, with every register but the counter holding 0x1111. */
static void keep(void) {
  __asm__ volatile("push %%rbp\n"
                   ".irp name,rax,rbx,rdx,rsi,rdi,rbp,r8,r9,r10,r11,r12,r13,r14,r15\n"
                   "mov $0x1111, %%\\name\n"
                   ".endr\n"
                   "mov $2000000, %%ecx\n"
                   "1: dec %%ecx; jnz 1b\n"
                   ".set place, 0\n"
                   ".irp name,rax,rbx,rdx,rsi,rdi,rbp,r8,r9,r10,r11,r12,r13,r14,r15\n"
                   "mov %%\\name, found + place\n"
                   ".set place, place + 8\n"
                   ".endr\n"
                   "pop %%rbp\n"
                   :
                   :
                   : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
                     "memory", "cc");
}

int main(void) {
  attempting("to find another's general registers");
  for (unsigned round = 0; round < SWITCHES && !has_escaped;) {
    uint64_t seen = *BEAT;
    keep();
    round += *BEAT != seen; /* else no switch came in between, and nothing is shown */
    for (unsigned i = 0; i < 14; i++)
      if (found[i] != 0x1111)
        escaped("%s holds %llx", names[i], (unsigned long long)found[i]);
  }
  return verdict();
}

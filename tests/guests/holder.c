/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps a secret in every register that a program can write, for ever: general ones, vectors with their upper halves, x87,
 * MXCSR, FS and GS base, segment selectors, flags. The spies look for it right after a switch.
 */
#include "secret.h"

static const uint64_t secret = SECRET;
static const uint32_t control = SECRET_MXCSR;

/* Again and again: in a control, what a switch does not restore is also lost for us. Only RAX holds no secret, and R14
   another one. */
int main(void) {
  __asm__ volatile("mov $0x1b, %%eax; mov %%eax, %%fs; mov %%eax, %%gs\n"
                   "mov %0, %%rbx\n"
                   ".irp name,rcx,rdx,rsi,rdi,rbp,r8,r9,r10,r11,r12,r13,r15\n"
                   "mov %%rbx, %%\\name\n"
                   ".endr\n"
                   "mov %2, %%r14\n"
                   "1: incq %4\n"
                   "pushfq; orq %3, (%%rsp); popfq\n"
                   "mov %%eax, %%ds; mov %%eax, %%es\n"
                   "wrfsbase %%r14; wrgsbase %%r14\n"
                   "ldmxcsr %1; fninit; fld1; fld1; fld1; fld1; fld1; fld1; fld1; fld1\n"
                   ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
                   "vbroadcastsd %0, %%ymm\\n\n"
                   ".endr\n"
                   "jmp 1b\n"
                   :
                   : "m"(secret), "m"(control), "i"(SECRET_BASE), "i"(SECRET_FLAGS),
                     "m"(*(volatile uint64_t *)REGION_ADDRESS)
                   : "memory");
  __builtin_unreachable();
}

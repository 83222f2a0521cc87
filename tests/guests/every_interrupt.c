/* SPDX-License-Identifier: Apache-2.0
 *
 * INT n for all n: those of devices and of the timer first, then those of exceptions, which a forger might hope to have
 * taken for real ones. The first of these, #DF, is the end of the control.
 */
#include "hostile.h"

#define EXCEPTIONS 32u
#define DOUBLE_FAULT 8u
#define DEED_SIZE 3u

/* INT n; RET, 256 times. As bytes: the assembler would take the short form for INT 3. */
__asm__(".text\n"
        "forge: .set number, 0\n"
        ".rept 256\n"
        ".byte 0xcd, number, 0xc3\n"
        ".set number, number + 1\n"
        ".endr\n");

extern const char forge[];

int main(void) {
  for (unsigned i = life() - 1; i < 256; i++) {
    unsigned vector = i < 256 - EXCEPTIONS ? i + EXCEPTIONS : (i + DOUBLE_FAULT) % EXCEPTIONS;
    attempting("int %x", vector);
    ((void (*)(void))(uintptr_t)&forge[DEED_SIZE * vector])();
    escaped("int %x", vector);
  }
  return verdict();
}

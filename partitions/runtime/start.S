/* SPDX-License-Identifier: Apache-2.0
 *
 * Where every life of a partition begins: registers are zero but for RDI (the
 * life, counted from 1), RSP and RIP. A restart enters here again, with memory
 * as the last life left it, so nothing writable is believed before it is set.
 */
#include "note.h"

        .section .note.parclose, "a", @note
        .balign 4
        .long   2f - 1f
        .long   4
        .long   NOTE_TYPE
1:      .asciz  NOTE_NAME
2:      .balign 4
        .long   NOTE_VERSION

        .section .text.start, "ax", @progbits
        .globl  _start
        .type   _start, @function
_start:
        cld
        mov     %rdi, %rbx
        lea     data_image(%rip), %rsi
        lea     data_start(%rip), %rdi
        lea     data_end(%rip), %rcx
        sub     %rdi, %rcx
        shr     $3, %rcx
        rep movsq
        lea     bss_start(%rip), %rdi
        lea     bss_end(%rip), %rcx
        sub     %rdi, %rcx
        shr     $3, %rcx
        xor     %eax, %eax
        rep stosq
        and     $-16, %rsp              /* System V ABI, 3.4.1: aligned before the call */
        xor     %ebp, %ebp              /* the end of a back trace */
        mov     %rbx, %rdi
        call    runtime_main
        ud2                             /* exit does not return */
        .size   _start, . - _start

        .section .note.GNU-stack, "", @progbits

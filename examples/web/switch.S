/* SPDX-License-Identifier: Apache-2.0
 *
 * void task_switch(void **save, void *restore): leaves one stack and goes on with
 * another. What a function must keep for its caller (System V ABI, 3.2.1) lies on the stack.
 */
        .text
        .globl  task_switch
        .type   task_switch, @function
task_switch:
        push    %rbp
        push    %rbx
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, (%rdi)
        mov     %rsi, %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        pop     %rbp
        ret
        .size   task_switch, . - task_switch

        .section .note.GNU-stack, "", @progbits

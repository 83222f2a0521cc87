/* SPDX-License-Identifier: Apache-2.0
 *
 * Every way into ring 0 and the one way out. Entries from ring 3 push the whole register state straight into the
 * context page of the running partition (the ring-0 stack pointer of the TSS ends there, at the same address in every
 * root), then take the processor's stack from its top. So a C handler may load another root: `resume` then leaves
 * with the registers of that partition.
 */
#include "../abi/address.h"
#include "offsets.h"
#include "registers.h"

  .macro push_kept
  .irp register, rbx, rcx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
  pushq %\register
  .endr
  .endm

  .macro pop_kept
  .irp register, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rcx, rbx
  popq %\register
  .endr
  .endm

  .macro push_registers
  pushq %rax
  pushq %rdx
  push_kept
  .endm

  .text

/* SYSCALL: RCX is the return address, R11 the flags; the flag mask has cleared all that could reach us. RCX is canonical:
   no page at or above USER_END_ADDRESS is ever mapped for ring 3, so no SYSCALL instruction stands at the edge. RAX and RDX
   are not kept: they bring the result, to whoever is loaded when the handler returns. */
  .global call_entry
  .balign 16
call_entry:
  movq %rsp, LOCAL_FRAME + FRAME_RSP
  cmpq $ENTRY_CALL_SHORT, %rax
  jae short_call
  movl $VECTOR_CALL, LOCAL_FRAME + FRAME_VECTOR
  movq $(LOCAL_FRAME + FRAME_RDX), %rsp
  push_kept
  movq $LOCAL_STACK_TOP, %rsp
  movq LOCAL_CONTEXT + CONTEXT_CALLS, %rcx
  call *(%rcx, %rax, 8)
  movq $LOCAL_FRAME, %rsp
  pop_kept
  movq LOCAL_FRAME + FRAME_RSP, %rsp
  sysretq

/* The caller goes on at once: only what C may change is kept, on the processor's stack. */
short_call:
  movq $LOCAL_STACK_TOP, %rsp
  pushq %rcx
  pushq %r11
  pushq %rdi
  pushq %rsi
  pushq %r8
  pushq %r9
  pushq %r10
  subq $8, %rsp /* C wants 16 bytes of alignment at its calls */
  cmpq $ENTRY_CALL_COUNT, %rax
  jae 1f
  movq LOCAL_CONTEXT + CONTEXT_CALLS, %rcx
  call *(%rcx, %rax, 8)
2:
  addq $8, %rsp
  popq %r10
  popq %r9
  popq %r8
  popq %rsi
  popq %rdi
  popq %r11
  popq %rcx
  movq LOCAL_FRAME + FRAME_RSP, %rsp
  sysretq
1:
  movl $ENTRY_NO_CALL, %eax
  xorl %edx, %edx
  jmp 2b

/* Interrupts and exceptions: one stub a vector pushes an error code where the processor does not, then the vector. */
  .macro interrupt_entry handler, ring_0
  testb $3, (FRAME_CS - FRAME_VECTOR)(%rsp)
  jz \ring_0
  push_registers
  pushq $RFLAGS_FIXED /* AC and DF are still the partition's */
  popfq
  movq $LOCAL_STACK_TOP, %rsp
  call \handler
  .endm

exception_entry:
  interrupt_entry partition_exception, ring_0_fault
  jmp resume

device_entry:
  interrupt_entry interrupt_device, from_ring_0
  jmp resume

timer_entry:
  interrupt_entry interrupt_timer, from_ring_0

  .global resume
resume:
  cmpl $VECTOR_CALL, LOCAL_FRAME + FRAME_VECTOR
  movq $LOCAL_FRAME, %rsp
  pop_kept
  popq %rdx
  popq %rax
  jne 1f
  movq LOCAL_FRAME + FRAME_RSP, %rsp
  sysretq
1:
  addq $16, %rsp
  iretq

/* Only an idle processor may be interrupted in ring 0, and the idle loop has nothing to go back to. */
from_ring_0:
  cmpq $0, LOCAL_CPU + CPU_IDLE
  je ring_0_fault
  movl (%rsp), %edi
  movq $LOCAL_STACK_TOP, %rsp
  call interrupt_idle
  jmp resume

ring_0_fault:
  push_registers
  movq %rsp, %rdi
  call panic_exception

/* #DF, NMI and #MC have stacks of their own and are the end, wherever they come from. */
fatal:
  push_registers
  movq %rsp, %rdi
  pushq $RFLAGS_FIXED
  popfq
  call panic_exception

/* #DB has its own stack, because MOV SS lets one arrive at the first instruction after SYSCALL with ring 3's stack
   pointer. From ring 3 its frame moves to the context page; in ring 0 it is single-stepping that leaked in: stop stepping. */
debug_common:
  testb $3, (FRAME_CS - FRAME_VECTOR)(%rsp)
  jz 1f
  popq LOCAL_FRAME + FRAME_VECTOR
  popq LOCAL_FRAME + FRAME_VECTOR + 8
  popq LOCAL_FRAME + FRAME_RIP
  popq LOCAL_FRAME + FRAME_CS
  popq LOCAL_FRAME + FRAME_RFLAGS
  popq LOCAL_FRAME + FRAME_RSP
  popq LOCAL_FRAME + FRAME_RSP + 8
  movq $(LOCAL_FRAME + FRAME_VECTOR), %rsp
  jmp exception_entry
1:
  andl $~RFLAGS_TF, (FRAME_RFLAGS - FRAME_VECTOR)(%rsp)
  addq $16, %rsp
  iretq

  .altmacro
  .macro stub number
  .balign VECTOR_STUB_SIZE
  .ifeq (\number - 8) * (\number - 10) * (\number - 11) * (\number - 12) * (\number - 13) * (\number - 14) * (\number - 17) * (\number - 21) * (\number - 29) * (\number - 30)
  .else
  pushq $0
  .endif
  pushq $\number
  .if \number == VECTOR_DEBUG
  jmp debug_common
  .elseif (\number == VECTOR_NMI) || (\number == VECTOR_DOUBLE_FAULT) || (\number == VECTOR_MACHINE_CHECK)
  jmp fatal
  .elseif \number < VECTOR_EXCEPTIONS
  jmp exception_entry
  .elseif \number == VECTOR_TIMER_ENTRY
  jmp timer_entry
  .else
  jmp device_entry
  .endif
  .endm

  .balign VECTOR_STUB_SIZE
  .global vector_stubs
vector_stubs:
  .set number, 0
  .rept 256
  stub %number
  .set number, number + 1
  .endr

  .section .note.GNU-stack, "", @progbits

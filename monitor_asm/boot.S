/* SPDX-License-Identifier: Apache-2.0
 *
 * From the loader to C. Both ways in are 32-bit protected mode with flat segments and paging off: PVH (Xen "PVH direct
 * boot" ABI), where EBX points to struct hvm_start_info, and multiboot2, where it points to the loader's tags and EAX has a
 * magic number (GRUB leaves UEFI's boot services itself, unless told to keep them). The tables here map the first 4 GiB one to one and the monitor's first 2 MiB; they serve until
 * the manager's own root is loaded and are never used again.
 */
#include "../abi/address.h"
#include "loader.h"
#include "registers.h"

  .section .note.pvh, "a", @note
  .align 4
  .long 4, 8, 18 /* name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY */
  .asciz "Xen"
  .quad boot_entry

  .section .boot, "ax", @progbits
  .code32
  .global boot_entry
boot_entry:
  xorl %eax, %eax /* PVH: anything may be in it */
boot_multiboot2:
  movl %eax, %ebp
  cli
  cld
  movl %ebx, %esi /* CPUID takes EBX */
  movl $0x80000001, %eax
  cpuid
  testl $(1 << 29), %edx /* long mode: without it nothing below can even refuse */
  jz boot_halt
  movl $CR4_PAE, %eax
  movl %eax, %cr4
  movl $boot_tables_stack, %esp
  call boot_tables
  movl $boot_pml4, %eax
  movl %eax, %cr3
  movl $EFER, %ecx
  xorl %edx, %edx
  movl $EFER_LME, %eax
  wrmsr
  movl $(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE), %eax
  movl %eax, %cr0
  lgdt boot_gdt_pointer
  ljmp $SELECTOR_CODE, $boot_long
boot_halt:
  hlt
  jmp boot_halt

/* The loader has zeroed the tables: only what is present is written. */
boot_tables:
  movl $(boot_low + 0x23), boot_pml4
  movl $(boot_high + 0x23), boot_pml4 + 511 * 8
  movl $(boot_monitor + 0x23), boot_high + 510 * 8
  movl $(MONITOR_PHYSICAL + 0xe3), boot_monitor /* monitor and database, one large page */
  movl $(boot_pages + 0x23), %eax
  movl $boot_low, %edi
  movl $4, %ecx
1:
  movl %eax, (%edi)
  addl $PAGE_SIZE, %eax
  addl $8, %edi
  loop 1b
  movl $0xe3, %eax
  movl $boot_pages, %edi
  movl $2048, %ecx
2:
  movl %eax, (%edi)
  addl $LARGE_PAGE_SIZE, %eax
  addl $8, %edi
  loop 2b
  ret

  .code64
boot_long:
  xorl %eax, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %fs
  movl %eax, %gs
  movl %eax, %ss
  movq $boot_high_code, %rax
  jmp *%rax

  .align 8
boot_gdt:
  .quad 0
  .quad 0x00af9b000000ffff
  .quad 0x00cf93000000ffff
boot_gdt_pointer:
  .word 23
  .long boot_gdt

/* Multiboot2 Specification 2.0, 3.1.1: 8-byte aligned, within the first 32 KiB of the file. */
  .align 8
multiboot2_header:
  .long MULTIBOOT2_HEADER_MAGIC, MULTIBOOT2_PROTECTED_MODE, multiboot2_header_end - multiboot2_header
  .long -(MULTIBOOT2_HEADER_MAGIC + MULTIBOOT2_PROTECTED_MODE + multiboot2_header_end - multiboot2_header)
  .word MULTIBOOT2_TAG_INFORMATION, 0
  .long 12, MULTIBOOT2_SAYS_MEMORY
  .align 8
  .word MULTIBOOT2_TAG_ENTRY, 0
  .long 12, boot_multiboot2
  .align 8
  .word MULTIBOOT2_TAG_END, 0
  .long 8
multiboot2_header_end:

/* Above, where every root maps us: the boot tables can go. */
  .text
boot_high_code:
  movq $boot_stack_top, %rsp
  movl %esi, %edi
  movl %ebp, %esi
  call boot /* returns the physical address of the manager's root */
  movq %rax, %cr3
  movq $LOCAL_STACK_TOP, %rsp
  call start

  .section .boot_tables, "aw", @nobits
  .balign 4096
boot_pml4:
  .skip PAGE_SIZE
boot_low:
  .skip PAGE_SIZE
boot_high:
  .skip PAGE_SIZE
boot_monitor:
  .skip PAGE_SIZE
boot_pages:
  .skip 4 * PAGE_SIZE
  .skip 64 /* the stack until then */
boot_tables_stack:

  .section .bss
  .balign 16
  .skip 4096
boot_stack_top:

  .section .note.GNU-stack, "", @progbits

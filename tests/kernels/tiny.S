/* SPDX-License-Identifier: Apache-2.0
 *
 * A kernel of a few lines for tests of what runs QEMU: no monitor, no partitions. Starts by PVH (32-bit protected
 * mode, flat segments). What it does is chosen by macros:
 *   SAY "text"     printed on COM1 first          REPORT "text"  written to the report port next
 *   FLOOD          prints SAY for ever            ECHO           gives back what arrives on COM1
 *   TRIPLE_FAULT   loads an empty IDT and traps   POWEROFF       asks the q35 chipset for S5
 * and without any of the last four it hangs.
 */
#define COM1 0x3f8
#define COM1_LINE_STATUS 0x3fd
#define LINE_STATUS_DATA_READY 1
#define REPORT_PORT 0x402
#define PM1A_CONTROL 0x604
#define SLEEP_S5 0x2000

  .section .note, "a"
  .long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
  .ascii "Xen\0"
  .long start

  .code32
  .text
  .globl start
start:
  movl $say, %esi
  movw $COM1, %dx
  call print
#ifdef FLOOD
  jmp start
#endif
  movl $report, %esi
  movw $REPORT_PORT, %dx
  call print
#ifdef TRIPLE_FAULT
  lidt empty
  int3
#endif
#ifdef POWEROFF
  movw $PM1A_CONTROL, %dx
  movw $SLEEP_S5, %ax
  outw %ax, %dx
#endif
#ifdef ECHO
echo:
  movw $COM1_LINE_STATUS, %dx
  inb %dx, %al
  testb $LINE_STATUS_DATA_READY, %al
  jz echo
  movw $COM1, %dx
  inb %dx, %al
  outb %al, %dx
  jmp echo
#endif
  cli
hang:
  hlt
  jmp hang

/* The text at ESI, ended by a zero byte, to the port DX. */
print:
  lodsb
  testb %al, %al
  jz done
  outb %al, %dx
  jmp print
done:
  ret

  .section .rodata
say:
  .asciz SAY
report:
  .asciz REPORT
empty:
  .word 0
  .long 0

/* SPDX-License-Identifier: Apache-2.0
 *
 * The monitor: linked once, at fixed addresses, whatever the layout. The builder maps each loadable segment at or above
 * MONITOR_ADDRESS with its rights; the boot segments, at their physical addresses, are not mapped after boot.
 * What is only read ends at a multiple of 8, as its checksum wants it.
 */
#include "../abi/address.h"

OUTPUT_FORMAT(elf64-x86-64)
OUTPUT_ARCH(i386:x86-64)
ENTRY(boot_entry)

PHDRS {
  boot PT_LOAD FLAGS(5);
  boot_tables PT_LOAD FLAGS(6);
  note PT_NOTE FLAGS(4);
  text PT_LOAD FLAGS(5);
  rodata PT_LOAD FLAGS(4);
  data PT_LOAD FLAGS(6);
  cpu PT_LOAD FLAGS(6);
  stack PT_LOAD FLAGS(6);
  stack_df PT_LOAD FLAGS(6);
  stack_nmi PT_LOAD FLAGS(6);
  stack_mc PT_LOAD FLAGS(6);
  stack_db PT_LOAD FLAGS(6);
  tss PT_LOAD FLAGS(6);
}

#define PHYSICAL(address) ((address) - MONITOR_ADDRESS + MONITOR_PHYSICAL)

SECTIONS {
  . = MONITOR_PHYSICAL;
  .boot : { *(.boot) . = ALIGN(8); } :boot
  .note.pvh : { *(.note.pvh) } :boot :note
  . = ALIGN(PAGE_SIZE);
  .boot_tables : { *(.boot_tables) } :boot_tables
  . = ALIGN(PAGE_SIZE);
  boot_end = .;

  . = MONITOR_ADDRESS + (boot_end - MONITOR_PHYSICAL);
  .text : AT(PHYSICAL(ADDR(.text))) { text_start = .; *(.text .text.*) text_end = .; . = ALIGN(8); } :text
  . = ALIGN(PAGE_SIZE);
  .rodata : AT(PHYSICAL(ADDR(.rodata))) { *(.rodata .rodata.*) . = ALIGN(8); } :rodata
  . = ALIGN(PAGE_SIZE);
  .data : AT(PHYSICAL(ADDR(.data))) { *(.data .data.*) } :data
  .bss : AT(PHYSICAL(ADDR(.bss))) { *(.bss.clock_page) *(.bss .bss.* COMMON) . = ALIGN(PAGE_SIZE); } :data
  monitor_end = .;

  /* One processor's area. NOLOAD: the loader zeroes it. */
  .cpu LOCAL_CPU (NOLOAD) : AT(PHYSICAL(monitor_end)) { . += PAGE_SIZE; } :cpu
  .stack LOCAL_STACK (NOLOAD) : AT(PHYSICAL(monitor_end) + 0x1000) { . += 2 * PAGE_SIZE; } :stack
  .stack_df LOCAL_STACK_DF_TOP - PAGE_SIZE (NOLOAD) : AT(PHYSICAL(monitor_end) + 0x3000) { . += PAGE_SIZE; } :stack_df
  .stack_nmi LOCAL_STACK_NMI_TOP - PAGE_SIZE (NOLOAD) : AT(PHYSICAL(monitor_end) + 0x4000) { . += PAGE_SIZE; } :stack_nmi
  .stack_mc LOCAL_STACK_MC_TOP - PAGE_SIZE (NOLOAD) : AT(PHYSICAL(monitor_end) + 0x5000) { . += PAGE_SIZE; } :stack_mc
  .stack_db LOCAL_STACK_DB_TOP - PAGE_SIZE (NOLOAD) : AT(PHYSICAL(monitor_end) + 0x6000) { . += PAGE_SIZE; } :stack_db
  .tss LOCAL_CPU_END - PAGE_SIZE (NOLOAD) : AT(PHYSICAL(monitor_end) + 0x7000) { . += PAGE_SIZE; } :tss

  ASSERT(monitor_end + 0x8000 <= MONITOR_ADDRESS + MONITOR_SIZE, "the monitor does not fit its place")
  /DISCARD/ : { *(.comment) *(.note.gnu.property) *(.eh_frame) *(.note.GNU-stack) }
}

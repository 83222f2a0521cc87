/* SPDX-License-Identifier: Apache-2.0
 *
 * The linker script of every partition's program, run through the preprocessor
 * (gcc -E -P -x c -I abi). One address for all: what a program may touch it finds in its
 * descriptor page, so a layout never relinks it.
 *
 * text and rodata are the read-only part. The image of .data follows them (its load
 * addresses start at data_image, so a loader goes by p_paddr) and is read-only too;
 * start.S copies it to where .data lives, at each life, and clears .bss.
 */
#include "address.h"

OUTPUT_FORMAT(elf64-x86-64)
ENTRY(_start)

PHDRS
{
  text PT_LOAD FLAGS(5);   /* R X */
  rodata PT_LOAD FLAGS(4); /* R */
  data PT_LOAD FLAGS(6);   /* RW */
  note PT_NOTE FLAGS(4);
  stack PT_GNU_STACK FLAGS(6); /* not executable */
}

SECTIONS
{
  . = PROGRAM_ADDRESS;
  program_start = .;
  .text : {
    KEEP(*(.text.start))
    *(.text .text.*)
  } :text

  . = ALIGN(PAGE_SIZE);
  rodata_start = .;
  .note.parclose : { KEEP(*(.note.parclose)) } :rodata :note
  .rodata : {
    *(.rodata .rodata.*)
    *(.eh_frame) /* none with the kit's own flags; a ready program's is kept, since it may unwind */
    *(.gcc_except_table .gcc_except_table.*)
  } :rodata
  .got : { *(.got .got.plt) } :rodata /* of code made to be relocated: here the linker has finished it */
  .init_array : {
    init_array_start = .;
    KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*) SORT_BY_INIT_PRIORITY(.ctors.*)))
    KEEP(*(.init_array .ctors))
    init_array_end = .;
  } :rodata
  . = ALIGN(16);
  data_image = .;

  /* The image of .data follows; .data itself is the first page after the image. */
  . = ALIGN(data_image + SIZEOF(.data), PAGE_SIZE);
  .data : AT(data_image) {
    data_start = .;
    *(.data .data.*)
    . = ALIGN(16);
    data_end = .;
  } :data
  .bss : {
    bss_start = .;
    *(.bss .bss.* COMMON)
    . = ALIGN(16);
    bss_end = .;
  } :data
  program_end = .;

  /DISCARD/ : { *(.comment) *(.note.GNU-stack) *(.note.gnu.*) *(.gnu.*) *(.interp) *(.dynamic)
    *(.fini_array .fini_array.* .dtors .dtors.*) /* exit ends the partition: nobody would run them */ }
}

ASSERT(SIZEOF(.data) % 16 == 0, "start.S copies whole quadwords")
ASSERT(bss_start == ALIGN(data_end, ALIGNOF(.bss)), "a writable section of an unknown name: start.S would not restore it")
ASSERT(SIZEOF(.note.parclose) != 0, "the start object is missing: add -l:start.o, or start.o of `parclose sdk`")

# SPDX-License-Identifier: Apache-2.0
"""P3xx: programs, looked at after they are compiled. title, rule, wrong, right, fix."""

PROGRAM = {
    "P301": (
        "a program for another machine",
        "a program is an ELF64 file for x86-64",
        "sensor: {program: sensor.elf}    # built with a compiler for ARM",
        "sensor: {program: sensor.elf}    # built with gcc -m64 for x86-64",
        "Compile for x86-64, with the flags that the kit names.",
    ),
    "P302": (
        "a program with undefined symbols",
        "a program is linked completely: nothing is resolved when it starts",
        "int main(void) { return helper(); }    /* helper is nowhere */",
        "program: {sources: [main.c, helper.c]}",
        "Add the source or library that defines the symbol; the partition has no dynamic linker.",
    ),
    "P303": (
        "a segment that is writable and executable",
        "no page of a partition is both writable and executable",
        "a linker script that puts .data into the text segment",
        "text (R X), read-only data (R) and data (R W) in segments of their own",
        "Use the linker script of the kit, and no option such as -N or -z execstack.",
    ),
    "P304": (
        "an entry outside the program's text",
        "a program is entered in an executable segment",
        "ld --entry=table",
        "ld --entry=_start, with the start object of the kit",
        "Link with the kit's start object and linker script.",
    ),
    "P305": (
        "segments outside the program's place",
        "every segment lies where programs are mapped, the same in every partition (abi/address.h)",
        "ld -Ttext=0x10000",
        "ld -T partition.ld",
        "Link with the kit's linker script.",
    ),
    "P306": (
        "a program without the kit's note",
        "a program carries the note of the kit's start object, which restores its data at every start",
        "sensor: {program: sensor.elf}    # linked with crt0 of a libc",
        "ld -T partition.ld start.o sensor.o",
        "Link the start object of the kit into the program: it sets up writable data at every life.",
    ),
    "P307": (
        "a program larger than its memory",
        "the memory of a partition holds its program, its heap and its stack",
        "logger: {program: logger.c, memory: 64 KiB}    # its tables alone have 1 MiB",
        "logger: {program: logger.c, memory: 2 MiB}",
        "Give the partition the memory that the message names, or leave `memory` out.",
    ),
    "P308": (
        "much more memory than the program uses",
        "memory that no program uses is better given to another partition",
        "hello: {program: hello.c, memory: 64 MiB}",
        "hello: {program: hello.c}",
        "Leave `memory` out, or give what the program and its heap need.",
    ),
    "P309": (
        "not a program that can be read",
        "a program is a readable ELF file with segments",
        "sensor: {program: notes.elf}    # a text file",
        "sensor: {program: sensor.elf}",
        "Name the linked program, not an object file, an archive or a text.",
    ),
}

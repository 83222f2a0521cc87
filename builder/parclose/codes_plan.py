# SPDX-License-Identifier: Apache-2.0
"""P311 to P329: what shows when programs are read and everything is placed. title, rule, wrong, right, fix."""

PLAN = {
    "P311": (
        "segments that cannot be laid out",
        "read-only segments come first, writable ones after them, each on pages of its own, and the load address of "
        "writable data is in the read-only part, from where every life restores it",
        "ld -T mine.ld    # .data has its load address in writable memory",
        "ld -T partition.ld",
        "Link with the kit's linker script.",
    ),
    "P312": (
        "a file that cannot be read",
        "every file that the layout names can be read when the image is built",
        "sensor: {config: [sensor.toml]}    # chmod 000 sensor.toml",
        "sensor: {config: [sensor.toml]}    # chmod 644 sensor.toml",
        "Correct the name or the permissions of the file.",
    ),
    "P321": (
        "device registers that do not fit the PCI window",
        "each base address register gets a place in the board's window, aligned to its own size",
        "pci_window: {start: 0xe0000000, size: 4 KiB}    # a device needs 16 KiB",
        "pci_window: {start: 0xe0000000, size: 16 MiB}",
        "Widen the window on the board, or give up a device.",
    ),
    "P322": (
        "an MSI-X table that shares its page with other registers",
        "the page that holds an MSI-X table is never mapped to a partition",
        "msix: {entries: 4, bar: 0, table: 0x100}",
        "msix: {entries: 4, bar: 0, table: 0x2000}",
        "Use a device whose MSI-X table begins on a page of its own.",
    ),
    "P323": (
        "too many events",
        "each end of a channel and each interrupt is an event, and a partition has LIMIT_EVENTS of them",
        "io: {endpoints: {line: {console: com1}}}    # 300 guests have a channel to it",
        "two I/O partitions, each with a part of the channels",
        "Divide the channels and devices among two partitions.",
    ),
    "P324": (
        "no memory where the monitor is linked",
        "the board has memory at the addresses of the monitor and the database (abi/address.h)",
        "memory: [{start: 0x100000, size: 8 MiB}]",
        "memory: [{start: 0x100000, size: 255 MiB}]",
        "Use a board with memory there.",
    ),
    "P325": (
        "memory that does not fit the board",
        "everything in the plan lies in the board's memory, each piece in one range of it",
        "logger: {program: logger.c, memory: 512 MiB}    # the board has 256 MiB",
        "logger: {program: logger.c, memory: 64 MiB}",
        "Make the partitions, regions or data areas smaller by what the message says, or give the board more.",
    ),
    "P326": (
        "an address area of a partition that is full",
        "channel windows, shared regions, configuration and device registers each have an area of addresses "
        "(abi/address.h)",
        "regions: {table: {size: 300 MiB, write: sensor}}",
        "regions: {table: {size: 200 MiB, write: sensor}}",
        "Make it smaller, or give it to another partition.",
    ),
}

# SPDX-License-Identifier: Apache-2.0
"""Plans of hand-made layouts with hand-made programs: nothing is read, compiled or written."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from parclose import plan
from parclose.constants import constants
from parclose.elf import Elf, Segment
from parclose.model import System
from parclose.planned import Inputs, Plan

PAGE = 0x1000
CLOCK = 0xFFFFFFFF80003000


def program(text: int = 0x800, data: int = 0x100, bss: int = 0x1000) -> Elf:
    """A program as the kit's linker script makes them: the image of .data at the end of the read-only part."""
    rodata = 0x400000 + -(-text // PAGE) * PAGE
    image = rodata + 0x40
    writable = -(-(image + data) // PAGE) * PAGE
    segments = (
        Segment(0x400000, 0x400000, text, False, True, b"\x90" * text),
        Segment(rodata, rodata, 0x40, False, False, b"r" * 0x40),
        Segment(writable, image, data + bss, True, False, b"d" * data),
    )
    return Elf(64, True, "EM_X86_64", "ET_EXEC", 0x400000, segments, ())


def monitor() -> Elf:
    """A monitor like the real one: boot code, text, data with the clock page, a processor's area."""
    number = constants()
    base, physical = number["MONITOR_ADDRESS"], number["MONITOR_PHYSICAL"]
    segments = (
        Segment(physical, physical, 0x800, False, True, b"b" * 0x800),
        Segment(base + 0x1000, physical + 0x1000, 0x1800, False, True, b"t" * 0x1800),
        Segment(base + 0x3000, physical + 0x3000, 0x2000, True, False, b""),
        Segment(number["LOCAL_CPU"], physical + 0x5000, PAGE, True, False, b""),
        Segment(number["LOCAL_CPU_END"] - PAGE, physical + 0x6000, PAGE, True, False, b""),
    )
    return Elf(64, True, "EM_X86_64", "ET_EXEC", physical, segments, ())


def inputs(of: System, made: Callable[[], Elf] = program) -> Inputs:
    """What the plan of `of` is made from; every program is the same, every file one page of letters."""
    files = {config.path: b"c" * 100 for each in of.partitions for config in each.config}
    files |= {region.source: b"s" * 100 for region in of.regions if region.source is not None}
    return Inputs(monitor(), CLOCK, {each.name: made() for each in of.partitions}, files)


def planned(of: System, made: Callable[[], Elf] = program) -> Plan:
    return plan.plan(of, inputs(of, made))


def pages(start: int, size: int) -> Iterator[int]:
    yield from range(start // PAGE, -(-(start + size) // PAGE))

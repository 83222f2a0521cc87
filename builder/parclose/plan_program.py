# SPDX-License-Identifier: Apache-2.0
"""The part of the plan that concerns one program: its regions within its partition's memory, and how much it needs."""

from __future__ import annotations

from dataclasses import dataclass

from parclose.constants import constants
from parclose.elf import Elf, Segment
from parclose.model import Partition
from parclose.place import align_up
from parclose.planned import RegionKind

HEAP_DEFAULT = 64 * 1024  # bytes of heap where the layout leaves the memory to the program's size


@dataclass(frozen=True)
class OwnRegion:
    """A region of a partition's own memory; `offset` counts from the start of its extent."""

    kind: RegionKind
    name: str
    virtual: int
    offset: int
    size: int


def memory_needed(partition: Partition, program: Elf) -> int:
    """The least memory for `program` and its stack, in bytes: whole pages."""
    page = constants()["PAGE_SIZE"]
    return align_up(program_end(program), page) - constants()["PROGRAM_ADDRESS"] + align_up(partition.stack, page)


def program_end(program: Elf) -> int:
    """The first address after the program's memory."""
    return max((segment.end for segment in program.segments), default=constants()["PROGRAM_ADDRESS"])


def memory_size(partition: Partition, program: Elf) -> int:
    """The partition's memory in bytes: as the layout says, otherwise what it needs and a small heap."""
    if partition.memory is None:
        return memory_needed(partition, program) + HEAP_DEFAULT
    return align_up(partition.memory, constants()["PAGE_SIZE"])


def own_regions(partition: Partition, program: Elf) -> tuple[OwnRegion, ...]:
    """Text, read-only data, data and stack, by address. The stack is the end of the extent, seen elsewhere."""
    page, base = constants()["PAGE_SIZE"], constants()["PROGRAM_ADDRESS"]
    stack = align_up(partition.stack, page)
    memory_end = base + memory_size(partition, program) - stack
    fixed = sorted((segment for segment in program.segments if not segment.write), key=lambda each: each.virtual)
    writable = [segment for segment in program.segments if segment.write]
    after_fixed = max((align_up(segment.end, page) for segment in fixed), default=base)
    data = min((segment.virtual & -page for segment in writable), default=after_fixed)
    starts = [segment.virtual & -page for segment in fixed] + [data]
    found = [_fixed_region(segment, until) for segment, until in zip(fixed, starts[1:], strict=True)]
    if memory_end > data:
        found.append(OwnRegion(RegionKind.DATA, "data", data, data - base, memory_end - data))
    top = constants()["STACK_TOP_ADDRESS"]
    found.append(OwnRegion(RegionKind.STACK, "stack", top - stack, memory_end - base, stack))
    return tuple(found)


def _fixed_region(segment: Segment, until: int) -> OwnRegion:
    """A read-only region. Read-only data reaches to what follows: the image of .data stands at its end."""
    page, base = constants()["PAGE_SIZE"], constants()["PROGRAM_ADDRESS"]
    start = segment.virtual & -page
    if segment.execute:
        size = align_up(segment.end, page) - start
        return OwnRegion(RegionKind.TEXT, "text", start, start - base, size)
    return OwnRegion(RegionKind.RODATA, "rodata", start, start - base, until - start)

# SPDX-License-Identifier: Apache-2.0
"""Writes the image: one ELF64 file whose segments are loaded at their physical addresses, entered by PVH or multiboot2.

The PVH note is the monitor's (Xen, docs/misc/pvh.pandoc); so is the multiboot2 header, in the first page after the
program headers. There are no sections and no symbols: those are in the separate files.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from parclose import elf
from parclose.constants import constants
from parclose.elf import Elf
from parclose.place import align_up
from parclose.planned import Plan, PlannedPartition
from parclose.seal import seal

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_IDENT = b"\x7fELF\x02\x01\x01"
_READ, _WRITE, _EXECUTE = 4, 2, 1
_MOST_PADDING = 0x8000  # zeros stored rather than made a segment of their own


@dataclass(frozen=True)
class Chunk:
    """Bytes for physical memory at `physical`; zeros follow up to `size`."""

    physical: int
    content: bytes
    size: int
    flags: int = _READ


def image(plan: Plan, generated: Mapping[str, bytes]) -> bytes:
    """The bytes of the image of `plan`, with the tables in the object files `generated`."""
    chunks = [*_monitor(plan.monitor), *_tables(plan, generated), *_memory(plan)]
    for partition in plan.partitions:
        chunks += _program(partition)
    return seal(_write(plan.monitor, _merge(sorted(chunks, key=lambda chunk: chunk.physical))))


def _monitor(monitor: Elf) -> Iterator[Chunk]:
    for segment in monitor.segments:
        flags = _READ | _WRITE * segment.write | _EXECUTE * segment.execute
        yield Chunk(segment.physical, segment.content, segment.memory_size, flags)


def _tables(plan: Plan, generated: Mapping[str, bytes]) -> Iterator[Chunk]:
    """What the compiler laid out: database, page tables, descriptor pages, I/O permission bitmaps."""
    page = constants()["PAGE_SIZE"]
    made = {name: data for object_file in generated.values() for name, data in elf.sections(object_file).items()}
    yield Chunk(constants()["DATABASE_PHYSICAL"], made[".database"], constants()["DATABASE_SIZE"])
    tables = made[".pagetables"]
    places = [*plan.shared_tables, *(place for partition in plan.partitions for place in partition.tables)]
    for position, place in enumerate(sorted(places)):
        yield Chunk(place, tables[position * page : (position + 1) * page], page)
    yield Chunk(plan.ones, made[".ones"], page)
    for partition in plan.partitions:
        yield Chunk(partition.descriptor_page, made[f".page.{partition.index}"], partition.descriptor_pages * page)
        if partition.bitmap is not None:
            yield Chunk(partition.bitmap, made[f".bitmap.{partition.index}"], 2 * page)


def _memory(plan: Plan) -> Iterator[Chunk]:
    """Memory that the plan fills or promises to be zero."""
    page = constants()["PAGE_SIZE"]
    for partition in plan.partitions:
        yield Chunk(partition.call_page, b"", page, _READ | _WRITE)
        yield Chunk(partition.context, b"", page, _READ | _WRITE)
    for channel in plan.channels:
        yield Chunk(channel.physical, b"", channel.size, _READ | _WRITE)
    for config in plan.configs:
        yield Chunk(config.physical, config.content, align_up(max(len(config.content), 1), page))
    for region in plan.regions:
        if region.owner is None:
            yield Chunk(region.physical, region.content, region.size, _READ | _WRITE)


def _program(partition: PlannedPartition) -> Iterator[Chunk]:
    """The read-only part of a program; the image of its writable data stands in it, at that segment's load address."""
    base = partition.physical - constants()["PROGRAM_ADDRESS"]
    for segment in partition.program.segments:
        if segment.write:
            if segment.content:
                yield Chunk(base + segment.physical, segment.content, len(segment.content))
        else:
            flags = _READ | _EXECUTE * segment.execute
            yield Chunk(base + segment.virtual, segment.content, segment.memory_size, flags)


def _merge(chunks: list[Chunk]) -> list[Chunk]:
    """One chunk for neighbours with the same flags, unless much of it would be stored zeros."""
    found: list[Chunk] = []
    for chunk in chunks:
        last = found[-1] if found else None
        if last is not None and last.flags == chunk.flags and _adjoin(last, chunk):
            content = last.content.ljust(chunk.physical - last.physical, b"\0") + chunk.content
            found[-1] = Chunk(last.physical, content, chunk.physical + chunk.size - last.physical, last.flags)
        else:
            found.append(chunk)
    return found


def _adjoin(first: Chunk, second: Chunk) -> bool:
    page = constants()["PAGE_SIZE"]
    end = first.physical + first.size
    assert end <= second.physical, f"two parts of the image at {second.physical:#x}"
    padding = second.physical - first.physical - len(first.content)
    near = align_up(end, page) >= second.physical
    return near and (padding <= _MOST_PADDING or not (first.content or second.content))


def _write(monitor: Elf, chunks: list[Chunk]) -> bytes:
    notes = b"".join(_note(note.name, note.type, note.content) for note in monitor.notes)
    count = len(chunks) + 1
    first = _HEADER.size + count * _SEGMENT.size
    headers = [_SEGMENT.pack(4, _READ, first, 0, 0, len(notes), len(notes), 4)]  # PT_NOTE
    body = bytearray(notes)
    for chunk in chunks:
        page = constants()["PAGE_SIZE"]
        body += bytes(
            (chunk.physical - first - len(body)) % page
        )  # the gABI: p_offset and p_vaddr agree modulo p_align
        place = first + len(body)
        physical = chunk.physical
        headers.append(
            _SEGMENT.pack(1, chunk.flags, place, physical, physical, len(chunk.content), chunk.size, page)  # PT_LOAD
        )
        body += chunk.content
    ident = _IDENT.ljust(16, b"\0")
    header = _HEADER.pack(
        ident, 2, 62, 1, monitor.entry, _HEADER.size, 0, 0, _HEADER.size, _SEGMENT.size, count, 0, 0, 0
    )
    return header + b"".join(headers) + bytes(body)


def _note(name: str, kind: int, content: bytes) -> bytes:
    label = name.encode() + b"\0"
    head = struct.pack("<III", len(label), len(content), kind)
    return head + label.ljust(align_up(len(label), 4), b"\0") + content.ljust(align_up(len(content), 4), b"\0")

# SPDX-License-Identifier: Apache-2.0
"""Looks at a finished image as a stranger would: from its bytes, what may each partition really reach?

The page tables are walked in the image's bytes and compared with the rows of the plan (regions, channels, devices),
not with the list that the tables were made from; what a conversion follows in the database is followed. A violation
is a bug of ours, so it is an error, not a problem.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from parclose import elf
from parclose.audit_conversion import conversion_faults
from parclose.audit_rights import Allowed, Right, by_page, own_ports, own_rights, shared_rights
from parclose.constants import constants
from parclose.elf import Elf
from parclose.errors import ParcloseError
from parclose.model import System
from parclose.planned import Plan, PlannedPartition

_SHIFTS = (39, 30, 21, 12)
_HALF = 1 << 47
_TOP = 0xFFFF << 48
_PAT_OF_4K = 7  # the bit of a last-level entry (Intel SDM 3A, table 4-20)


class AuditError(ParcloseError):
    """The image is not what was planned. The message names the page and the reason."""


@dataclass(frozen=True)
class Page:
    """One translation found in the image's tables."""

    virtual: int
    physical: int
    size: int
    write: bool
    user: bool
    execute: bool
    shared: bool
    caching: int

    def __str__(self) -> str:
        rights = "r" + ("w" if self.write else "-") + ("x" if self.execute else "-")
        return f"{self.virtual:#x} -> {self.physical:#x} ({rights}, ring {3 if self.user else 0})"


def audit(system: System, plan: Plan, image: bytes) -> None:
    """Raise `AuditError` for the first thing in `image` that the plan does not permit."""
    file = elf.read(image)
    _check_segments(plan, file)
    memory = _Memory(file)
    number = constants()
    registers = (
        ("the local APIC", number["APIC_ADDRESS"], system.board.local_apic),
        ("the I/O APIC", number["IO_APIC_ADDRESS"], system.board.io_apic),
    )
    shared = by_page(shared_rights(plan, registers))
    for partition in plan.partitions:
        _check_partition(plan, partition, memory, shared | by_page(own_rights(plan, partition)))
        _check_ports(system, plan, partition, memory)
    for fault in conversion_faults(system, plan, memory.read):
        raise AuditError(fault)


def _check_segments(plan: Plan, file: Elf) -> None:
    segments = sorted(file.segments, key=lambda each: each.physical)
    for segment in segments:
        where = f"the segment at {segment.physical:#x}"
        if segment.write and segment.execute:
            raise AuditError(f"{where} is writable and executable")
        if segment.virtual != segment.physical:
            raise AuditError(f"{where} has another virtual address, {segment.virtual:#x}")
        _check_planned(plan, segment.physical, segment.physical + segment.memory_size, where)
    for one, other in pairwise(segments):
        if one.physical + one.memory_size > other.physical:
            raise AuditError(f"the segments at {one.physical:#x} and {other.physical:#x} overlap")


def _check_planned(plan: Plan, start: int, end: int, where: str) -> None:
    """Every byte from `start` to `end` must lie in a planned extent; one segment may hold several of them."""
    place = start
    for extent in plan.extents:
        if extent.physical <= place < extent.end:
            place = extent.end
    if place < end:
        raise AuditError(f"{where} reaches {place:#x}, where the plan has nothing")


class _Memory:
    """Physical memory as the loader leaves it."""

    def __init__(self, file: Elf) -> None:
        self._segments = file.segments

    def read(self, physical: int, size: int) -> bytes:
        """`size` bytes from `physical` on."""
        for segment in self._segments:
            start = physical - segment.physical
            if start >= 0 and start + size <= segment.memory_size:
                return segment.content[start : start + size].ljust(size, b"\0")
        raise AuditError(f"the {size:#x} bytes at {physical:#x} are not in the image")

    def page(self, physical: int) -> bytes:
        """The page at `physical`."""
        return self.read(physical, constants()["PAGE_SIZE"])

    def table(self, physical: int) -> memoryview:
        """The 512 entries of the page table at `physical`."""
        return memoryview(self.page(physical)).cast("Q")


def _check_partition(plan: Plan, partition: PlannedPartition, memory: _Memory, allowed: Allowed) -> None:
    """Every page that the root maps is the one that belongs there, and every page that belongs somewhere is there."""
    name = partition.partition.name
    tables = {*partition.tables, *plan.shared_tables}
    missing = set(allowed)
    for page in _walk(memory, partition.root, tables, name):
        for offset in range(0, page.size, constants()["PAGE_SIZE"]):
            virtual, physical = page.virtual + offset, page.physical + offset
            expected, right = allowed.get(virtual, (None, None))
            if right is None or expected != physical:
                owner = _owner(plan, physical)
                raise AuditError(f"partition '{name}' maps {page}: not its own there, it belongs to {owner}")
            _check_page(f"partition '{name}' maps {page}", page, right)
            missing.discard(virtual)
    if missing:
        _, right = allowed[min(missing)]
        raise AuditError(f"partition '{name}' does not map {min(missing):#x}, {right.what}")


def _check_page(where: str, page: Page, right: Right) -> None:
    number = constants()
    if page.write and page.execute:
        raise AuditError(f"{where}: writable and executable")
    if (page.write, page.execute, page.user) != (right.write, right.execute, right.user):
        raise AuditError(f"{where}: other than its right to {right.what}")
    if page.shared and not right.shared:
        raise AuditError(f"{where}: global, though {right.what} differs between partitions")
    if page.caching != (number["PAGE_UNCACHED"] | number["PAGE_WRITE_THROUGH"]) * right.uncached:
        raise AuditError(f"{where}: cached other than {right.what} has to be")


def _check_ports(system: System, plan: Plan, partition: PlannedPartition, memory: _Memory) -> None:
    """The I/O permission bitmap clears the bits of its own devices' ports (and the manager's), and no other."""
    page, name = constants()["PAGE_SIZE"], partition.partition.name
    first = plan.ones if partition.bitmap is None else partition.bitmap
    second = first if partition.bitmap is None else first + page
    bitmap = memory.page(first) + memory.page(second)
    open_ports = {
        8 * place + bit for place, byte in enumerate(bitmap) if byte != 0xFF for bit in range(8) if not byte >> bit & 1
    }
    expected = set(own_ports(system, plan, partition))
    for port in sorted(open_ports ^ expected):
        what = "may use" if port in open_ports else "may not use"
        raise AuditError(f"partition '{name}' {what} port {port:#x}, against its rows")
    if memory.page(plan.ones) != b"\xff" * page:
        raise AuditError(f"the page at {plan.ones:#x}, which ends every I/O bitmap, permits a port")


def _owner(plan: Plan, physical: int) -> str:
    found = (extent.name for extent in plan.extents if extent.physical <= physical < extent.end)
    return next(found, "nothing that was planned")


def _walk(memory: _Memory, root: int, tables: set[int], name: str) -> Iterator[Page]:
    """Every translation of the tree at `root`; no table may lie outside `tables`."""
    number = constants()
    everything = number["PAGE_PRESENT"] | number["PAGE_WRITABLE"] | number["PAGE_USER"]
    todo = [(root, 0, 0, everything, 0)]
    while todo:
        physical, level, base, rights, forbidden = todo.pop()
        if physical not in tables:
            raise AuditError(f"partition '{name}' uses a page table at {physical:#x} that is not its own")
        for index, entry in enumerate(memory.table(physical)):
            if not entry & number["PAGE_PRESENT"]:
                continue
            virtual = base + (index << _SHIFTS[level])
            _check_entry(name, level, virtual, entry)
            below = rights & entry
            no_execute = forbidden | (entry & number["PAGE_NO_EXECUTE"])
            target = entry & number["PAGE_ADDRESS_MASK"]
            if level == 3 or entry & number["PAGE_LARGE"]:
                yield _page(virtual, target, 1 << _SHIFTS[level], below, entry, bool(no_execute))
            else:
                todo.append((target, level + 1, virtual, below, no_execute))


def _check_entry(name: str, level: int, virtual: int, entry: int) -> None:
    """What holds for an entry whatever is behind it."""
    number = constants()
    where = f"partition '{name}', the entry of level {4 - level} for {_canonical(virtual):#x}"
    if entry & number["PAGE_LARGE"] and level < 2:
        raise AuditError(f"{where} is a page of {1 << _SHIFTS[level]:#x} bytes, which no plan has")
    if entry & number["PAGE_LARGE"] and level == 3:
        raise AuditError(f"{where} selects a memory type by its bit {_PAT_OF_4K}")
    if entry & number["PAGE_USER"] and virtual & _HALF:
        raise AuditError(f"{where} is open to ring 3, in ring 0's half")


def _canonical(virtual: int) -> int:
    return virtual | _TOP if virtual & _HALF else virtual


def _page(virtual: int, physical: int, size: int, rights: int, entry: int, no_execute: bool) -> Page:
    number = constants()
    return Page(
        virtual=_canonical(virtual),
        physical=physical,
        size=size,
        write=bool(rights & number["PAGE_WRITABLE"]),
        user=bool(rights & number["PAGE_USER"]),
        execute=not no_execute,
        shared=bool(entry & number["PAGE_GLOBAL"]),
        caching=entry & (number["PAGE_UNCACHED"] | number["PAGE_WRITE_THROUGH"]),
    )

# SPDX-License-Identifier: Apache-2.0
"""What each root is to map, worked out from the plan's rows for the audit and not from what the tables came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from parclose.constants import constants
from parclose.elf import Segment
from parclose.model import BarKind, System
from parclose.place import align_up
from parclose.planned import Plan, PlannedDescriptor, PlannedDevice, PlannedPartition, RegionKind, Resource


@dataclass(frozen=True)
class Right:
    """`size` bytes at `virtual` are those at `physical`, with at most these rights. `shared`: may be global."""

    what: str
    virtual: int
    physical: int
    size: int
    write: bool = False
    execute: bool = False
    user: bool = True
    shared: bool = False
    uncached: bool = False


# The page at a virtual address -> the physical page that belongs there, and the right.
Allowed = dict[int, tuple[int, Right]]


def by_page(rights: Iterable[Right]) -> Allowed:
    """`rights` page by page."""
    page = constants()["PAGE_SIZE"]
    return {
        (right.virtual & -page) + offset: ((right.physical & -page) + offset, right)
        for right in rights
        for offset in range(0, align_up(right.size + right.virtual % page, page), page)
    }


def shared_rights(plan: Plan, registers: Iterable[tuple[str, int, int]]) -> Iterator[Right]:
    """Ring 0's, the same in every root. `registers` are (what, virtual, physical) of the board's own."""
    number = constants()
    page = number["PAGE_SIZE"]
    for segment in plan.monitor.segments:
        if number["MONITOR_ADDRESS"] <= segment.virtual < number["MONITOR_ADDRESS"] + number["MONITOR_SIZE"]:
            yield _segment(segment, shared=True)
    database = number["DATABASE_ADDRESS"], number["DATABASE_PHYSICAL"], number["DATABASE_SIZE"]
    yield Right("the database", *database, user=False, shared=True)
    for what, virtual, physical in registers:
        yield Right(what, virtual, physical, page, write=True, user=False, shared=True, uncached=True)
    for device in plan.devices:
        for physical in sorted(table_pages(device)):
            what = f"MSI-X table of {device.device.name}"
            virtual = (device.msix_table & -page) + physical - min(table_pages(device))
            yield Right(what, virtual, physical, page, write=True, user=False, shared=True, uncached=True)


def own_rights(plan: Plan, partition: PlannedPartition) -> Iterator[Right]:
    """What the root of `partition` maps besides: ring 3's half and the local window."""
    for row in plan.descriptors[partition.first_descriptor :][: partition.descriptor_count]:
        yield from _row(plan, partition, row)
    for config in plan.configs:
        if config.partition == partition.index:
            what = f"configuration {config.name}"
            yield Right(what, config.virtual, config.physical, max(len(config.content), 1))
    yield from _fixed(plan, partition)
    yield from _local(plan, partition)


def own_ports(system: System, plan: Plan, partition: PlannedPartition) -> Iterator[int]:
    """Every I/O port that `partition` may use: its devices', and the manager's report, power-off and reset ports."""
    for device in plan.devices:
        for bar in device.bars:
            if device.owner == partition.index and bar.bar.kind is BarKind.PORTS:
                yield from range(bar.address, bar.address + bar.bar.size)
    if partition.index == 0:
        board = system.board
        yield from (board.report_port,) if board.report_port else ()
        for write in (board.poweroff, board.reboot):
            if write is not None:
                yield from range(write.port, write.port + write.width)


def _segment(segment: Segment, shared: bool) -> Right:
    size = segment.memory_size
    rights = {"write": segment.write, "execute": segment.execute, "user": False, "shared": shared}
    return Right("the monitor", segment.virtual, segment.physical, size, **rights)


def _row(plan: Plan, partition: PlannedPartition, row: PlannedDescriptor) -> Iterator[Right]:
    if row.resource is Resource.REGION:
        region = plan.regions[row.target]
        write = row.rights.write if region.kind is RegionKind.SHARED else region.kind in _WRITABLE
        if region.owner in (None, partition.index):
            execute = region.kind is RegionKind.TEXT
            yield Right(f"region {region.name}", row.address, region.physical, region.size, write, execute)
    elif row.resource is Resource.CHANNEL:
        channel = plan.channels[row.target]
        if partition.index == (channel.server if row.server_end else channel.client):
            yield Right(f"channel {row.name}", row.address, channel.physical, channel.size, write=True)
    elif plan.devices[row.target].owner == partition.index:
        yield from _registers(plan.devices[row.target])


_WRITABLE = (RegionKind.DATA, RegionKind.STACK)


def _registers(device: PlannedDevice) -> Iterator[Right]:
    """A device's registers, page by page: none that holds a part of its MSI-X table."""
    page, table = constants()["PAGE_SIZE"], table_pages(device)
    for bar in device.bars:
        if bar.bar.kind is BarKind.PORTS:
            continue
        for offset in range(0, bar.bar.size, page):
            if bar.address + offset not in table:
                what = f"registers of {device.device.name}"
                yield Right(what, bar.virtual + offset, bar.address + offset, page, write=True, uncached=True)


def table_pages(device: PlannedDevice) -> set[int]:
    """The physical pages that hold the MSI-X table of `device` (16 bytes an entry)."""
    page, msix = constants()["PAGE_SIZE"], device.device.msix
    for bar in device.bars:
        if msix is not None and bar.bar.index == msix.bar:
            start = bar.address + msix.table
            return set(range(start & -page, start + msix.entries * 16, page))
    return set()


def _fixed(plan: Plan, partition: PlannedPartition) -> Iterator[Right]:
    number = constants()
    page = number["PAGE_SIZE"]
    pages = partition.descriptor_pages * page
    yield Right("the descriptor page", number["DESCRIPTOR_ADDRESS"], partition.descriptor_page, pages)
    yield Right("the call page", number["CALL_PAGE_ADDRESS"], partition.call_page, page, write=True)
    yield Right("the clock page", number["CLOCK_PAGE_ADDRESS"], plan.clock_page, page)
    if partition.index == 0:
        size = number["DATABASE_SIZE"]
        yield Right("the database", number["DATABASE_USER_ADDRESS"], number["DATABASE_PHYSICAL"], size)


def _local(plan: Plan, partition: PlannedPartition) -> Iterator[Right]:
    number = constants()
    page, bitmap = number["PAGE_SIZE"], number["LOCAL_IO_BITMAP"]
    for segment in plan.monitor.segments:
        if number["LOCAL_ADDRESS"] <= segment.virtual < number["LOCAL_CPU_END"]:
            yield _segment(segment, shared=False)
    own = partition.bitmap
    for offset in (0, page):
        physical = plan.ones if own is None else own + offset
        yield Right("the I/O bitmap", bitmap + offset, physical, page, user=False)
    yield Right("the end of the I/O bitmap", bitmap + 2 * page, plan.ones, page, user=False)
    yield Right("the context", number["LOCAL_CONTEXT"], partition.context, page, write=True, user=False)
    yield Right("the call page", number["LOCAL_CALL_PAGE"], partition.call_page, page, write=True, user=False)

# SPDX-License-Identifier: Apache-2.0
"""The part of the plan that concerns address spaces: what each root maps (abi/address.h)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from parclose.constants import constants
from parclose.elf import Elf, Segment
from parclose.model import Board
from parclose.place import align_up
from parclose.plan_devices import OwnedDevice
from parclose.planned import Rights, Stretch

READ = Rights()
WRITE = Rights(write=True)


@dataclass(frozen=True)
class Pages:
    """The physical addresses of a partition's small pages; `bitmap` is None without ports."""

    descriptor: int
    descriptor_pages: int
    call: int
    context: int
    bitmap: int | None
    ports: tuple[tuple[int, int], ...]


def monitor_stretches(board: Board, monitor: Elf, owned: tuple[OwnedDevice, ...]) -> tuple[Stretch, ...]:
    """What all roots share: the monitor by its segments, the database, and the registers that the monitor drives."""
    number = constants()
    page = number["PAGE_SIZE"]
    found = [
        _segment(segment, shared=True)
        for segment in monitor.segments
        if number["MONITOR_ADDRESS"] <= segment.virtual < number["MONITOR_ADDRESS"] + number["MONITOR_SIZE"]
    ]
    found += [
        _ring0("database", number["DATABASE_ADDRESS"], number["DATABASE_PHYSICAL"], number["DATABASE_SIZE"]),
        _registers("local APIC", number["APIC_ADDRESS"], board.local_apic, page),
        _registers("I/O APIC", number["IO_APIC_ADDRESS"], board.io_apic, page),
    ]
    virtual = number["MSIX_ADDRESS"]
    for device in owned:
        if device.table is not None:
            found.append(_registers(f"MSI-X table of {device.device.name}", virtual, *device.table))
            virtual += device.table[1]
    return tuple(found)


def _ring0(label: str, virtual: int, physical: int, size: int) -> Stretch:
    return Stretch(label, virtual, physical, size, READ, user=False, shared=True)


def _registers(label: str, virtual: int, physical: int, size: int) -> Stretch:
    return Stretch(label, virtual, physical, size, WRITE, user=False, uncached=True, shared=True)


def _segment(segment: Segment, shared: bool) -> Stretch:
    page = constants()["PAGE_SIZE"]
    start = segment.virtual & -page
    physical = segment.physical - (segment.virtual - start)
    rights = Rights(segment.write, segment.execute)
    name = "text" if segment.execute else "data" if segment.write else "read-only data"
    label = f"monitor {name}" if shared else "processor"
    return Stretch(label, start, physical, align_up(segment.end, page) - start, rights, user=False, shared=shared)


def local_stretches(monitor: Elf, pages: Pages, ones: int) -> Iterator[Stretch]:
    """Ring 0's local window of one partition. Never global: it differs with each root."""
    number = constants()
    page = number["PAGE_SIZE"]
    for segment in monitor.segments:
        if number["LOCAL_ADDRESS"] <= segment.virtual < number["LOCAL_CPU_END"]:
            yield _segment(segment, shared=False)
    bitmap = number["LOCAL_IO_BITMAP"]
    if pages.bitmap is None:
        yield Stretch("I/O bitmap, all denied", bitmap, ones, page, READ, user=False)
        yield Stretch("I/O bitmap, all denied", bitmap + page, ones, page, READ, user=False)
    else:
        yield Stretch("I/O bitmap", bitmap, pages.bitmap, 2 * page, READ, user=False)
    yield Stretch("end of the I/O bitmap", bitmap + 2 * page, ones, page, READ, user=False)
    yield Stretch("context", number["LOCAL_CONTEXT"], pages.context, page, WRITE, user=False)
    yield Stretch("call page", number["LOCAL_CALL_PAGE"], pages.call, page, WRITE, user=False)


def fixed_stretches(pages: Pages, clock: int, manager: bool) -> Iterator[Stretch]:
    """What every partition sees at the same addresses: descriptor page, call page, clock; the manager the database."""
    number = constants()
    page = number["PAGE_SIZE"]
    yield Stretch("descriptor page", number["DESCRIPTOR_ADDRESS"], pages.descriptor, pages.descriptor_pages * page)
    yield Stretch("call page", number["CALL_PAGE_ADDRESS"], pages.call, page, WRITE)
    yield Stretch("clock page", number["CLOCK_PAGE_ADDRESS"], clock, page)
    if manager:
        size = number["DATABASE_SIZE"]
        yield Stretch("database", number["DATABASE_USER_ADDRESS"], number["DATABASE_PHYSICAL"], size)


def shared_table_count(shared: Iterable[Stretch]) -> int:
    """Page tables behind the shared stretches: one for each 2 MiB that they touch."""
    return len(_small(shared, 21))


def table_count(own: Iterable[Stretch], shared: Iterable[Stretch]) -> int:
    """Page table pages of one root, itself included, without the shared ones (Intel SDM 3A 4.5, four levels)."""
    own = tuple(own)
    both = (*own, *shared)
    return 1 + len(_all(both, 39)) + len(_all(both, 30)) + len(_small(own, 21))


def _small(stretches: Iterable[Stretch], shift: int) -> set[int]:
    page = constants()["PAGE_SIZE"]
    return {virtual >> shift for stretch in stretches for virtual, _, size in stretch.pieces() if size == page}


def _all(stretches: Iterable[Stretch], shift: int) -> set[int]:
    return {virtual >> shift for stretch in stretches for virtual, _, _ in stretch.pieces()}

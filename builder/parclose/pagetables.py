# SPDX-License-Identifier: Apache-2.0
"""Finished page tables as values: four levels, 4 KiB and 2 MiB pages (Intel SDM 3A 4.5).

Accessed and dirty bits are set from the start, so that the processor never writes to a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from parclose.constants import constants
from parclose.planned import Entry, Plan, PlannedPartition, Stretch, Table

_LEVEL_SHIFTS = (39, 30, 21, 12)
_CANONICAL = (1 << 48) - 1  # the bits of a virtual address that are translated
_LEVEL_NAMES = ("root", "directory pointers", "directory", "table")


@dataclass
class _Page:
    """A table that is being filled; `base` is the first virtual address that it translates."""

    physical: int
    level: int
    base: int
    entries: dict[int, Entry] = field(default_factory=dict)


def build(plan: Plan) -> tuple[Table, ...]:
    """All page tables of `plan`, by physical address."""
    shared = _Tables(plan.shared_tables)
    for stretch in plan.shared_stretches:
        for virtual, physical, _ in stretch.pieces():
            shared.page(3, virtual).entries[_index(virtual, 3)] = _leaf(stretch, physical, large=False)
    found = list(shared.finish("shared"))
    for partition in plan.partitions:
        found += _Root(partition, shared).finish()
    return tuple(sorted(found, key=lambda table: table.physical))


class _Tables:
    """Takes the planned pages one by one, as tables are first needed."""

    def __init__(self, places: tuple[int, ...]) -> None:
        self._places = iter(places)
        self._pages: dict[tuple[int, int], _Page] = {}

    def page(self, level: int, virtual: int) -> _Page:
        """The table of `level` (0: root) that translates `virtual`."""
        base = _base(virtual, level)
        if (level, base) not in self._pages:
            place = next(self._places, None)
            assert place is not None, f"the plan counted too few page tables for {virtual:#x}"
            self._pages[level, base] = _Page(place, level, base << _LEVEL_SHIFTS[level] + 9)
        return self._pages[level, base]

    def has(self, level: int, virtual: int) -> bool:
        """Whether there is such a table already."""
        return (level, _base(virtual, level)) in self._pages

    def pages(self) -> Iterator[_Page]:
        """The tables so far."""
        yield from self._pages.values()

    def finish(self, owner: str) -> Iterator[Table]:
        """The finished tables, by address; every planned page must have been used."""
        assert next(self._places, None) is None, f"the plan counted too many page tables for {owner}"
        for page in sorted(self._pages.values(), key=lambda each: each.physical):
            high = page.base >> 47 and ~_CANONICAL & (1 << 64) - 1
            label = f"{owner}: {_LEVEL_NAMES[page.level]} from {page.base | high:016x}"
            yield Table(page.physical, label, dict(sorted(page.entries.items())))


class _Root:
    """One partition's tree. Its upper levels are its own throughout; only the last level may be shared."""

    def __init__(self, partition: PlannedPartition, shared: _Tables) -> None:
        self._name = partition.partition.name
        self._tables = _Tables(partition.tables)
        self._tables.page(0, 0)
        for stretch in partition.stretches:
            for virtual, physical, size in stretch.pieces():
                self._map(stretch, virtual, physical, size)
        for page in shared.pages():
            self._link(2, page.base, page.physical, user=False, comment="shared")

    def _map(self, stretch: Stretch, virtual: int, physical: int, size: int) -> None:
        level = 2 if size == constants()["LARGE_PAGE_SIZE"] else 3
        self._above(level, virtual, stretch.user)
        entries = self._tables.page(level, virtual).entries
        index = _index(virtual, level)
        assert index not in entries, f"{self._name}: {stretch.label} overlaps {entries[index].comment} at {virtual:#x}"
        entries[index] = _leaf(stretch, physical, level == 2)

    def _above(self, level: int, virtual: int, user: bool) -> None:
        """See to it that the table of `level` for `virtual` is reached from the root."""
        if not self._tables.has(level, virtual):
            page = self._tables.page(level, virtual)
            self._link(level - 1, virtual, page.physical, user, _LEVEL_NAMES[level])

    def _link(self, level: int, virtual: int, physical: int, user: bool, comment: str) -> None:
        if level:
            self._above(level, virtual, user)
        flags = ("PAGE_PRESENT", "PAGE_WRITABLE", *(("PAGE_USER",) if user else ()), "PAGE_ACCESSED")
        self._tables.page(level, virtual).entries[_index(virtual, level)] = Entry(physical, flags, comment)

    def finish(self) -> Iterator[Table]:
        """The finished tables, the root first."""
        return self._tables.finish(self._name)


def _base(virtual: int, level: int) -> int:
    """Which table of `level` translates `virtual`: of its 48 bits that count, those above the table's own."""
    return (virtual & _CANONICAL) >> _LEVEL_SHIFTS[level] + 9


def _index(virtual: int, level: int) -> int:
    return virtual >> _LEVEL_SHIFTS[level] & 511


def _leaf(stretch: Stretch, physical: int, large: bool) -> Entry:
    flags = ["PAGE_PRESENT"]
    flags += ["PAGE_WRITABLE"] * stretch.rights.write
    flags += ["PAGE_USER"] * stretch.user
    flags += ["PAGE_WRITE_THROUGH", "PAGE_UNCACHED"] * stretch.uncached
    flags += ["PAGE_ACCESSED", "PAGE_DIRTY"]
    flags += ["PAGE_LARGE"] * large
    flags += ["PAGE_GLOBAL"] * stretch.shared
    flags += ["PAGE_NO_EXECUTE"] * (not stretch.rights.execute)
    return Entry(physical, tuple(flags), stretch.label)

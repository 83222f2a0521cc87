# SPDX-License-Identifier: Apache-2.0
"""Page tables as values: they translate exactly what the plan says, with the bits that the processor wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from parclose import pagetables
from parclose.planned import Table
from plans import planned
from systems import MANAGER, MIB, line, partition, system


def test_two_MiB_pages_where_the_memory_allows() -> None:
    made = planned(system((MANAGER, partition("big", memory=16 * MIB))))
    tables = {table.physical: table for table in pagetables.build(made)}
    large = [
        entry
        for place in made.partition("big").tables
        for entry in tables[place].entries.values()
        if "PAGE_LARGE" in entry.flags
    ]
    assert len(large) == 6  # 16 MiB but for the first 2 MiB, which hold text, and the last, which hold the stack


def test_page_tables_say_what_the_stretches_say() -> None:
    made = planned(line())
    tables = {table.physical: table for table in pagetables.build(made)}
    for each in made.partitions:
        wanted = {}
        for stretch in (*each.stretches, *made.shared_stretches):
            for virtual, physical, size in stretch.pieces():
                wanted[virtual] = (physical, size, stretch.rights.write, stretch.rights.execute, stretch.user)
        assert dict(translations(tables, each.root)) == wanted


def translations(
    tables: Mapping[int, Table], root: int, level: int = 0, base: int = 0
) -> Iterator[tuple[int, tuple[int, int, bool, bool, bool]]]:
    """(virtual, (physical, size, write, execute, user)) of every page that `root` maps."""
    shift = (39, 30, 21, 12)[level]
    for index, entry in tables[root].entries.items():
        virtual = base + (index << shift)
        if level < 3 and "PAGE_LARGE" not in entry.flags:
            assert {"PAGE_PRESENT", "PAGE_WRITABLE", "PAGE_ACCESSED"} <= set(entry.flags)
            yield from translations(tables, entry.physical, level + 1, virtual)
        else:
            assert {"PAGE_PRESENT", "PAGE_ACCESSED", "PAGE_DIRTY"} <= set(entry.flags)
            high = virtual >> 47 and 0xFFFF << 48
            rights = ("PAGE_WRITABLE" in entry.flags, "PAGE_NO_EXECUTE" not in entry.flags, "PAGE_USER" in entry.flags)
            yield virtual | high, (entry.physical, 1 << shift, *rights)


def test_only_shared_pages_are_global_and_only_registers_uncached() -> None:
    made = planned(line())
    shared = {piece[1] for stretch in made.shared_stretches for piece in stretch.pieces()}
    registers = {
        physical
        for stretch in (*made.shared_stretches, *(s for each in made.partitions for s in each.stretches))
        if stretch.uncached
        for _, physical, _ in stretch.pieces()
    }
    for table in pagetables.build(made):
        for entry in table.entries.values():
            if "PAGE_DIRTY" in entry.flags:
                assert ("PAGE_UNCACHED" in entry.flags) == (entry.physical in registers)
                assert "PAGE_GLOBAL" not in entry.flags or entry.physical in shared

# SPDX-License-Identifier: Apache-2.0
"""What must hold for every image, worked out the slow way: pages as sets, from the layout on one side and from what
a plan or the bytes of an image map on the other.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from parclose import elf
from parclose.constants import constants
from parclose.model import BarKind, Role, System
from parclose.planned import ExtentKind, Plan, PlannedBar, RegionKind, Stretch

PAGE = 0x1000
NOBODYS = (ExtentKind.MONITOR, ExtentKind.TABLES, ExtentKind.CONTEXT, ExtentKind.IO_BITMAP)
PRESENT, WRITABLE, USER, LARGE, NO_EXECUTE = 1, 2, 4, 1 << 7, 1 << 63  # Intel SDM 3A, table 4-20
ADDRESS = 0x000F_FFFF_FFFF_F000


@dataclass(frozen=True)
class Use:
    """One small page that ring 3 of a partition may use. Page numbers, not addresses."""

    virtual: int
    physical: int
    write: bool
    execute: bool


Uses = Mapping[str, list[Use]]  # by partition


def of_plan(plan: Plan) -> Uses:
    """What the plan says that each partition maps."""
    return {
        each.partition.name: [
            _use(stretch, page)
            for stretch in each.stretches
            if stretch.user
            for page in range(-(-stretch.size // PAGE))
        ]
        for each in plan.partitions
    }


def _use(stretch: Stretch, page: int) -> Use:
    virtual, physical = stretch.virtual // PAGE + page, stretch.physical // PAGE + page
    return Use(virtual, physical, stretch.rights.write, stretch.rights.execute)


def of_image(plan: Plan, image: bytes) -> Uses:
    """What the page tables in the image's bytes map. Of the plan only the roots are taken."""
    memory = _memory(image)
    return {each.partition.name: list(_walk(memory, each.root // PAGE)) for each in plan.partitions}


def _memory(image: bytes) -> dict[int, bytes]:
    """Every page that the loader fills; none of them twice."""
    found: dict[int, bytes] = {}
    for segment in elf.read(image).segments:
        assert segment.physical % PAGE == 0
        for offset in range(0, segment.memory_size, PAGE):
            page = (segment.physical + offset) // PAGE
            assert page not in found, f"two segments fill {page * PAGE:#x}"
            found[page] = segment.content[offset : offset + PAGE].ljust(PAGE, b"\0")
    return found


def _walk(memory: Mapping[int, bytes], table: int, level: int = 3, virtual: int = 0, seen: int = 7) -> Iterator[Use]:
    for index, entry in enumerate(struct.unpack("<512Q", memory[table])):
        rights = seen & entry & (WRITABLE | USER) | (seen | entry) & NO_EXECUTE
        if not (entry & PRESENT and rights & USER):
            continue
        place, target = virtual + (index << 9 * level), (entry & ADDRESS) // PAGE
        if level and not entry & LARGE:
            yield from _walk(memory, target, level - 1, place, rights)
            continue
        for page in range(1 << 9 * level):
            yield Use(place + page, target + page, bool(rights & WRITABLE), not rights & NO_EXECUTE)


def pages(start: int, size: int) -> set[int]:
    """The numbers of the pages that hold any of `size` bytes from `start` on."""
    return set(range(start // PAGE, -(-(start + size) // PAGE)))


def assert_sound(system: System, plan: Plan, uses: Uses) -> None:
    """Nothing overlaps, and what two partitions can reach is what the layout says that they share."""
    _no_overlap(system, plan)
    _each_alone(system, plan, uses)
    for one, other in combinations(sorted(uses), 2):
        _pair(system, plan, uses, one, other)
    _one_writer(system, plan, uses)


def _no_overlap(system: System, plan: Plan) -> None:
    """No page of memory has two uses, and every one is in the board's memory."""
    count = Counter(page for extent in plan.extents for page in pages(extent.physical, extent.size))
    assert [page for page, uses in count.items() if uses > 1] == []
    board = set().union(*(pages(each.start, each.size) for each in system.board.memory))
    assert set(count) <= board
    registers = [pages(bar.address, bar.bar.size) for bar in _memory_bars(plan)]
    assert sum(map(len, registers)) == len(set().union(*registers)), "the registers of two devices overlap"
    assert not set().union(*registers) & board


def _memory_bars(plan: Plan, owner: int | None = None) -> Iterator[PlannedBar]:
    for device in plan.devices:
        if owner is None or device.owner == owner:
            yield from (bar for bar in device.bars if bar.bar.kind is not BarKind.PORTS)


def _each_alone(system: System, plan: Plan, uses: Uses) -> None:
    """One address a page, nothing writable and executable, and nothing of ring 0's but what all may read."""
    clock = {plan.clock_page // PAGE}
    nobodys = set().union(*(pages(each.physical, each.size) for each in plan.extents if each.kind in NOBODYS))
    database = set().union(*(pages(e.physical, e.size) for e in plan.extents if e.kind is ExtentKind.DATABASE))
    known = set().union(*(pages(each.physical, each.size) for each in plan.extents))
    for each in plan.partitions:
        mine = uses[each.partition.name]
        physical = Counter(use.physical for use in mine)
        assert max(physical.values()) == 1, "one page at two addresses"
        assert max(Counter(use.virtual for use in mine).values()) == 1, "two pages at one address"
        assert not [use for use in mine if use.write and use.execute]
        assert set(physical) & nobodys <= clock
        manager = each.partition.role is Role.MANAGER
        assert manager or not set(physical) & database
        assert not [use for use in mine if use.write and use.physical in clock | database]
        registers = set().union(*(pages(bar.address, bar.bar.size) for bar in _memory_bars(plan, each.index)))
        assert set(physical) <= known | registers
        assert not set(physical) & _not_for(system, plan, each.partition.name)


def _not_for(system: System, plan: Plan, name: str) -> set[int]:
    """The pages of channels and regions that the layout gives to others, or to nobody, and of what others own."""
    found = {page for each in plan.extents if each.owner not in ("", name) for page in pages(each.physical, each.size)}
    for window in plan.channels:
        if name not in (window.channel.client, window.channel.server):
            found |= pages(window.physical, window.size)
    users = {each.name: {each.writer, *each.readers} for each in system.regions}
    for region in plan.regions:
        if region.kind is RegionKind.SHARED and name not in users[region.name]:
            found |= pages(region.physical, region.size)
    return found


def _pair(system: System, plan: Plan, uses: Uses, one: str, other: str) -> None:
    """What both map is the clock page, their channels and their regions, as large as the layout says."""
    both = {use.physical for use in uses[one]} & {use.physical for use in uses[other]}
    header = constants()["CHANNEL_HEADER_PAGES"] * PAGE
    channels = [each for each in system.channels if {each.client, each.server} == {one, other}]
    regions = [each for each in system.regions if {one, other} <= {each.writer, *each.readers}]
    size = sum(header + each.data_size for each in channels) + sum(-(-each.size // PAGE) * PAGE for each in regions)
    assert len(both) == 1 + size // PAGE, f"'{one}' and '{other}' share {len(both)} pages"
    names = {each.name for each in regions}
    allowed = {plan.clock_page // PAGE}
    for window in plan.channels:
        if {window.channel.client, window.channel.server} == {one, other}:
            allowed |= pages(window.physical, window.size)
    for region in plan.regions:
        if region.kind is RegionKind.SHARED and region.name in names:
            allowed |= pages(region.physical, region.size)
    assert both == allowed


def _one_writer(system: System, plan: Plan, uses: Uses) -> None:
    """Who may write a page: its one owner, the two ends of a channel, or a region's writer."""
    writers: dict[int, set[str]] = {}
    for name, mine in uses.items():
        for use in mine:
            if use.write:
                writers.setdefault(use.physical, set()).add(name)
    windows = {
        page: {each.channel.client, each.channel.server}
        for each in plan.channels
        for page in pages(each.physical, each.size)
    }
    for page, names in writers.items():
        assert len(names) == 1 or names == windows.get(page), f"{names} write {page * PAGE:#x}"
    for region in system.regions:
        planned = next(each for each in plan.regions if each.kind is RegionKind.SHARED and each.name == region.name)
        expected = {region.writer} if region.writer else set()
        for page in pages(planned.physical, planned.size):
            assert writers.get(page, set()) == expected

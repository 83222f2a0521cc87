# SPDX-License-Identifier: Apache-2.0
"""What a plan is made on: physical memory, each partition's address areas and events, and the problems met."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from parclose.constants import constants
from parclose.errors import Label, Problem, Span
from parclose.model import Device, MemoryRange, Partition, System
from parclose.place import NoRoom, Space, align_up
from parclose.planned import Extent, ExtentKind
from parclose.wording import format_size

_AREAS = {
    "channel windows": ("CHANNEL_ADDRESS", "REGION_ADDRESS"),
    "shared regions": ("REGION_ADDRESS", "CONFIG_ADDRESS"),
    "configuration": ("CONFIG_ADDRESS", "DEVICE_ADDRESS"),
    "device registers": ("DEVICE_ADDRESS", "USER_END_ADDRESS"),
}


class Ground:
    """Gives out addresses and event numbers; what does not fit becomes a problem and the address 0."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.index = {partition.name: index for index, partition in enumerate(system.partitions)}
        self.problems: list[Problem] = []
        self.extents: list[Extent] = []
        self._short: list[tuple[Extent, NoRoom]] = []
        floor = constants()["PLAN_PHYSICAL"]
        ranges = ((max(each.start, floor), each.start + each.size) for each in system.board.memory)
        self._memory = Space(ranges)
        self._areas: dict[tuple[str, str], Space] = {}
        self._events: defaultdict[str, int] = defaultdict(int, {system.partitions[0].name: 1})

    def memory(self, name: str, kind: ExtentKind, size: int, owner: str = "", span: Span | None = None) -> int:
        """Physical memory for `size` bytes, in whole pages; aligned to large pages when it is that large."""
        large = constants()["LARGE_PAGE_SIZE"]
        whole = align_up(size, constants()["PAGE_SIZE"])
        place = 0
        try:
            place = self._memory.take(whole, large if whole >= large else constants()["PAGE_SIZE"])
        except NoRoom as short:
            self._short.append((Extent(name, kind, 0, whole, owner, span), short))
        self.extents.append(Extent(name, kind, place, whole, owner, span))
        return place

    def virtual(self, partition: str, area: str, size: int, span: Span | None) -> int:
        """An address in `partition`'s area for `size` bytes, followed by a page that stays unmapped."""
        page, large = constants()["PAGE_SIZE"], constants()["LARGE_PAGE_SIZE"]
        first, end = (constants()[name] for name in _AREAS[area])
        space = self._areas.setdefault((partition, area), Space([(first, end)]))
        whole = align_up(size, page)
        try:
            return space.take(whole + page, large if whole >= large else page)
        except NoRoom as short:
            self.problems.append(_area_full(partition, area, size, short, end - first, span))
            return 0

    def event(self, partition: str, what: str, span: Span | None) -> int:
        """The next event number of `partition`. The manager's event 0 says that a partition changed state."""
        number = self._events[partition]
        self._events[partition] += 1
        most = constants()["LIMIT_EVENTS"]
        if number == most:
            place = span or self._span(partition)
            self.problems.append(
                Problem(
                    "P323",
                    f"partition '{partition}' has more than {most} events with {what}",
                    (Label(place, "this needs one more"), Label(self._span(partition), "the partition")),
                    "divide its channels and devices among two partitions",
                )
            )
        return number

    def check_descriptor_page(self, partition: Partition, rows: int, size: int) -> None:
        """A problem when `rows` rows of `size` bytes are too many for the descriptor page."""
        most = constants()["LIMIT_DESCRIPTOR_PAGES"] * constants()["PAGE_SIZE"]
        if size > most:
            self.problems.append(
                Problem(
                    "P326",
                    f"partition '{partition.name}' has {rows} regions, devices, channels and configuration files; "
                    f"their descriptions need {format_size(size)}, its descriptor page has {format_size(most)}",
                    (Label(partition.span, "this partition"),),
                    "divide what it has among two partitions",
                )
            )

    def check_descriptors(self, counts: Mapping[int, int]) -> None:
        """A problem when all partitions, by index, have more descriptors together than the database has rows."""
        most, total = constants()["LIMIT_DESCRIPTORS"], sum(counts.values())
        if total > most:
            largest = self.system.partitions[max(counts, key=lambda index: counts[index])]
            self.problems.append(
                Problem(
                    "P328",
                    f"regions, devices and ends of channels of all partitions are {total}, {total - most} too many",
                    (Label(largest.span, f"'{largest.name}' has the most of them"),),
                    f"at most {most}: share regions among fewer partitions",
                )
            )

    def check_interrupts(self, vectors: int, last: Device) -> None:
        """A problem when there are fewer interrupt vectors than the `vectors` that devices up to `last` use."""
        most = constants()["LIMIT_INTERRUPTS"]
        if vectors > most:
            self.problems.append(
                Problem(
                    "P327",
                    f"with {last.name} the devices have {vectors} interrupts, and there are {most} vectors",
                    (Label(last.span, "this device has some of them"),),
                    "give up a device",
                )
            )

    def _span(self, partition: str) -> Span:
        return self.system.partitions[self.index[partition]].span

    def check_fixed(self, extent: Extent) -> None:
        """Note an extent whose address is fixed; a problem when the board has no memory there."""
        self.extents.append(extent)
        board = self.system.board
        if not any(each.start <= extent.physical and extent.end <= each.start + each.size for each in board.memory):
            self.problems.append(
                Problem(
                    "P324",
                    f"the {extent.name} needs {extent.physical:#x} to {extent.end:#x}, no memory of {board.name}",
                    (Label(board.memory[0].span, "the board's memory"),),
                    "the monitor is linked for boards with memory there",
                )
            )

    def memory_problems(self) -> list[Problem]:
        """One problem for all that did not fit, with the sums; none when all did."""
        if not self._short:
            return []
        extent, short = self._short[0]
        others = [each for each, _ in self._short[1:]]
        span = extent.span or self.system.span
        used = sum(each.size for each in self.extents if each.physical)
        return [
            Problem(
                "P325",
                f"memory does not fit: {extent.name} needs {format_size(extent.size)}, "
                f"{format_size(short.largest)} are free in one piece and {format_size(short.free)} altogether",
                (Label(span, f"{format_size(extent.size)}"), *_board_labels(self.system.board.memory)),
                f"the others before it take {format_size(used)}"
                + (f"; after it {', '.join(each.name for each in others)} did not fit either" if others else "")
                + f"; take away {format_size(max(extent.size - short.largest, 0))} or give the board more",
            )
        ]


def _board_labels(memory: tuple[MemoryRange, ...]) -> list[Label]:
    return [Label(each.span, f"{format_size(each.size)} from {each.start:#x} up") for each in memory]


def _area_full(partition: str, area: str, size: int, short: NoRoom, whole: int, span: Span | None) -> Problem:
    assert span is not None
    return Problem(
        "P326",
        f"the {area} of partition '{partition}' do not fit its address space: {format_size(size)} more, "
        f"{format_size(short.largest)} of {format_size(whole)} are free",
        (Label(span, "this one does not fit"),),
        "make it smaller, or give it to another partition",
    )

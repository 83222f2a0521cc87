# SPDX-License-Identifier: Apache-2.0
"""Checks of a board's facts against each other and against what every plan needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from parclose.board_devices import PORT_LIMIT, PortRange
from parclose.constants import constants
from parclose.errors import Span
from parclose.model import BarKind, Board, Bus, Device, DiskPartition, MemoryRange
from parclose.problems import Collector, at
from parclose.wording import format_size, listing, round_up, suggestion

_NEEDED_FEATURES = ("NX", "XSAVE", "FSGSBASE", "SYSCALL")


@dataclass(frozen=True)
class BoardFacts:
    """A board and what only its own checks need: reserved ports and interrupts, and where its keys stand."""

    board: Board
    span: Span
    reserved_ports: tuple[PortRange, ...]
    reserved_interrupts: tuple[tuple[str, int, Span], ...]
    keys: dict[str, Span]

    def place(self, key: str) -> Span:
        return self.keys.get(key, self.span)


def check_board(facts: BoardFacts, problems: Collector) -> None:
    """Note every way in which the facts contradict each other."""
    for check in (
        _memory_pages,
        _memory_overlap,
        _memory_for_monitor,
        _window,
        _features,
        _processors,
        _addresses,
        _reserved_ports,
        _reserved_interrupts,
        _bars,
        _msix,
        _roles,
        _disks,
        _partitions,
    ):
        check(facts, problems)


def _memory_pages(facts: BoardFacts, problems: Collector) -> None:
    page = constants()["PAGE_SIZE"]
    for each in facts.board.memory:
        if each.start % page or each.size % page or not each.size:
            start, end = round_up(each.start, page), (each.start + each.size) // page * page
            help = f"the whole pages in it: start {start:#x}, size {format_size(max(end - start, 0))}"
            text = f"memory at {each.start:#x} of {format_size(each.size)} is not a number of whole pages"
            problems.error("P209", text, at(each.span, "this range"), help=help)


def _memory_overlap(facts: BoardFacts, problems: Collector) -> None:
    for one, other in combinations(facts.board.memory, 2):
        shared = min(one.start + one.size, other.start + other.size) - max(one.start, other.start)
        if shared > 0:
            text = f"two ranges of memory overlap by {format_size(shared)}"
            help = f"give the second a start of {one.start + one.size:#x} or more"
            problems.error("P201", text, at(other.span, "this range"), at(one.span, "overlaps this one"), help=help)


def _memory_for_monitor(facts: BoardFacts, problems: Collector) -> None:
    low, high = constants()["MONITOR_PHYSICAL"], constants()["PLAN_PHYSICAL"]
    if any(each.start <= low and high <= each.start + each.size for each in facts.board.memory):
        return
    text = f"no range of memory holds {low:#x} to {high:#x}, where the monitor and the database stand"
    labels = [at(each.span, f"{each.start:#x} to {each.start + each.size:#x}") for each in facts.board.memory]
    help = f"a range from {low:#x} or below to {high:#x} or above is needed"
    problems.error("P202", text, at(facts.place("memory"), "usable memory"), *labels, help=help)


def _window(facts: BoardFacts, problems: Collector) -> None:
    start, size = facts.board.pci_window
    place = at(facts.place("pci-window"), f"{start:#x} to {start + size:#x}")
    for each in facts.board.memory:
        if start < each.start + each.size and each.start < start + size:
            text = "the window for PCI registers overlaps memory"
            here = at(each.span, f"{each.start:#x} to {each.start + each.size:#x}")
            problems.error("P212", text, place, here, help="choose addresses above the memory, below 4 GiB")
    needed = sum(bar.size for device in facts.board.devices for bar in device.bars if bar.kind is not BarKind.PORTS)
    if needed > size:
        text = f"the devices' registers take {format_size(needed)}, the window for them has {format_size(size)}"
        problems.error("P212", text, place, help=f"make it {format_size(1 << (needed - 1).bit_length())}")


def _features(facts: BoardFacts, problems: Collector) -> None:
    known = {feature.name for feature in facts.board.features}
    missing = [name for name in _NEEDED_FEATURES if name not in known]
    if missing and known:
        text = f"the monitor needs {listing(missing)}, which the board does not promise"
        problems.error(
            "P208", text, at(facts.place("features"), "the promised features"), help=f"add {listing(missing)}"
        )
    if facts.board.xcr0 & 3 != 3 and "xcr0" in facts.keys:
        text = f"xcr0 {facts.board.xcr0:#x} lacks x87 (bit 0) or SSE (bit 1)"
        problems.error("P220", text, at(facts.place("xcr0"), "here"), help=f"write {facts.board.xcr0 | 3:#x}")


def _processors(facts: BoardFacts, problems: Collector) -> None:
    names = [f"cpu{index}" for index in range(len(facts.board.processors))]
    if [each.name for each in facts.board.processors] != names:
        text = "processors are named cpu0, cpu1, … in order"
        problems.error("P222", text, at(facts.place("processors"), "here"), help=f"name them {listing(names)}")


def _addresses(facts: BoardFacts, problems: Collector) -> None:
    for one, other in combinations(facts.board.devices, 2):
        if one.bus is Bus.PCI and other.bus is Bus.PCI and one.address == other.address:
            text = f"'{one.name}' and '{other.name}' have the same PCI address"
            labels = at(other.span, "this device"), at(one.span, "has that address already")
            problems.error("P205", text, *labels, help="correct one of the two: `lspci` prints them")


def _isa_ranges(device: Device) -> Iterator[tuple[int, int]]:
    return ((bar.address or 0, bar.size) for bar in device.bars if device.bus is Bus.ISA)


def _reserved_ports(facts: BoardFacts, problems: Collector) -> None:
    for device in facts.board.devices:
        for start, size in _isa_ranges(device):
            for kept in facts.reserved_ports:
                if start < kept.start + kept.count and kept.start < start + size:
                    text = f"'{device.name}' has ports {start:#x} to {start + size - 1:#x}, reserved for '{kept.name}'"
                    help = f"'{kept.name}' ends at {kept.start + kept.count - 1:#x}"
                    labels = at(device.span, "this device"), at(kept.span, "reserved here")
                    problems.error("P203", text, *labels, help=help)
            if start + size > PORT_LIMIT:
                text = f"the ports of '{device.name}' end at {start + size:#x}, beyond {PORT_LIMIT:#x}"
                help = f"they fit from {PORT_LIMIT - size:#x} down"
                problems.error("P219", text, at(device.span, "this device"), help=help)


def _reserved_interrupts(facts: BoardFacts, problems: Collector) -> None:
    for device in facts.board.devices:
        for name, number, span in facts.reserved_interrupts:
            if number in device.isa_interrupts:
                text = f"'{device.name}' has interrupt {number}, reserved for '{name}'"
                kept = {each for _, each, _ in facts.reserved_interrupts}
                free = [str(each) for each in range(16) if each not in kept]
                labels = at(device.span, "this device"), at(span, "reserved here")
                problems.error("P204", text, *labels, help=f"not reserved: {listing(free, most=16)}")


def _bars(facts: BoardFacts, problems: Collector) -> None:
    for device in facts.board.devices:
        for bar in device.bars if device.bus is Bus.PCI else ():
            if bar.size & (bar.size - 1) or not bar.size:
                text = f"BAR {bar.index} of '{device.name}' has {format_size(bar.size)}, no power of two"
                near = 1 << max(bar.size - 1, 1).bit_length()
                help = f"the nearest above is {format_size(near)}"
                problems.error("P206", text, at(device.span, "this device"), help=help)


def _msix(facts: BoardFacts, problems: Collector) -> None:
    for device in facts.board.devices:
        msix = device.msix
        if msix is None:
            continue
        sizes = {bar.index: bar.size for bar in device.bars if bar.kind is not BarKind.PORTS}
        end = max(msix.table + msix.entries * 16, msix.pending + round_up(msix.entries, 64) // 8)
        if end > sizes.get(msix.bar, 0):
            held = f"has {format_size(sizes[msix.bar])}" if msix.bar in sizes else "is not there"
            text = f"the MSI-X table of '{device.name}' ends at {end:#x} of BAR {msix.bar}, which {held}"
            help = f"a BAR of {format_size(1 << (end - 1).bit_length())} would hold it"
            problems.error("P210", text, at(device.span, "this device"), help=help)


def _roles(facts: BoardFacts, problems: Collector) -> None:
    names = [device.name for device in facts.board.devices]
    for role, device, span in facts.board.roles:
        if device not in names:
            help = suggestion(device, names, "devices of this board")
            text = f"the role '{role}' names the unknown device '{device}'"
            problems.error("P215", text, at(span, "unknown"), at(facts.place("devices"), "devices"), help=help)


def _disks(facts: BoardFacts, problems: Collector) -> None:
    qemu = facts.board.qemu
    if qemu is None:
        return
    place, disks = facts.place("qemu"), dict(qemu.disks)
    devices = {device.name: device for device in facts.board.devices}
    _disks_listed(qemu.arguments, disks, place, problems)
    for each in facts.board.devices:
        own = {each.name: each.capacity} if each.capacity else {}
        _disks_listed(each.qemu, {**disks, **own}, each.span, problems)
    for name, size in qemu.disks:
        device = devices.get(name)
        if device is None:
            help = suggestion(name, list(devices), "devices of this board")
            problems.error("P216", f"'disks' names the unknown device '{name}'", at(place, "here"), help=help)
        elif size != device.capacity:
            text = f"the disk of '{name}' has {format_size(size)}, its capacity is {format_size(device.capacity)}"
            labels = at(place, "here"), at(device.span, "the capacity stands here")
            problems.error("P216", text, *labels, help=f"write {name}: {format_size(device.capacity)} under disks")


def _partitions(facts: BoardFacts, problems: Collector) -> None:
    """P223: partitions of a disk that are not on it, hold parts of blocks, or share some."""
    for device in facts.board.devices:
        for index, each in enumerate(device.partitions):
            overlap = [one for one in device.partitions[:index] if _overlap(one, each)]
            fault, place = _fault(device, each), at(device.span, "this disk")
            if not fault and overlap:
                fault, place = f"shares blocks with '{overlap[0].name[:40]}'", at(overlap[0].span, "this one")
            if fault:
                help = "sgdisk --print says what a disk has, in blocks"
                text = f"the partition '{each.name[:40]}' {fault}"
                problems.error("P223", text, at(each.span, "this partition"), place, help=help)


def _overlap(one: DiskPartition, other: DiskPartition) -> bool:
    return one.start < other.start + other.size and other.start < one.start + one.size


def _fault(device: Device, partition: DiskPartition) -> str:
    end, block = partition.start + partition.size, max(device.block_size, 1)
    if not partition.size:
        return "is empty"
    if end > device.capacity:
        return f"ends at {format_size(end)}, {device.name} at {format_size(device.capacity)}"
    if partition.start % block or partition.size % block:
        return f"is no number of whole blocks of {format_size(block)}"
    return ""


def _disks_listed(words: tuple[str, ...], disks: Mapping[str, int], place: Span, problems: Collector) -> None:
    for wanted in sorted(set(re.findall(r"\{disk:([^}]*)\}", " ".join(words))) - set(disks)):
        help = suggestion(wanted, list(disks), "disks here")
        text = f"QEMU's arguments ask for the disk '{wanted}', which 'disks' does not list"
        problems.error("P218", text, at(place, "here"), help=help)


def largest_range(board: Board) -> MemoryRange:
    """The largest range that a plan may use: above the monitor's own memory."""
    return max(usable(board), key=lambda each: each.size)


def usable(board: Board) -> list[MemoryRange]:
    """What a plan may use of the board's memory: whole ranges, above the monitor's own memory."""
    low = constants()["PLAN_PHYSICAL"]
    cut = [
        MemoryRange(max(each.start, low), each.start + each.size - max(each.start, low), each.span)
        for each in board.memory
    ]
    return [each for each in cut if each.size > 0]

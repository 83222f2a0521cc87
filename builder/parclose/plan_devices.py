# SPDX-License-Identifier: Apache-2.0
"""The part of the plan that concerns devices: base addresses, what of them the owner sees, MSI-X tables, ports.

Base addresses are naturally aligned (PCI Local Bus 3.0, 6.2.5.1), and each has its pages to itself, so that no
page of registers belongs to two partitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from parclose.constants import constants
from parclose.errors import Label, Problem
from parclose.model import Bar, BarKind, Board, Device, InterruptKind, Partition, System
from parclose.place import NoRoom, Space, align_up
from parclose.planned import PlannedBar, Rights, Stretch

_MSIX_ENTRY = 16  # bytes, PCI Local Bus 3.0, 6.8.2


@dataclass(frozen=True)
class OwnedDevice:
    """A device with its owner. `table` is the part of physical memory that holds its MSI-X table, in whole pages."""

    device: Device
    owner: Partition
    bars: tuple[PlannedBar, ...]
    table: tuple[int, int] | None = None


def interrupts(device: Device) -> Iterator[tuple[InterruptKind, int]]:
    """Kind and number of each interrupt of `device` that becomes an event of its owner."""
    if device.msix is not None:
        for entry in range(min(device.msix.entries, constants()["LIMIT_DEVICE_INTERRUPTS"])):
            yield InterruptKind.MSIX, entry
    elif device.msi:
        yield InterruptKind.MSI, device.msi
    for number in device.isa_interrupts:
        yield InterruptKind.ISA, number


def owned_devices(system: System, problems: list[Problem]) -> tuple[OwnedDevice, ...]:
    """Every device that a partition owns, in the partitions' order, with physical addresses given out."""
    board = {device.name: device for device in system.board.devices}
    owned = [(board[name], partition) for partition in system.partitions for name in partition.devices]
    addresses = _place_bars(system.board, [device for device, _ in owned], problems)
    found = []
    for device, partition in owned:
        bars = tuple(
            PlannedBar(bar, addresses[device.name, bar.index], 0)
            for bar in device.bars
            if (device.name, bar.index) in addresses
        )
        found.append(_with_table(OwnedDevice(device, partition, bars), problems))
    return tuple(found)


def _place_bars(board: Board, devices: list[Device], problems: list[Problem]) -> dict[tuple[str, int], int]:
    """The address of each base address register. A PCI function's port ranges are not placed: they stay off."""
    start, size = board.pci_window
    window = Space([(start, start + size)])
    placed: dict[tuple[str, int], int] = {}
    wanted: list[tuple[Device, Bar]] = []
    for device in devices:
        for bar in device.bars:
            if bar.address is not None:
                placed[device.name, bar.index] = bar.address
            elif bar.kind is not BarKind.PORTS:
                wanted.append((device, bar))
    for device, bar in sorted(wanted, key=lambda pair: -pair[1].size):
        whole = max(bar.size, constants()["PAGE_SIZE"])
        try:
            placed[device.name, bar.index] = window.take(whole, whole)
        except NoRoom as short:
            problems.append(_window_full(board, device, bar, short))
    return placed


def _window_full(board: Board, device: Device, bar: Bar, short: NoRoom) -> Problem:
    return Problem(
        "P321",
        f"base address register {bar.index} of {device.name} needs {short.size:#x} bytes of the PCI window; "
        f"{short.largest:#x} are free in one piece, {short.free:#x} altogether",
        (Label(device.span, f"{bar.size:#x} bytes, aligned to their size"),),
        f"the window of {board.name} is {board.pci_window[1]:#x} bytes from {board.pci_window[0]:#x} up; "
        "widen it on the board, or give up a device",
    )


def _with_table(owned: OwnedDevice, problems: list[Problem]) -> OwnedDevice:
    msix = owned.device.msix
    if msix is None:
        return owned
    bar = next((bar for bar in owned.bars if bar.bar.index == msix.bar), None)
    if bar is None:
        return owned
    page = constants()["PAGE_SIZE"]
    table = bar.address + msix.table
    if table % page:
        problems.append(_table_shares_page(owned.device, bar, table))
    first = table & -page
    return replace(owned, table=(first, align_up(table + msix.entries * _MSIX_ENTRY, page) - first))


def _table_shares_page(device: Device, bar: PlannedBar, table: int) -> Problem:
    page = constants()["PAGE_SIZE"]
    return Problem(
        "P322",
        f"the MSI-X table of {device.name} at {table:#x} (offset {table - bar.address:#x} of base address register "
        f"{bar.bar.index}) shares its page with registers at {table & -page:#x} that the driver may need",
        (Label(device.span, "this device"),),
        "use a device whose MSI-X table begins on a page of its own",
    )


def device_stretches(owned: OwnedDevice, bar: PlannedBar) -> Iterator[Stretch]:
    """What the owner sees of `bar` (with its virtual address set): all but the pages of the MSI-X table."""
    start, end = bar.address, bar.address + align_up(bar.bar.size, constants()["PAGE_SIZE"])
    hole, size = owned.table or (end, 0)
    inside = start <= hole < end
    pieces = [(start, hole), (hole + size, end)] if inside else [(start, end)]
    for low, high in pieces:
        if high > low:
            label = f"{owned.device.name} registers {bar.bar.index}"
            virtual = bar.virtual + low - start
            yield Stretch(label, virtual, low, high - low, Rights(write=True), uncached=True)


def ports(system: System, partition: Partition, owned: tuple[OwnedDevice, ...]) -> tuple[tuple[int, int], ...]:
    """The I/O ports of `partition`, as (first, count): its devices', and the manager's own."""
    found = {
        (bar.address, bar.bar.size)
        for device in owned
        if device.owner is partition
        for bar in device.bars
        if bar.bar.kind is BarKind.PORTS
    }
    if partition is system.partitions[0]:
        found |= _manager_ports(system.board)
    return tuple(sorted(found))


def _manager_ports(board: Board) -> set[tuple[int, int]]:
    found = {(board.report_port, 1)} if board.report_port else set()
    return found | {(write.port, write.width) for write in (board.poweroff, board.reboot) if write is not None}

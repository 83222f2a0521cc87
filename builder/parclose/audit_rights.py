# SPDX-License-Identifier: Apache-2.0
"""What each partition may reach, page by page, worked out from the plan's rows for the audit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from parclose.constants import constants
from parclose.model import BarKind
from parclose.place import align_up
from parclose.planned import Plan, PlannedDevice, PlannedPartition, RegionKind, Resource


@dataclass(frozen=True)
class Right:
    """The most that a page may be used for. `shared`: its translation may be global."""

    what: str
    write: bool = False
    execute: bool = False
    shared: bool = False


# (whether ring 3, physical page) -> right
Allowed = dict[tuple[bool, int], Right]


def shared_pages(plan: Plan) -> dict[int, Right]:
    """Ring 0's pages that all partitions share, by physical page: monitor, database, the registers it drives."""
    number = constants()
    found: dict[int, Right] = {}
    for segment in plan.monitor.segments:
        own = number["MONITOR_ADDRESS"] <= segment.virtual < number["MONITOR_ADDRESS"] + number["MONITOR_SIZE"]
        local = number["LOCAL_ADDRESS"] <= segment.virtual < number["LOCAL_CPU_END"]
        if own or local:
            right = Right("the monitor", segment.write, segment.execute, shared=own)
            found |= dict.fromkeys(_pages(segment.physical, segment.memory_size), right)
    database = _pages(number["DATABASE_PHYSICAL"], number["DATABASE_SIZE"])
    found |= dict.fromkeys(database, Right("the database", shared=True))
    for stretch in plan.shared_stretches:
        if stretch.uncached:  # local APIC, I/O APIC: the board's own, checked not to be memory below
            found |= dict.fromkeys(_pages(stretch.physical, stretch.size), Right(stretch.label, True, shared=True))
    return found


def allowed_pages(plan: Plan, partition: PlannedPartition, shared: dict[int, Right]) -> Allowed:
    """Everything that the root of `partition` may map."""
    found: Allowed = {(False, page): right for page, right in shared.items()}
    found |= {(user, page): right for user, page, right in _own(plan, partition)}
    for row in plan.descriptors[partition.first_descriptor :][: partition.descriptor_count]:
        if row.resource is Resource.REGION:
            region = plan.regions[row.target]
            kind = region.kind
            write = kind in (RegionKind.DATA, RegionKind.STACK) or (kind is RegionKind.SHARED and row.rights.write)
            right = Right(f"region {region.name}", write, kind is RegionKind.TEXT)
            if region.owner not in (None, partition.index):
                continue
            found |= {(True, page): right for page in _pages(region.physical, region.size)}
        elif row.resource is Resource.CHANNEL:
            channel = plan.channels[row.target]
            if partition.index in (channel.client, channel.server):
                right = Right(f"channel {row.name}", write=True)
                found |= {(True, page): right for page in _pages(channel.physical, channel.size)}
        elif plan.devices[row.target].owner == partition.index:
            found |= {(True, page): right for page, right in _registers(plan.devices[row.target])}
    return found


def _own(plan: Plan, partition: PlannedPartition) -> Iterator[tuple[bool, int, Right]]:
    """Pages beside the rows: descriptor page, call page, clock, configuration; of ring 0 context and bitmap."""
    number = constants()
    size = number["PAGE_SIZE"]
    for page in _pages(partition.descriptor_page, partition.descriptor_pages * size):
        yield True, page, Right("the descriptor page")
    for user in (True, False):
        yield user, partition.call_page, Right("the call page", write=True)
    yield False, partition.context, Right("the context", write=True)
    yield False, plan.ones, Right("the page of ones")
    if partition.bitmap is not None:
        for page in _pages(partition.bitmap, 2 * size):
            yield False, page, Right("the I/O bitmap")
    for config in plan.configs:
        if config.partition == partition.index:
            for page in _pages(config.physical, max(len(config.content), 1)):
                yield True, page, Right(f"configuration {config.name}")
    yield True, plan.clock_page, Right("the clock page")
    if partition.index == 0:
        for page in _pages(number["DATABASE_PHYSICAL"], number["DATABASE_SIZE"]):
            yield True, page, Right("the database")


def _registers(device: PlannedDevice) -> Iterator[tuple[int, Right]]:
    """The pages of a device's registers that its owner may see: none that holds a part of its MSI-X table."""
    msix = device.device.msix
    table: set[int] = set()
    for bar in device.bars:
        if msix is not None and bar.bar.index == msix.bar:
            table = set(_pages(bar.address + msix.table, msix.entries * 16))
    for bar in device.bars:
        if bar.bar.kind is not BarKind.PORTS:
            for page in _pages(bar.address, bar.bar.size):
                if page not in table:
                    yield page, Right(f"registers of {device.device.name}", write=True)


def _pages(physical: int, size: int) -> range:
    page = constants()["PAGE_SIZE"]
    return range(physical & -page, align_up(physical + size, page), page)

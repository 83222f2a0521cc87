# SPDX-License-Identifier: Apache-2.0
"""Computes every address of an image. A pure function: nothing is read or written.

Things are placed in the order of the layout, and each takes the lowest free place, so the same layout gives the
same plan.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from parclose import addresses
from parclose.constants import constants
from parclose.errors import raise_if_errors
from parclose.model import System
from parclose.monitor_time import MonitorTime, monitor_time
from parclose.plan_devices import device_stretches, ports
from parclose.plan_ground import Ground
from parclose.plan_program import memory_size
from parclose.plan_rows import Rows, rows
from parclose.plan_space import (
    Pages,
    fixed_stretches,
    local_stretches,
    monitor_stretches,
    shared_table_count,
    table_count,
)
from parclose.planned import (
    ADDRESS_ROW,
    ROW_MOST,
    Extent,
    ExtentKind,
    Inputs,
    Plan,
    PlannedPartition,
    RegionKind,
    Resource,
    Rights,
    Stretch,
)


def plan(system: System, inputs: Inputs) -> Plan:
    """Place everything of `system`. Raises `LayoutProblems` when something does not fit."""
    ground = Ground(system)
    _fixed_extents(ground)
    placed = rows(ground, inputs)
    pages = _pages(ground, placed)
    regions = Counter(row.partition for row in placed.descriptors if row.resource is Resource.REGION)
    time, short = monitor_time(system, [regions[index] for index in range(len(system.partitions))])
    ground.problems += short  # of a program with more segments than ours: the check found the others
    raise_if_errors(ground.problems + ground.memory_problems())
    made = _address_spaces(ground, inputs, placed, pages, time)
    raise_if_errors(ground.memory_problems())
    return made


def _fixed_extents(ground: Ground) -> None:
    number = constants()
    for name, kind, prefix in (
        ("monitor", ExtentKind.MONITOR, "MONITOR"),
        ("database", ExtentKind.DATABASE, "DATABASE"),
    ):
        ground.check_fixed(Extent(name, kind, number[f"{prefix}_PHYSICAL"], number[f"{prefix}_SIZE"]))


def _pages(ground: Ground, placed: Rows) -> tuple[Pages, ...]:
    """Each partition's descriptor pages, call page, context and, where it has ports, I/O permission bitmap."""
    page = constants()["PAGE_SIZE"]
    count = Counter(each.partition for each in placed.descriptors)
    ground.check_descriptors(count)
    count.update(each.partition for each in placed.configs)
    found = []
    for index, partition in enumerate(ground.system.partitions):
        macs = addresses.count(ground.system, partition.name)
        labels = sum(each.partition == partition.name for each in ground.system.endpoints if each.label)
        name, size = partition.name, ROW_MOST * (1 + count[index] + labels) + ADDRESS_ROW * macs
        ground.check_descriptor_page(partition, count[index], size)
        allowed = ports(ground.system, partition, placed.owned)
        descriptor = ground.memory(f"descriptor page of {name}", ExtentKind.DESCRIPTORS, size, name)
        call = ground.memory(f"call page of {name}", ExtentKind.CALL_PAGE, page, name)
        context = ground.memory(f"context of {name}", ExtentKind.CONTEXT, page, name)
        bitmap = None
        if allowed:
            bitmap = ground.memory(f"I/O bitmap of {name}", ExtentKind.IO_BITMAP, 2 * page, name)
        found.append(Pages(descriptor, -(-size // page), call, context, bitmap, allowed))
    return tuple(found)


def _address_spaces(ground: Ground, inputs: Inputs, placed: Rows, pages: tuple[Pages, ...], time: MonitorTime) -> Plan:
    """The last step: what each root maps, and the page tables for it, one after another."""
    page = constants()["PAGE_SIZE"]
    ones = ground.memory("page of ones", ExtentKind.IO_BITMAP, page)
    shared = monitor_stretches(ground.system.board, inputs.monitor, placed.owned)
    spaces = [_stretches(inputs, placed, index, pages[index], ones) for index in range(len(pages))]
    counts = [shared_table_count(shared), *(table_count(space, shared) for space in spaces)]
    first = ground.memory("page tables", ExtentKind.TABLES, sum(counts) * page)
    starts = [first + sum(counts[:index]) * page for index in range(len(counts) + 1)]
    tables = [tuple(range(start, end, page)) for start, end in pairwise(starts)]
    partitions = tuple(
        _partition(ground, inputs, placed, index, pages[index], tables[index + 1], spaces[index])
        for index in range(len(pages))
    )
    return Plan(
        extents=tuple(sorted(ground.extents, key=lambda extent: extent.physical)),
        partitions=partitions,
        regions=placed.regions,
        devices=placed.devices,
        interrupts=tuple(interrupt for device in placed.devices for interrupt in device.interrupts),
        endpoints=placed.endpoints,
        channels=placed.channels,
        configs=placed.configs,
        descriptors=placed.descriptors,
        monitor=inputs.monitor,
        shared_stretches=shared,
        shared_tables=tables[0],
        ones=ones,
        clock_page=_clock(inputs),
        monitor_time=time,
    )


def _clock(inputs: Inputs) -> int:
    clock = inputs.monitor.physical(inputs.clock_page)
    assert clock is not None, "the monitor's clock page is in one of its segments"
    return clock


def _stretches(inputs: Inputs, placed: Rows, index: int, pages: Pages, ones: int) -> tuple[Stretch, ...]:
    """What the root of partition `index` maps besides the shared stretches, by address."""
    found = list(fixed_stretches(pages, _clock(inputs), manager=index == 0))
    regions = placed.regions
    for row in placed.descriptors:
        if row.partition != index:
            continue
        if row.resource is Resource.REGION:
            region = regions[row.target]
            what = region.name if region.kind is not RegionKind.SHARED else f"region {region.name}"
            found.append(Stretch(what, row.address, region.physical, region.size, row.rights))
        elif row.resource is Resource.CHANNEL:
            window = placed.channels[row.target]
            found.append(Stretch(f"channel {row.name}", row.address, window.physical, window.size, Rights(write=True)))
        else:
            device, seen = placed.owned[row.target], placed.devices[row.target].bars
            found += [stretch for bar in seen if bar.virtual for stretch in device_stretches(device, bar)]
    for config in placed.configs:
        if config.partition == index:
            size = max(len(config.content), 1)
            found.append(Stretch(f"configuration {config.name}", config.virtual, config.physical, size))
    found += local_stretches(inputs.monitor, pages, ones)
    return tuple(sorted(found, key=lambda stretch: stretch.virtual))


def _partition(
    ground: Ground,
    inputs: Inputs,
    placed: Rows,
    index: int,
    pages: Pages,
    tables: tuple[int, ...],
    stretches: tuple[Stretch, ...],
) -> PlannedPartition:
    partition = ground.system.partitions[index]
    program = inputs.programs[partition.name]
    extent = next(each for each in ground.extents if each.kind is ExtentKind.PARTITION and each.owner == partition.name)
    block = [position for position, row in enumerate(placed.descriptors) if row.partition == index]
    stack = next(each for each in placed.own if each.row.owner == index and each.row.kind is RegionKind.STACK)
    return PlannedPartition(
        partition=partition,
        index=index,
        program=program,
        physical=extent.physical,
        memory=extent.size,
        memory_end=constants()["PROGRAM_ADDRESS"] + memory_size(partition, program) - stack.row.size,
        stack_top=constants()["STACK_TOP_ADDRESS"],
        descriptor_page=pages.descriptor,
        descriptor_pages=pages.descriptor_pages,
        call_page=pages.call,
        context=pages.context,
        bitmap=pages.bitmap,
        ports=pages.ports,
        tables=tables,
        stretches=stretches,
        first_descriptor=block[0],
        descriptor_count=len(block),
        region_count=sum(placed.descriptors[position].resource is Resource.REGION for position in block),
    )

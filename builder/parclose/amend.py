# SPDX-License-Identifier: Apache-2.0
"""Plants a fault in a plan: for tests that show what a protection is for by building an image without it.

Each function returns a plan that maps or permits one thing more. The audit refuses such a plan, so it has to be
told not to look: `pipeline.build(…, amend_plan=…, audit=False)`.
"""

from __future__ import annotations

from dataclasses import replace

from parclose.constants import constants
from parclose.plan_space import table_count
from parclose.planned import Extent, ExtentKind, Plan, PlannedPartition, Stretch


def map_also(plan: Plan, name: str, stretch: Stretch) -> Plan:
    """The plan in which the partition called `name` maps `stretch` as well, in place of what it had there."""
    own = plan.partition(name)
    others = [each for each in own.stretches if not _overlap(each, stretch)]
    stretches = tuple(sorted((*others, stretch), key=lambda each: each.virtual))
    return _with_stretches(plan, own, stretches)


def permit_ports(plan: Plan, name: str, first: int, count: int) -> Plan:
    """The plan in which the partition called `name` may use `count` I/O ports from `first` up."""
    own = plan.partition(name)
    page, bitmap = constants()["PAGE_SIZE"], own.bitmap
    if bitmap is None:
        bitmap = plan.extents[-1].end
        extent = Extent(f"I/O bitmap of {name}", ExtentKind.IO_BITMAP, bitmap, 2 * page, name)
        plan = replace(plan, extents=(*plan.extents, extent))
    start = constants()["LOCAL_IO_BITMAP"]
    others = [each for each in own.stretches if not start <= each.virtual < start + 2 * page]
    shown = Stretch("I/O bitmap", start, bitmap, 2 * page, user=False)
    stretches = tuple(sorted((*others, shown), key=lambda each: each.virtual))
    ports = tuple(sorted((*own.ports, (first, count))))
    return _with_stretches(plan, replace(own, bitmap=bitmap, ports=ports), stretches)


def _overlap(one: Stretch, other: Stretch) -> bool:
    return one.virtual < other.virtual + other.size and other.virtual < one.virtual + one.size


def _with_stretches(plan: Plan, own: PlannedPartition, stretches: tuple[Stretch, ...]) -> Plan:
    """`own` with `stretches`, and with as many page tables as they need: new ones are placed after everything else."""
    page = constants()["PAGE_SIZE"]
    count = table_count(stretches, plan.shared_stretches)
    end = plan.extents[-1].end
    more = tuple(range(end, end + max(count - len(own.tables), 0) * page, page))
    extents = plan.extents
    if more:
        extents += (Extent("more page tables", ExtentKind.TABLES, end, len(more) * page),)
    amended = replace(own, stretches=stretches, tables=(*own.tables, *more)[:count])
    partitions = tuple(amended if each.index == own.index else each for each in plan.partitions)
    return replace(plan, extents=extents, partitions=partitions)

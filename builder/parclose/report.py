# SPDX-License-Identifier: Apache-2.0
"""The report of a build: what each partition may touch and why, the memory map, the schedule with its worst cases.

`make` is a function from the checked layout and the plan to a JSON-ready document (`report.json`), `text` the same for
people (`report.txt`), `memory_map` the drawing of who has which physical memory.
"""

from __future__ import annotations

from typing import Any

from parclose import report_time, report_touch
from parclose.model import Fetch, System
from parclose.planned import Plan, PlannedPartition
from parclose.report_map import extents, memory_map
from parclose.report_text import text

__all__ = ["make", "memory_map", "text"]

Document = dict[str, Any]


def make(system: System, plan: Plan) -> Document:
    """The report. Addresses and sizes in bytes, times in nanoseconds, shares in parts of one.

    It holds file names without folders and nothing of the day, so the same inputs give the same report.
    """
    return {
        "layout": system.name,
        "board": system.board.name,
        "on_end": system.on_end.value,
        "start_order": list(system.start_order),
        "partitions": [_partition(system, plan, planned) for planned in plan.partitions],
        "dma": _dma(system, plan),
        "unused_devices": _unused(system, plan),
        "schedule": [
            report_time.major_frame(schedule, times)
            for schedule, times in zip(system.schedules, plan.monitor_time, strict=True)
        ],
        "memory_map": extents(system, plan),
        "defaults": list(system.defaults),
    }


def _partition(system: System, plan: Plan, planned: PlannedPartition) -> Document:
    partition = planned.partition
    return {
        "name": partition.name,
        "role": partition.role.value,
        "source": report_touch.line(partition.span),
        "debug": partition.debug,
        "fetched": _fetched(partition.program.fetch),
        "dma_trusted": partition.dma_trusted,
        "health": {
            "fault": partition.health.action,
            "limit": partition.health.limit,
            "within_ns": partition.health.within,
        },
        "memory": report_touch.memory(system, plan, planned),
        "ports": report_touch.ports(system, plan, planned),
        "devices": report_touch.devices(plan, planned),
        "channels": report_touch.channels(plan, planned),
        "time": report_time.figures(system.schedules, partition.name),
    }


def _fetched(fetch: Fetch | None) -> Document | None:
    """What of others' is compiled into a program."""
    if fetch is None:
        return None
    return {
        "package": fetch.package,
        "archive": fetch.archive,
        "sha256": fetch.sha256,
        "licence": fetch.licence,
        "sources": list(fetch.sources),
    }


def _dma(system: System, plan: Plan) -> list[Document]:
    """The partitions whose devices could reach all memory: no IOMMU confines them."""
    found = []
    for planned in plan.partitions:
        masters = [
            device.device.name for device in plan.devices if device.owner == planned.index and device.device.bus_master
        ]
        if masters:
            trusted = planned.partition.dma_trusted
            source = report_touch.line(planned.partition.span)
            found.append(
                {"partition": planned.partition.name, "devices": masters, "trusted": trusted, "source": source}
            )
    return found


def _unused(system: System, plan: Plan) -> list[str]:
    owned = {device.device.name for device in plan.devices}
    return [device.name for device in system.board.devices if device.name not in owned]

# SPDX-License-Identifier: Apache-2.0
"""How much of each budget is the monitor's.

What comes after an entry loses its budget and no more. So the monitor's own work for the entry is taken out of the
budget beforehand, at its worst: the ways into the entry and out of it; the call that the frame before was in when it
ended, and the one that the entry is in when its budget ends (no call is interrupted); and what interrupts in the name
of the entry afterwards. Starts, stops and faults are left out: they are rare, and how often is the manager's affair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parclose.constants import constants
from parclose.errors import Label, Problem
from parclose.model import Frame, Slot, System
from parclose.plan_rows import Rows
from parclose.planned import PlannedDescriptor, Resource
from parclose.wording import format_time

MonitorTime = tuple[tuple[tuple[int, ...], ...], ...]  # nanoseconds, by processor, frame and slot; 0 without a budget


def monitor_time(system: System, placed: Rows) -> tuple[MonitorTime, list[Problem]]:
    """What of each budget is the monitor's, and the budgets of which that would be more than half."""
    calls = _longest_calls(system, placed)
    interrupts = [
        sum(len(device.interrupts) for device in placed.devices if device.owner == index)
        for index in range(len(system.partitions))
    ]
    index = {partition.name: number for number, partition in enumerate(system.partitions)}
    found, problems = [], []
    for schedule in system.schedules:
        frames = []
        for position, frame in enumerate(schedule.frames):
            before = max(calls[index[slot.partition]] for slot in schedule.frames[position - 1].slots)
            times = tuple(
                _share(before + calls[index[slot.partition]], interrupts[index[slot.partition]]) if slot.budget else 0
                for slot in frame.slots
            )
            problems += _too_short(system, frame, times)
            frames.append(times)
        found.append(tuple(frames))
    return tuple(found), problems


def _share(calls: int, interrupts: int) -> int:
    number = constants()
    return number["COST_TURN"] + calls + interrupts * number["COST_INTERRUPT"]


def _longest_calls(system: System, placed: Rows) -> Sequence[int]:
    """The longest call of each partition: a server's converts a whole batch for the client with most regions."""
    regions = [_regions(placed.descriptors, index) for index in range(len(system.partitions))]
    found = [constants()["COST_CALL"]] * len(system.partitions)
    for channel in placed.channels:
        if channel.endpoint is not None:
            found[channel.server] = max(found[channel.server], _conversion(regions[channel.client]))
    return found


def _regions(descriptors: Sequence[PlannedDescriptor], partition: int) -> int:
    return sum(row.partition == partition and row.resource is Resource.REGION for row in descriptors)


def _conversion(regions: int) -> int:
    number: Mapping[str, int] = constants()
    entry = number["COST_CONVERT"] + regions * number["COST_CONVERT_REGION"]
    return number["COST_CALL"] + number["LIMIT_BATCH"] * entry


def _too_short(system: System, frame: Frame, times: Sequence[int]) -> list[Problem]:
    return [
        _problem(system, frame, slot, time)
        for slot, time in zip(frame.slots, times, strict=True)
        if 2 * time > slot.budget
    ]


def _problem(system: System, frame: Frame, slot: Slot, time: int) -> Problem:
    takes = f"of a budget of {format_time(slot.budget)} for '{slot.partition}'"
    return Problem(
        "P128",
        f"{takes} the monitor's work may take {format_time(time)}",
        (Label(frame.span or system.span, "in this frame"),),
        f"at least {format_time(2 * time)}",
    )

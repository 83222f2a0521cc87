# SPDX-License-Identifier: Apache-2.0
"""How much of each budget is the monitor's: for the check, from the layout alone, and for the plan, with its programs.

What comes after an entry loses its budget and no more. So the monitor's own work for the entry is taken out of the
budget beforehand, at its worst: the ways into the entry and out of it; the call that the frame before was in when it
ended, and the one that the entry is in when its budget ends (no call is interrupted); and what interrupts in the name
of the entry afterwards. Starts, stops and faults are left out: they are rare, and how often is the manager's affair. So
is the call that a restarted I/O partition quiets a device with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parclose.constants import constants
from parclose.errors import Label, Problem
from parclose.model import Frame, InterruptKind, Slot, System
from parclose.plan_devices import interrupts
from parclose.wording import format_time

MonitorTime = tuple[tuple[tuple[int, ...], ...], ...]  # nanoseconds, by processor, frame and slot; 0 without a budget

# MSI is masked in configuration space, by way of two ports: that is half as much again.
_AS_MANY = {InterruptKind.MSIX: 1, InterruptKind.MSI: 2, InterruptKind.ISA: 1}
_OWN_REGIONS = 4  # text, read-only data, data and stack of a program that our linker script lays out


def monitor_time(system: System, regions: Sequence[int] | None = None) -> tuple[MonitorTime, list[Problem]]:
    """What of each budget is the monitor's, and the budgets of which that would be more than half.

    `regions`: how many regions each partition has; None where its program is not known yet.
    """
    index = {partition.name: number for number, partition in enumerate(system.partitions)}
    calls = _longest_calls(system, index, regions or [_regions(system, each.name) for each in system.partitions])
    board = {device.name: sum(_AS_MANY[kind] for kind, _ in interrupts(device)) for device in system.board.devices}
    events = [sum(board[name] for name in partition.devices) for partition in system.partitions]
    found, problems = [], []
    for schedule in system.schedules:
        frames = []
        for position, frame in enumerate(schedule.frames):
            before = max(calls[index[slot.partition]] for slot in schedule.frames[position - 1].slots)
            times = tuple(
                _share(before + calls[index[slot.partition]], events[index[slot.partition]]) if slot.budget else 0
                for slot in frame.slots
            )
            problems += _too_short(system, frame, times)
            frames.append(times)
        found.append(tuple(frames))
    return tuple(found), problems


def _regions(system: System, name: str) -> int:
    return _OWN_REGIONS + sum(name == each.writer or name in each.readers for each in system.regions)


def _share(calls: int, interrupts: int) -> int:
    number = constants()
    return number["COST_TURN"] + calls + interrupts * number["COST_INTERRUPT"]


def _longest_calls(system: System, index: Mapping[str, int], regions: Sequence[int]) -> Sequence[int]:
    """The longest call of each partition: a server's converts a whole batch for the client with most regions."""
    found = [constants()["COST_CALL"]] * len(index)
    for channel in system.channels:
        if channel.endpoint is not None:
            server = index[channel.server]
            found[server] = max(found[server], _conversion(regions[index[channel.client]]))
    return found


def _conversion(regions: int) -> int:
    number = constants()
    entry = number["COST_CONVERT"] + regions * number["COST_CONVERT_REGION"]
    return number["COST_CALL"] + number["LIMIT_BATCH"] * entry


def _too_short(system: System, frame: Frame, times: Sequence[int]) -> list[Problem]:
    return [
        _problem(system, frame, slot, time)
        for slot, time in zip(frame.slots, times, strict=True)
        if 2 * time > slot.budget
    ]


def _problem(system: System, frame: Frame, slot: Slot, time: int) -> Problem:
    place = Label(frame.span or system.span, "in this frame" if frame.span else "its equal turns, or write `schedule`")
    least = f"at least {format_time(2 * time)}"
    return Problem(
        "P128",
        f"of a budget of {format_time(slot.budget)} for '{slot.partition}' the monitor's work may take "
        f"{format_time(time)}, more than half",
        (Label(slot.span, "too short"), place) if slot.span else (place,),
        least if slot.span else f"{least}: write {{{slot.partition}: {format_time(2 * time)}}} in its `run`",
    )

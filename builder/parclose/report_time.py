# SPDX-License-Identifier: Apache-2.0
"""Worst cases of the static schedule: how much of the processor each partition is sure of, and how long it may wait.

In a minor frame the first of the list that is ready runs, within its budget. So an entry is sure of the frame less
the budgets before it, and of no more than its own; one that stands behind an entry without a budget is sure of nothing.
Times are nanoseconds. The monitor's work for an entry with a budget is in that budget (monitor_time.py); the switches
into an entry without one are left out, `make bench` measures them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from parclose.model import Frame, ProcessorSchedule

Document = dict[str, Any]


@dataclass(frozen=True)
class Turn:
    """One entry of one minor frame, as times from the start of the major frame.

    `latest_start`: when it runs at last, though all before it take their budgets. `earliest_end`: when it may have
    had its time already. `sure` is what it gets at the least, `most` what it gets if nobody before it is ready.
    """

    latest_start: int
    earliest_end: int
    sure: int
    most: int


def turns(schedule: ProcessorSchedule, partition: str) -> list[Turn]:
    """The turns of `partition` in one major frame, in order of time."""
    found, start = [], 0
    for frame in schedule.frames:
        for position, slot in enumerate(frame.slots):
            if slot.partition == partition:
                found.append(_turn(frame, position, start))
        start += frame.length
    return found


def _turn(frame: Frame, position: int, start: int) -> Turn:
    own = frame.slots[position].budget or frame.length
    budgets = [slot.budget or frame.length for slot in frame.slots[:position]]
    before = min(sum(budgets), frame.length)
    most = min(own, frame.length)
    sure = min(most, frame.length - before)
    return Turn(start + before, start + sure, sure, most)


def length(schedule: ProcessorSchedule) -> int:
    """The major frame."""
    return sum(frame.length for frame in schedule.frames)


def longest_wait(schedule: ProcessorSchedule, partition: str) -> int | None:
    """The longest time from being ready to running; None where the partition is never sure of a turn.

    It is the longest gap between the end of a turn that was had as early as possible and the start of the next
    that comes as late as possible.
    """
    sure = [turn for turn in turns(schedule, partition) if turn.sure]
    if not sure:
        return None
    major = length(schedule)
    following = [*sure[1:], Turn(sure[0].latest_start + major, 0, 0, 0)]
    return max(0, *(after.latest_start - turn.earliest_end for turn, after in zip(sure, following, strict=True)))


def figures(schedules: tuple[ProcessorSchedule, ...], partition: str) -> Document:
    """Worst cases of `partition`: shares in parts of one, times in nanoseconds."""
    for schedule in schedules:
        found, major = turns(schedule, partition), length(schedule)
        if found:
            sure, most = sum(turn.sure for turn in found), sum(turn.most for turn in found)
            return {
                "processor": schedule.processor,
                "turns": len(found),
                "sure_ns": sure,
                "sure_share": round(sure / major, 6),
                "most_ns": min(most, major),
                "most_share": round(min(most, major) / major, 6),
                "longest_wait_ns": longest_wait(schedule, partition),
            }
    return {"processor": None, "turns": 0, "sure_ns": 0, "sure_share": 0.0, "most_ns": 0, "most_share": 0.0} | {
        "longest_wait_ns": None
    }


def major_frame(schedule: ProcessorSchedule, monitor_time: Sequence[Sequence[int]]) -> Document:
    """The frames of one processor in turn, each with its start; `monitor_time` is by frame and slot."""
    frames, start = [], 0
    for frame, shares in zip(schedule.frames, monitor_time, strict=True):
        slots = [
            {"partition": slot.partition, "budget_ns": slot.budget, "monitor_ns": share}
            for slot, share in zip(frame.slots, shares, strict=True)
        ]
        frames.append({"start_ns": start, "length_ns": frame.length, "slots": slots})
        start += frame.length
    return {"processor": schedule.processor, "length_ns": start, "frames": frames}

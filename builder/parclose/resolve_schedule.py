# SPDX-License-Identifier: Apache-2.0
"""The schedule: as written, or equal turns; and the manager's slot before it."""

from __future__ import annotations

from parclose.constants import constants
from parclose.layout import RawFrame
from parclose.model import Board, Frame, Partition, ProcessorSchedule, Role, Slot
from parclose.scope import IMPLICIT_IO, MANAGER, Scope
from parclose.wording import format_time

_TURN_NS = 1_000_000
_SERVER_BUDGET_NS = 200_000


def schedules(
    scope: Scope, partitions: tuple[Partition, ...], board: Board, defaults: list[str]
) -> tuple[ProcessorSchedule, ...]:
    """The major frame of each processor in use; what was filled in is added to `defaults`."""
    written = scope.layout.schedule
    slot = written.manager.value if written and written.manager else None
    if slot is None:
        slot = constants()["MANAGER_SLOT_DEFAULT_NS"]
        defaults.append(f"schedule: manager: {format_time(slot)}")
    first = Frame(slot, (Slot(MANAGER, 0),), written.span if written else None)
    if written is None or not written.processors:
        frames = _equal_turns(partitions, defaults)
        return (ProcessorSchedule(board.processors[0].name, (first, *frames)),)
    return tuple(
        ProcessorSchedule(processor.name, (first, *(_frame(scope, frame, defaults) for frame in processor.frames)))
        for processor in written.processors
    )


def _equal_turns(partitions: tuple[Partition, ...], defaults: list[str]) -> tuple[Frame, ...]:
    """For each guest a frame of 1 ms that lists the servers first, each with a budget."""
    servers = [partition.name for partition in partitions if partition.role is Role.IO]
    guests = [partition.name for partition in partitions if partition.role is Role.GUEST]
    budget = min(_SERVER_BUDGET_NS, _TURN_NS // (2 * len(servers))) if servers else 0
    if not guests:
        even = _TURN_NS // max(len(servers), 1)
        frames: tuple[Frame, ...] = (Frame(_TURN_NS, tuple(Slot(name, even) for name in servers), None),)
    else:
        before = tuple(Slot(name, budget) for name in servers)
        frames = tuple(Frame(_TURN_NS, (*before, Slot(name, 0)), None) for name in guests)
    defaults.extend(f"schedule: cpu0: {_shown(frame)}" for frame in frames)
    return frames


def _frame(scope: Scope, raw: RawFrame, defaults: list[str]) -> Frame:
    """A frame as written; where there is an implicit I/O partition that no list names, it comes first."""
    assert raw.length.value is not None
    slots = [
        Slot(member, slot.budget.value, slot.budget.span) if slot.budget and slot.budget.value else Slot(member, 0)
        for slot in raw.slots
        for member in scope.members(slot.partition.value or "")
    ]
    if scope.console_owner_wanted and all(slot.partition != IMPLICIT_IO for slot in slots):
        slots.insert(0, Slot(IMPLICIT_IO, min(_SERVER_BUDGET_NS, raw.length.value // 4)))
        defaults.append(f"schedule: {_shown(Frame(raw.length.value, tuple(slots), raw.span))}")
    return Frame(raw.length.value, tuple(slots), raw.span)


def _shown(frame: Frame) -> str:
    slots = [
        f"{{{slot.partition}: {format_time(slot.budget)}}}" if slot.budget else slot.partition for slot in frame.slots
    ]
    return f"{{for: {format_time(frame.length)}, run: [{', '.join(slots)}]}}"

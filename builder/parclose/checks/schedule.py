# SPDX-License-Identifier: Apache-2.0
"""Frames, budgets, and who is in none of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from parclose.constants import constants
from parclose.errors import Span
from parclose.layout import RawFrame, RawSlot, known
from parclose.problems import Collector, at
from parclose.scope import IMPLICIT_IO, MANAGER, Scope
from parclose.wording import format_time, listing, plural, suggestion


def _frames(scope: Scope) -> Iterator[RawFrame]:
    for processor in scope.layout.schedule.processors if scope.layout.schedule else ():
        yield from processor.frames


def _complete(scope: Scope) -> bool:
    """Whether the whole schedule could be read, so that who is not in it is known."""
    schedule = scope.layout.schedule
    if schedule is None or schedule.broken or not schedule.processors:
        return False
    if any(processor.broken or not processor.frames for processor in schedule.processors):
        return False
    return all(
        not frame.broken and frame.slots and all(_is_known(scope, slot) for slot in frame.slots)
        for frame in _frames(scope)
    )


def _is_known(scope: Scope, slot: RawSlot) -> bool:
    return slot.partition.value is not None and bool(scope.members(slot.partition.value))


def _scheduled(scope: Scope) -> set[str]:
    return {
        member
        for frame in _frames(scope)
        for slot in frame.slots
        for member in scope.members(slot.partition.value or "")
    }


def unknown_processor(scope: Scope, problems: Collector) -> None:
    """P095: frames for a processor that the board does not have. P006 for a second one."""
    schedule, board = scope.layout.schedule, scope.facts
    if schedule is None or board is None:
        return
    names = [processor.name for processor in board.processors]
    for processor in schedule.processors:
        if processor.name not in names:
            help = suggestion(processor.name, names, "processors of this board") or "there is none"
            text = f"the board {board.name} has no processor '{processor.name}'"
            place = at(scope.layout.board.span, "this board")
            problems.error("P095", text, at(processor.span, "unknown"), place, help=help)
        elif names.index(processor.name) >= constants()["LIMIT_PROCESSORS"]:
            text = "several processors are not supported yet"
            place = at(schedule.span, "in this schedule")
            problems.error("P006", text, at(processor.span, "a later one"), place, help="put its frames under cpu0")


def frame_length(scope: Scope, problems: Collector) -> None:
    """P096, P097: a frame shorter than the monitor can sensibly switch, or longer than the timer counts."""
    low, high = constants()["FRAME_SHORTEST_NS"], constants()["FRAME_LONGEST_NS"]
    for frame in _frames(scope):
        length = frame.length.value
        if length is None or low <= length <= high:
            continue
        place = at(frame.span, "this frame")
        if length < low:
            text = f"a frame of {format_time(length)} would be mostly switching"
            problems.error("P096", text, at(frame.length.span, "too short"), place, help=f"at least {format_time(low)}")
        else:
            text = f"a frame of {format_time(length)} is longer than {format_time(high)}"
            help = f"write it as {plural(-(-length // high), 'frame')} with the same 'run'"
            problems.error("P097", text, at(frame.length.span, "too long"), place, help=help)


def manager_slot(scope: Scope, problems: Collector) -> None:
    """P096, P097 for the manager's own slot."""
    schedule = scope.layout.schedule
    low, high = constants()["FRAME_SHORTEST_NS"], constants()["FRAME_LONGEST_NS"]
    slot = schedule.manager if schedule else None
    if schedule is None or slot is None or slot.value is None or low <= slot.value <= high:
        return
    code, label, near = ("P096", "too short", low) if slot.value < low else ("P097", "too long", high)
    text = f"a slot of {format_time(slot.value)} for the manager is {label}"
    problems.error(
        code,
        text,
        at(slot.span, label),
        at(schedule.span, "in this schedule"),
        help=f"the nearest is {format_time(near)}",
    )


def budget_exceeds(scope: Scope, problems: Collector) -> None:
    """P098: a budget larger than its frame. P128: one that is over before anything is done."""
    for frame in _frames(scope):
        for slot in frame.slots:
            budget, length = slot.budget.value if slot.budget else None, frame.length.value
            if slot.budget is None or budget is None:
                continue
            place = at(frame.length.span, "the whole frame")
            if length is not None and budget > length:
                text = f"the budget of '{slot.partition.value}' exceeds its frame by {format_time(budget - length)}"
                help = f"at most {format_time(length)}; without a budget it may use what the earlier ones leave"
                problems.error("P098", text, at(slot.budget.span, "more than the frame"), place, help=help)
            elif budget < constants()["BUDGET_SHORTEST_NS"]:
                text = f"a budget of {format_time(budget)} is over before '{slot.partition.value}' has done anything"
                help = f"at least {format_time(constants()['BUDGET_SHORTEST_NS'])}"
                problems.error("P128", text, at(slot.budget.span, "too short"), place, help=help)


def budgets_exceed(scope: Scope, problems: Collector) -> None:
    """P099: budgets that each fit their frame and together do not."""
    for frame in _frames(scope):
        length = frame.length.value
        budgets = [(slot, slot.budget.value) for slot in frame.slots if slot.budget and slot.budget.value]
        total = sum(budget for _, budget in budgets)
        if length is None or total <= length or any(budget > length for _, budget in budgets):
            continue
        last, least = budgets[-1]
        assert last.budget is not None
        sums = " + ".join(format_time(budget) for _, budget in budgets)
        text = f"the budgets of a frame exceed it by {format_time(total - length)}: {sums} = {format_time(total)}"
        left = length - (total - least)
        fix = (
            f"a budget of {format_time(left)} for '{last.partition.value}' would fit"
            if left > 0
            else "make the budgets smaller"
        )
        problems.error(
            "P099", text, at(last.budget.span, "over the end"), at(frame.length.span, "the whole frame"), help=fix
        )


def unknown_partition(scope: Scope, problems: Collector) -> None:
    """P070: a frame lists a partition that is not there. P126: or the manager, which has its own slot."""
    for frame in _frames(scope):
        for slot in frame.slots:
            name, span = slot.partition.value, slot.partition.span
            if name == MANAGER:
                text = "the manager has its own slot in every major frame and stands in no list"
                help = "its length is set by manager: 50 us beside cpu0"
                problems.error("P126", text, at(span, "remove it"), at(frame.span, "in this frame"), help=help)
            elif name is not None:
                scope.check_partition(name, span, problems, at(frame.span, "in this frame"))


def listed_twice(scope: Scope, problems: Collector) -> None:
    """P120: a partition twice in one frame."""
    for frame in _frames(scope):
        seen: dict[str, Span] = {}
        for name, span in known(slot.partition for slot in frame.slots):
            first = seen.setdefault(name, span)
            if first is not span:
                text = f"'{name}' stands twice in one frame"
                labels = at(span, "again"), at(first, "listed here")
                problems.error(
                    "P120", text, *labels, help="an event for the first takes the processor back at once: one is enough"
                )


def nothing_runs(scope: Scope, problems: Collector) -> None:
    """P127: a frame, or a processor, in which nothing runs."""
    for processor in scope.layout.schedule.processors if scope.layout.schedule else ():
        if not processor.frames and not processor.broken:
            text = f"{processor.name} has no frame"
            here = at(processor.span, "nothing follows")
            problems.error(
                "P127", text, here, at(scope.layout.span, "in this layout"), help="write - {for: 1 ms, run: [NAME]}"
            )
        for frame in processor.frames:
            if not frame.slots and not frame.broken:
                place = at(processor.span, "of this processor")
                problems.error(
                    "P127", "nothing runs in a frame", at(frame.span, "an empty list"), place, help="write run: [NAME]"
                )


def _places(scope: Scope, frame: RawFrame) -> int:
    """How many partitions stand in the frame, with the I/O partition that is put before those written."""
    named = [member for slot in frame.slots for member in scope.members(slot.partition.value or "") or [""]]
    return len(named) + (scope.console_owner_wanted is not None and IMPLICIT_IO not in named)


def too_many_slots(scope: Scope, problems: Collector) -> None:
    """P121: more partitions in a frame than the monitor looks through."""
    limit = constants()["LIMIT_SLOTS"]
    for frame in _frames(scope):
        count = _places(scope, frame)
        if count > limit:
            text = f"{count} partitions stand in one frame, {count - limit} too many"
            labels = (
                at(frame.slots[min(limit, len(frame.slots) - 1)].partition.span, "too many"),
                at(frame.span, "in this frame"),
            )
            problems.error("P121", text, *labels, help=f"at most {limit}: divide it into {-(-count // limit)} frames")


def too_many_servers(scope: Scope, problems: Collector) -> None:
    """P121: the frames that stand for a schedule left out list every server, and there are too many."""
    schedule, limit = scope.layout.schedule, constants()["LIMIT_SLOTS"]
    if schedule is not None and (schedule.broken or schedule.processors):
        return
    servers = [partition for partition in scope.layout.partitions if partition.serves]
    guest = len(servers) < len(scope.layout.partitions)
    count = len(servers) + guest + (scope.console_owner_wanted is not None)
    if servers and count > limit:
        text = (
            f"without frames of its own a layout runs all servers in each: {count} partitions, {count - limit} too many"
        )
        labels = at(servers[-1].span, "the last server"), at(scope.layout.span, "in this layout")
        problems.error("P121", text, *labels, help=f"at most {limit}: write `schedule` with the servers divided")


def too_many_places(scope: Scope, problems: Collector) -> None:
    """P129: more places in all frames of a processor together than the monitor keeps."""
    limit = constants()["LIMIT_PLACES"] - 1  # the manager's slot is one
    for processor in scope.layout.schedule.processors if scope.layout.schedule else ():
        ends = list(accumulate(_places(scope, frame) for frame in processor.frames))
        if ends and ends[-1] > limit:
            beyond = next(index for index, end in enumerate(ends) if end > limit)
            text = f"the frames of {processor.name} list {ends[-1]} partitions in all, {ends[-1] - limit} too many"
            place = at(processor.frames[beyond].span, f"frame {beyond + 1} does not fit any more")
            help = f"at most {limit}, one counted anew in each frame: write fewer and longer frames"
            problems.error("P129", text, place, at(processor.span, "of this processor"), help=help)


def too_many_frames(scope: Scope, problems: Collector) -> None:
    """P122: more frames than the database holds."""
    limit = constants()["LIMIT_FRAMES"] - 1  # the manager's slot is one
    for processor in scope.layout.schedule.processors if scope.layout.schedule else ():
        if len(processor.frames) > limit:
            text = f"{processor.name} has {len(processor.frames)} frames, {len(processor.frames) - limit} too many"
            labels = at(processor.frames[limit].span, f"frame {limit + 1}"), at(processor.span, "of this processor")
            problems.error("P122", text, *labels, help=f"at most {limit}, beside the manager's slot")


def server_never_runs(scope: Scope, problems: Collector) -> None:
    """P123: a client whose server is in no frame."""
    if not _complete(scope):
        return
    assert scope.layout.schedule is not None
    running, told = _scheduled(scope), set()
    for link in scope.links:
        if link.server.name not in running and link.kind != "peer" and link.server.name not in told:
            told.add(link.server.name)
            clients = [f"'{each.client.name}'" for each in scope.links if each.server is link.server]
            waiting = listing(list(dict.fromkeys(clients)))
            text = f"'{link.server.name}' is in no frame, and {waiting} would wait for it for ever"
            help = f"list it first where its clients run: run: [{{{link.server.name}: 200 us}}, {link.client.name}]"
            labels = (
                at(scope.layout.schedule.span, f"no frame runs '{link.server.name}'"),
                at(link.raw.span, "a channel to it"),
            )
            problems.error("P123", text, *labels, help=help)


def partition_never_runs(scope: Scope, problems: Collector) -> None:
    """P124 (warning): a partition in no frame."""
    if not _complete(scope):
        return
    assert scope.layout.schedule is not None
    running = _scheduled(scope)
    needed = {link.server.name for link in scope.links if link.kind != "peer"}
    for partition in scope.layout.partitions:
        if partition.name not in running and partition.name not in needed:
            text = f"'{partition.name}' is in no frame and never runs"
            help = f"add - {{for: 1 ms, run: [{partition.name}]}}"
            labels = at(partition.span, "this partition"), at(scope.layout.schedule.span, "the schedule")
            problems.warning("P124", text, *labels, help=help)


def unbudgeted_server(scope: Scope, problems: Collector) -> None:
    """P125 (warning): a server that may take all of a frame that is meant for others."""
    for frame in _frames(scope):
        for index, slot in enumerate(frame.slots[:-1]):
            partition = scope.partitions.get(slot.partition.value or "")
            if partition is None or not partition.serves or slot.budget is not None or frame.length.value is None:
                continue
            mine = {each.partition.value for each in frame.slots}
            foreign = [link for link in scope.links if link.server is partition and link.client.name not in mine]
            if foreign:
                later = [f"'{each.partition.value}'" for each in frame.slots[index + 1 :]]
                text = (
                    f"'{partition.name}' has no budget: clients in other frames can take the turn of {listing(later)}"
                )
                loss = format_time(frame.length.value)
                help = f"worst loss: the whole frame of {loss}; write {{{partition.name}: 200 us}}"
                labels = (
                    at(slot.partition.span, "no budget"),
                    at(foreign[0].raw.span, f"'{foreign[0].client.name}' keeps it busy"),
                )
                problems.warning("P125", text, *labels, help=help)


CHECKS = (
    unknown_processor,
    frame_length,
    manager_slot,
    budget_exceeds,
    budgets_exceed,
    unknown_partition,
    listed_twice,
    nothing_runs,
    too_many_slots,
    too_many_servers,
    too_many_places,
    too_many_frames,
    server_never_runs,
    partition_never_runs,
    unbudgeted_server,
)

# SPDX-License-Identifier: Apache-2.0
"""Memory: pages, limits, and whether all of it fits the board."""

from __future__ import annotations

from dataclasses import dataclass

from parclose.board_checks import largest_range, usable
from parclose.constants import constants
from parclose.errors import Span
from parclose.problems import Collector, at
from parclose.scope import Scope
from parclose.wording import format_size, listing, plural, round_up

DEFAULT_STACK = 64 << 10


def _near_pages(size: int) -> str:
    page = constants()["PAGE_SIZE"]
    up = max(round_up(size, page), page)
    return (
        f"the nearest: {format_size(up - page)} or {format_size(up)}" if up > page else f"at least {format_size(page)}"
    )


def memory_pages(scope: Scope, problems: Collector) -> None:
    """P040: memory that is no number of whole pages."""
    page = constants()["PAGE_SIZE"]
    for partition in scope.layout.partitions:
        size = partition.memory.value if partition.memory else None
        if partition.memory is not None and size is not None and (size % page or not size):
            text = f"the memory of '{partition.name}' is {format_size(size)}, no number of whole pages"
            here = at(partition.memory.span, "not whole pages")
            problems.error("P040", text, here, at(partition.span, "this partition"), help=_near_pages(size))


def memory_limit(scope: Scope, problems: Collector) -> None:
    """P041: more memory than one partition may have, or than the largest range of the board holds."""
    limit = constants()["LIMIT_MEMORY"]
    for partition in scope.layout.partitions:
        size = partition.memory.value if partition.memory else None
        if partition.memory is None or size is None:
            continue
        here = at(partition.memory.span, "too much")
        if scope.facts is not None and usable(scope.facts) and size > (largest := largest_range(scope.facts)).size:
            left = format_size(largest.size)
            text = f"'{partition.name}' wants {format_size(size)}, the board's largest range has {left} for it"
            help = f"at most {format_size(largest.size)}, less what the others need"
            problems.error("P041", text, here, at(largest.span, "the largest range"), help=help)
        elif size > limit:
            text = f"'{partition.name}' wants {format_size(size)}, a partition may have {format_size(limit)}"
            problems.error(
                "P041", text, here, at(partition.span, "this partition"), help=f"write memory: {format_size(limit)}"
            )


@dataclass(frozen=True)
class _Piece:
    what: str
    size: int
    span: Span
    place: Span


def _pieces(scope: Scope) -> list[_Piece]:
    """What takes memory, as far as sizes are known."""
    found = [
        _Piece(f"'{p.name}'", p.memory.value, p.memory.span, p.span)
        for p in scope.layout.partitions
        if p.memory and p.memory.value
    ]
    found += [
        _Piece(f"region '{r.name}'", r.size.value, r.size.span, r.span)
        for r in scope.layout.regions
        if r.size and r.size.value
    ]
    for link in scope.links:
        span = link.raw.data.span if link.raw.data else link.raw.span
        found.append(_Piece(f"channel '{link.raw.name}'", scope.window(link.raw, link.kind) or 0, span, link.raw.span))
    return found


def memory_sum(scope: Scope, problems: Collector) -> None:
    """P042: everything together is more than the board has. P045: it is not, but some piece fits no hole."""
    if scope.facts is None or not usable(scope.facts):
        return
    ranges, pieces = usable(scope.facts), sorted(_pieces(scope), key=lambda piece: -piece.size)
    most = max(each.size for each in ranges)
    pieces = [piece for piece in pieces if piece.size <= min(most, constants()["LIMIT_MEMORY"])]  # else P041
    total, room = sum(piece.size for piece in pieces), sum(each.size for each in ranges)
    if total > room:
        _too_much(scope, pieces, total, room, problems)
        return
    holes = [each.size for each in ranges]
    for piece in pieces:
        fitting = [index for index, hole in enumerate(holes) if hole >= piece.size]
        if not fitting:
            text = (
                f"{piece.what} of {format_size(piece.size)} fits no hole: the largest left is {format_size(max(holes))}"
            )
            sizes = listing([format_size(each.size) for each in ranges])
            labels = [at(each.span, f"{format_size(each.size)} usable") for each in ranges]
            help = f"the board's memory comes in {plural(len(ranges), 'range')}: {sizes}"
            problems.error("P045", text, at(piece.span, "fits nowhere"), *labels, help=help)
            return
        holes[min(fitting, key=lambda index: holes[index])] -= piece.size


def _too_much(scope: Scope, pieces: list[_Piece], total: int, room: int, problems: Collector) -> None:
    over = total - room
    text = f"the layout takes {format_size(total)} of memory, the board has {format_size(room)}"
    others = [at(piece.span, f"{format_size(piece.size)} for {piece.what}") for piece in pieces[1:4]]
    ranges = (
        [at(each.span, f"{format_size(each.size)} left beside the monitor") for each in usable(scope.facts)]
        if scope.facts
        else []
    )
    first = pieces[0]
    left = first.size - over
    help = f"{format_size(over)} must go"
    if left > 0:
        down = left // constants()["PAGE_SIZE"] * constants()["PAGE_SIZE"]
        help += f": {first.what} could have {format_size(down)}"
    problems.error(
        "P042", text, at(first.span, f"{format_size(first.size)} for {first.what}"), *others, *ranges, help=help
    )


def stack_size(scope: Scope, problems: Collector) -> None:
    """P043: a stack that is no number of whole pages, or larger than one may be."""
    page, limit = constants()["PAGE_SIZE"], constants()["LIMIT_STACK"]
    for partition in scope.layout.partitions:
        size = partition.stack.value if partition.stack else None
        if partition.stack is None or size is None:
            continue
        here, there = at(partition.stack.span, "not a stack"), at(partition.span, "this partition")
        if size % page or not size:
            text = f"the stack of '{partition.name}' is {format_size(size)}, no number of whole pages"
            problems.error("P043", text, here, there, help=_near_pages(size))
        elif size > limit:
            text = f"the stack of '{partition.name}' is {format_size(size)}, at most {format_size(limit)} is possible"
            problems.error("P043", text, here, there, help=f"write stack: {format_size(limit)}")


def stack_fits(scope: Scope, problems: Collector) -> None:
    """P044: a stack that leaves the program no memory."""
    page = constants()["PAGE_SIZE"]
    for partition in scope.layout.partitions:
        memory = partition.memory.value if partition.memory else None
        stack = DEFAULT_STACK if partition.stack is None else partition.stack.value
        if partition.memory is None or not memory or stack is None or memory % page or stack % page:
            continue
        if stack + page > memory:
            text = f"a stack of {format_size(stack)} leaves no memory for the program of '{partition.name}'"
            other = (
                at(partition.stack.span, "the stack")
                if partition.stack
                else at(partition.span, f"a stack of {format_size(stack)} unless it says so")
            )
            help = f"program and stack need {format_size(stack + page)} at least"
            problems.error("P044", text, at(partition.memory.span, "program and stack"), other, help=help)


CHECKS = (memory_pages, memory_limit, memory_sum, stack_size, stack_fits)

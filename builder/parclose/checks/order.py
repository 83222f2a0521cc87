# SPDX-License-Identifier: Apache-2.0
"""The order of starting, and limits on how many there are."""

from __future__ import annotations

from itertools import pairwise

from parclose.constants import constants
from parclose.errors import Span
from parclose.layout import known
from parclose.problems import Collector, at
from parclose.scope import Scope
from parclose.wording import listing, plural


def unknown_partition(scope: Scope, problems: Collector) -> None:
    """P070: `after` names a partition that is not there."""
    for partition in scope.layout.partitions:
        for name, span in known(partition.after):
            scope.check_partition(name, span, problems, at(partition.span, "in this partition"))


def after_itself(scope: Scope, problems: Collector) -> None:
    """P093: a partition after itself."""
    for partition in scope.layout.partitions:
        for name, span in known(partition.after):
            if name == partition.name:
                text = f"'{partition.name}' is to start after itself"
                problems.error(
                    "P093",
                    text,
                    at(span, "itself"),
                    at(partition.span, "this partition"),
                    help="remove it from 'after'",
                )


def cycle(scope: Scope, problems: Collector) -> None:
    """P092: partitions that wait for each other to start."""
    waits = {
        partition.name: [
            (member, span)
            for name, span in known(partition.after)
            for member in scope.members(name)
            if member != partition.name
        ]
        for partition in scope.layout.partitions
    }
    reported: set[str] = set()
    for start in waits:
        path = _cycle_from(start, waits)
        if path and not reported & set(path):
            reported |= set(path)
            round_trip = [*path, path[0]]
            spans = [next(span for name, span in waits[one] if name == other) for one, other in pairwise(round_trip)]
            labels = [
                at(span, f"'{one}' waits for '{other}'")
                for span, one, other in zip(spans, path, round_trip[1:], strict=False)
            ]
            text = f"the start order goes in a circle: {' after '.join(round_trip)}"
            problems.error(
                "P092",
                text,
                *labels,
                help=f"remove one of the {len(path)}, for example '{round_trip[1]}' from '{path[0]}'",
            )


def _cycle_from(start: str, waits: dict[str, list[tuple[str, Span]]]) -> list[str]:
    """The names of a circle that leads from `start` back to it, or nothing."""
    trails = [[start]]
    seen = {start}
    while trails:
        trail = trails.pop(0)
        for name, _ in waits[trail[-1]]:
            if name == start:
                return trail
            if name not in seen:
                seen.add(name)
                trails.append([*trail, name])
    return []


def too_many_partitions(scope: Scope, problems: Collector) -> None:
    """P130: more partitions than the database holds."""
    own = 1 if scope.console_owner_wanted is None else 2  # the manager, and the implicit I/O partition
    limit = constants()["LIMIT_PARTITIONS"] - own
    partitions = scope.layout.partitions
    if len(partitions) > limit:
        text = f"the layout has {plural(len(partitions), 'partition')}, {len(partitions) - limit} too many"
        help = f"at most {limit}, beside the tool's own {own}"
        labels = at(partitions[limit].span, f"number {limit + 1}"), at(partitions[0].span, "number 1")
        problems.error("P130", text, *labels, help=help)


def too_many_events(scope: Scope, problems: Collector) -> None:
    """P133: a partition with more channels and interrupts than it can have events."""
    limit = constants()["LIMIT_EVENTS"]
    for partition in scope.layout.partitions:
        links = [link for link in scope.links if partition in (link.client, link.server)]
        interrupts = len({device.name for device, _ in scope.owned(partition)})
        if len(links) + interrupts > limit:
            over = len(links) + interrupts - limit
            text = (
                f"'{partition.name}' has {len(links)} channels and {plural(interrupts, 'interrupt')}, {over} too many"
            )
            last = [at(link.raw.span, "the last channel") for link in links[-1:]]
            help = f"at most {limit} events: divide it into two partitions"
            problems.error("P133", text, at(partition.span, "this partition"), *last, help=help)


def layout_name(scope: Scope, problems: Collector) -> None:
    """P135: a file name that does not fit the places kept in the image."""
    room = constants()["LIMIT_SOURCE"] - len(":99999")
    name = scope.layout.path.name
    if len(name.encode()) > room:
        text = f"the layout's file name has {len(name.encode())} bytes, {len(name.encode()) - room} too many"
        problems.error(
            "P135", text, at(scope.layout.span, "this file"), help=f"at most {room} bytes: the image names its lines"
        )


def no_such_end(scope: Scope, problems: Collector) -> None:
    """P024: an end of the run that the board has no way to bring about."""
    given, board = scope.layout.on_end, scope.facts
    if given is None or board is None:
        return
    if (given.value, board.poweroff) == ("poweroff", None) or (given.value, board.reboot) == ("reboot", None):
        ways = [way for way, there in (("poweroff", board.poweroff), ("reboot", board.reboot)) if there]
        text = f"the board {board.name} does not say how to {given.value}"
        place = at(scope.layout.board.span, f"no '{given.value}' in it")
        help = f"write on_end: {listing([*ways, 'halt', 'stay'], 'or')}"
        problems.error("P024", text, at(given.span, "cannot be done"), place, help=help)


def no_debug_port(scope: Scope, problems: Collector) -> None:
    """P023 (warning): `debug: true` on a board without a debug port."""
    for partition in scope.layout.partitions:
        if scope.facts and not scope.facts.debug_port and partition.debug is not None and partition.debug.value:
            text = f"'{partition.name}' may write to the debug port, and the board {scope.facts.name} has none"
            place = at(scope.layout.board.span, "this board")
            help = "give it a channel to a console endpoint, or remove debug"
            problems.warning("P023", text, at(partition.debug.span, "leads nowhere"), place, help=help)


CHECKS = (
    no_such_end,
    no_debug_port,
    unknown_partition,
    after_itself,
    cycle,
    too_many_partitions,
    too_many_events,
    layout_name,
)

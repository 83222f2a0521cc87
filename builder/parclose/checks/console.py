# SPDX-License-Identifier: Apache-2.0
"""Consoles: what their servers keep for the channels, and who reads all of them."""

from __future__ import annotations

from parclose.constants import constants
from parclose.problems import Collector, at
from parclose.scope import Link, Scope
from parclose.wording import format_size, round_up

BUFFER_UNIT = 1024
LOG_BUFFER = 4096  # where the layout says nothing


def buffer_of(link: Link) -> int:
    """Bytes that the server keeps for a console channel; 0 where that is not known either."""
    if link.raw.buffer is not None:
        return link.raw.buffer.value or 0
    return LOG_BUFFER if link.log else 0


def _consoles(scope: Scope) -> list[Link]:
    return [link for link in scope.links if link.kind == "console"]


def buffer_size(scope: Scope, problems: Collector) -> None:
    """P161: a buffer that is no number of KiB, none at all, or too large."""
    most = constants()["LIMIT_CONSOLE_BUFFER"]
    for link in _consoles(scope):
        given = link.raw.buffer
        if given is None or given.value is None or (0 < given.value <= most and given.value % BUFFER_UNIT == 0):
            continue
        near = format_size(min(max(round_up(given.value, BUFFER_UNIT), BUFFER_UNIT), most))
        text = f"the buffer of '{link.raw.name}' has {format_size(given.value)}"
        help = f"whole KiB, at most {format_size(most)}: the nearest is {near}"
        labels = at(given.span, "not a buffer's size"), at(link.raw.span, "this channel")
        problems.error("P161", text, *labels, help=help)


def buffers_fit(scope: Scope, problems: Collector) -> None:
    """P162: buffers of one I/O partition that exceed what it keeps."""
    most = constants()["LIMIT_CONSOLE_BUFFERS"]
    for server in scope.layout.partitions:
        links = [link for link in _consoles(scope) if link.server is server]
        total = sum(min(buffer_of(link), constants()["LIMIT_CONSOLE_BUFFER"]) for link in links)  # P161 else
        if total <= most:
            continue
        largest = max(links, key=buffer_of)
        span = largest.raw.buffer.span if largest.raw.buffer else largest.raw.span
        text = f"'{server.name}' would keep {format_size(total)} for console channels, of {format_size(most)}"
        help = f"{format_size(total - most)} must go; the largest has {format_size(buffer_of(largest))}"
        problems.error("P162", text, at(span, "the largest"), at(server.span, "this I/O partition"), help=help)


def too_many_logs(scope: Scope, problems: Collector) -> None:
    """P163: more log channels to one console than its server writes to."""
    most = constants()["LIMIT_CONSOLE_LOGS"]
    logs: dict[str, list[Link]] = {}
    for link in _consoles(scope):
        if link.log:
            logs.setdefault(link.endpoint_name, []).append(link)
    for name, links in logs.items():
        if len(links) > most:
            text = f"{len(links)} log channels to {name}, {len(links) - most} too many"
            endpoint = links[most].endpoint
            assert endpoint is not None
            labels = at(links[most].raw.span, f"number {most + 1}"), at(endpoint.span, "of this console")
            problems.error("P163", text, *labels, help=f"at most {most}: each line is copied to every one of them")


CHECKS = (buffer_size, buffers_fit, too_many_logs)

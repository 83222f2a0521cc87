# SPDX-License-Identifier: Apache-2.0
"""The built-in I/O partition: what one of them has room for. Another program's room is its own affair."""

from __future__ import annotations

from collections.abc import Iterator

from parclose.constants import constants
from parclose.kinds import endpoint_of
from parclose.layout import RawPartition
from parclose.problems import Collector, at
from parclose.scope import Link, Scope

_DEVICES = {"block": ("LIMIT_IO_DISKS", "disks"), "network": ("LIMIT_IO_CARDS", "network cards")}
_DEVICES |= {"console": ("LIMIT_IO_LINES", "serial lines")}
_CHANNELS = {"network": "LIMIT_IO_NETWORK_CHANNELS", "console": "LIMIT_IO_CONSOLE_CHANNELS"}  # block: P133


def _builtin(scope: Scope) -> Iterator[RawPartition]:
    for partition in scope.layout.partitions:
        program = partition.program
        if program is not None and program.builtin is not None and program.builtin.value == "io":
            yield partition


def too_many_devices(scope: Scope, problems: Collector) -> None:
    """P150: a channel to a device that comes after as many of its class as one I/O partition drives, in its list."""
    for partition in _builtin(scope):
        for kind, (name, what) in _DEVICES.items():
            limit = constants()[name]
            spans = {device.name: span for device, span in scope.owned(partition) if endpoint_of(device.kind) == kind}
            used = _used(scope, partition, kind)
            beyond = next((number for number, each in enumerate(spans, 1) if number > limit and each in used), None)
            if beyond is None:
                continue
            text = f"'{partition.name}' drives {limit} {what} at most, and has {len(spans)}"
            labels = at(list(spans.values())[beyond - 1], f"number {beyond}"), at(partition.span, "this I/O partition")
            help = "give the rest to a second I/O partition; one without a channel may come last"
            problems.error("P150", text, *labels, help=help)


def too_many_switches(scope: Scope, problems: Collector) -> None:
    """P151: more network endpoints than one I/O partition has switches, each of its cards having one anyway."""
    most = constants()["LIMIT_IO_SWITCHES"]
    for partition in _builtin(scope):
        owned = {device.name for device, _ in scope.owned(partition) if endpoint_of(device.kind) == "network"}
        cards = min(len(owned), constants()["LIMIT_IO_CARDS"])  # else P150
        used = {link.endpoint.name for link in _links(scope, partition, "network") if link.endpoint}
        closed = [each for each in partition.endpoints if each.name in used and each.closed]
        limit = most - cards
        if len(closed) <= limit:
            continue
        text = f"'{partition.name}' has {len(closed)} networks without a card, {len(closed) - limit} too many"
        labels = at(closed[limit].span, f"number {limit + 1}"), at(partition.span, "this I/O partition")
        taken = f" beside those of its {cards} card{'s' * (cards > 1)}" if cards else ""
        help = f"at most {limit}{taken}: divide one by vlan and talks_to, or begin a second I/O partition"
        problems.error("P151", text, *labels, help=help)


def too_many_channels(scope: Scope, problems: Collector) -> None:
    """P152: more channels of a class than one I/O partition serves."""
    for partition in _builtin(scope):
        for kind, name in _CHANNELS.items():
            limit, links = constants()[name], _links(scope, partition, kind)
            if len(links) > limit:
                text = f"'{partition.name}' serves {len(links)} {kind} channels, {len(links) - limit} too many"
                labels = at(links[limit].raw.span, f"number {limit + 1}"), at(partition.span, "this I/O partition")
                help = f"at most {limit}: a second I/O partition serves the rest"
                problems.error("P152", text, *labels, help=help)


def _used(scope: Scope, partition: RawPartition, kind: str) -> set[str]:
    """The names of the devices that a channel of that kind leads to."""
    names = [link.endpoint.device.value for link in _links(scope, partition, kind) if link.endpoint]
    devices = [scope.device(name) for name in names if name is not None]
    return {device.name for device in devices if device is not None}


def _links(scope: Scope, partition: RawPartition, kind: str) -> list[Link]:
    return [link for link in scope.links if link.server is partition and link.kind == kind]


CHECKS = (too_many_devices, too_many_switches, too_many_channels)

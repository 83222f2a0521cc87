# SPDX-License-Identifier: Apache-2.0
"""What each partition may touch, and why: each stretch of its address space, its ports and devices, with the line
of the layout or board that grants it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parclose.constants import constants
from parclose.errors import Span
from parclose.model import WIRE, Access, BarKind, Channel, ChannelClass, System, address_text
from parclose.planned import Plan, PlannedChannel, PlannedPartition, RegionKind, Resource, Stretch
from parclose.wording import format_size

Document = dict[str, Any]

_RECEIVE_WHY = (
    "the card cannot tell clients apart, so each frame's addresses and tag are looked at before a client has it"
)
_FIXED = {
    "descriptor page": "every partition finds its channels, devices and regions in it",
    "call page": "every partition passes batches of arguments to the monitor in it",
    "clock page": "every partition reads the clock's frequency in it",
    "database": "the manager reads what it assigns",
}


def line(span: Span | None) -> str:
    """`line.yaml:14`: the file's name without its folders, so that the report is the same wherever it is built."""
    return f"{Path(span.file).name}:{span.line}" if span else ""


class Reasons:
    """Why a partition has each address, by where it stands in the partition's own numbering."""

    def __init__(self, system: System, plan: Plan, planned: PlannedPartition) -> None:
        self._system, self._plan, self._planned = system, plan, planned
        self._found: list[tuple[int, int, str, str]] = [*self._rows(), *self._configs()]

    def of(self, stretch: Stretch) -> tuple[str, str]:
        """The reason for a stretch and the line that gives it."""
        for start, size, why, source in self._found:
            if start <= stretch.virtual < start + size:
                return why, source
        return _FIXED.get(stretch.label, "the monitor's contract"), ""

    def _rows(self) -> Iterator[tuple[int, int, str, str]]:
        for row in self._plan.descriptors:
            if row.partition != self._planned.index:
                continue
            if row.resource is Resource.REGION:
                region = self._plan.regions[row.target]
                why = f"its own {region.name}" if region.kind is not RegionKind.SHARED else self._shared(region.name)
                yield row.address, region.size, why, line(region.span or self._planned.partition.span)
            elif row.resource is Resource.CHANNEL:
                window = self._plan.channels[row.target]
                yield row.address, window.size, channel_reason(window, row.server_end), line(window.channel.span)
            else:
                device = self._plan.devices[row.target]
                why = f"it owns the device {device.device.name}"
                for bar in device.bars:
                    if bar.virtual:
                        yield bar.virtual, bar.bar.size, why, line(self._planned.partition.span)

    def _shared(self, name: str) -> str:
        region = next(region for region in self._system.regions if region.name == name)
        others = [who for who in (region.writer, *region.readers) if who and who != self._planned.partition.name]
        role = "writes" if region.writer == self._planned.partition.name else "reads"
        return f"it {role} the region {name}" + (f", shared with {', '.join(others)}" if others else "")

    def _configs(self) -> Iterator[tuple[int, int, str, str]]:
        spans = {config.name: config.span for config in self._planned.partition.config}
        for config in self._plan.configs:
            if config.partition == self._planned.index:
                size = max(len(config.content), 1)
                yield config.virtual, size, f"its configuration {config.name}", line(spans.get(config.name))


def channel_reason(window: PlannedChannel, server_end: bool) -> str:
    """What a channel is to one of its ends."""
    channel = window.channel
    if channel.endpoint is None:
        return f"its channel with {channel.client if server_end else channel.server}"
    if server_end:
        return f"it serves {channel.endpoint} to {channel.client}" + (", as a log" if is_log(channel) else "")
    name = f"{channel.server}.{channel.endpoint}"
    if is_log(channel):
        return f"its log: it reads all that {name} shows"
    return f"its channel to {name}" + (f", which keeps {format_size(channel.buffer)} for it" if channel.buffer else "")


def is_log(channel: Channel) -> bool:
    """Whether it is a console channel that only reads."""
    return channel.channel_class is ChannelClass.CONSOLE and channel.access is Access.READ


def memory(system: System, plan: Plan, planned: PlannedPartition) -> list[Document]:
    """All that ring 3 of the partition can reach by address, in whole pages: no right is finer."""
    reasons, page = Reasons(system, plan, planned), constants()["PAGE_SIZE"]
    found = []
    for stretch in planned.stretches:
        if stretch.user:
            why, source = reasons.of(stretch)
            found.append(
                {
                    "what": stretch.label,
                    "address": stretch.virtual,
                    "size": -(-stretch.size // page) * page,
                    "physical": stretch.physical,
                    "rights": str(stretch.rights),
                    "why": why,
                    "source": source,
                }
            )
    return found


def ports(system: System, plan: Plan, planned: PlannedPartition) -> list[Document]:
    """The I/O ports that the partition's bitmap opens."""
    owners = {
        bar.address: device.device.name
        for device in plan.devices
        if device.owner == planned.index
        for bar in device.bars
        if bar.bar.kind is BarKind.PORTS
    }
    found = []
    for first, count in planned.ports:
        device = owners.get(first)
        why = f"it owns the device {device}" if device else "the manager reports and ends the run"
        source = planned.partition.span if device else None
        found.append({"first": first, "count": count, "why": why, "source": line(source)})
    return found


def devices(plan: Plan, planned: PlannedPartition) -> list[Document]:
    """The devices that the partition owns, with its events for their interrupts."""
    return [
        {
            "name": device.device.name,
            "bus": device.device.bus.value,
            "bus_master": device.device.bus_master,
            "events": [interrupt.event for interrupt in device.interrupts],
            "source": line(planned.partition.span),
        }
        for device in plan.devices
        if device.owner == planned.index
    ]


def channels(plan: Plan, planned: PlannedPartition) -> list[Document]:
    """The partition's ends of channels. `extent` is what a block channel opens of its device, in bytes."""
    found = []
    for window in plan.channels:
        for server_end, index in ((False, window.client), (True, window.server)):
            if index == planned.index:
                found.append(_channel_end(plan, window, server_end))
    return found


def _network(channel: Channel, server_end: bool) -> Document | None:
    """A network channel's port, and by which way its frames move."""
    port = channel.port
    if port is None:
        return None
    return {
        "mac": address_text(port.mac),
        "vlan": port.vlan,
        "talks_to": [*port.talks_to, *[WIRE] * port.wire],
        "groups": [address_text(group) for group in port.groups],
        "send": "by the card from the client's own memory" if port.wire else "copied once by the switch",
        "receive": "copied once, into the channel's data area",
        "receive_why": _RECEIVE_WHY if port.wire else "no card takes part",
        "share": channel.share if server_end else None,
    }


def _channel_end(plan: Plan, window: PlannedChannel, server_end: bool) -> Document:
    channel: Channel = window.channel
    endpoint = None if window.endpoint is None else plan.endpoints[window.endpoint].endpoint
    extent = None
    if endpoint is not None and endpoint.channel_class is ChannelClass.BLOCK:
        extent = {"device": endpoint.device, "start": endpoint.start, "size": endpoint.size}
    return {
        "name": channel.server_name if server_end else channel.client_name,
        "end": "server" if server_end else "client",
        "peer": channel.client if server_end else channel.server,
        "class": channel.channel_class.value,
        "endpoint": channel.endpoint,
        "access": channel.access.value,
        "extent": extent,
        "network": _network(channel, server_end),
        "buffer": channel.buffer,
        "why": channel_reason(window, server_end),
        "source": line(channel.span),
    }

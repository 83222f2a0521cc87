# SPDX-License-Identifier: Apache-2.0
"""The Ethernet addresses on each partition's descriptor page: whom its network channels reach, and their groups."""

from __future__ import annotations

from dataclasses import dataclass

from parclose.model import Channel, System


@dataclass(frozen=True)
class Address:
    """A row of `struct address_descriptor`."""

    mac: bytes
    group: bool


def addresses(system: System, channel: Channel, server_end: bool) -> tuple[Address, ...]:
    """The rows of one end: neighbours in ascending order (only at the client), then groups."""
    if channel.port is None:
        return ()
    groups = tuple(Address(group, True) for group in channel.port.groups)
    if server_end:
        return groups
    macs = sorted(other.port.mac for other in system.channels if other.port and reaches(channel, other))
    return (*(Address(mac, False) for mac in macs), *groups)


def reaches(channel: Channel, other: Channel) -> bool:
    """Whether frames pass between two network channels: they are of one endpoint, and talk to each other."""
    same = (channel.server, channel.endpoint) == (other.server, other.endpoint)
    return same and channel.port is not None and other.client in channel.port.talks_to


def count(system: System, partition: str) -> int:
    """How many rows a partition's descriptor page has."""
    ends = ((channel, end) for channel in system.channels if channel.port for end in (False, True))
    return sum(
        len(addresses(system, channel, end))
        for channel, end in ends
        if (channel.server if end else channel.client) == partition
    )

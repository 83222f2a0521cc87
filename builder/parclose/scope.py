# SPDX-License-Identifier: Apache-2.0
"""Who is meant by the names in a layout. Resolves silently: what cannot be resolved is absent here, and
the checks say so once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from parclose.constants import constants
from parclose.errors import Label, Span
from parclose.layout import RawChannel, RawEndpoint, RawLayout, RawPartition, known
from parclose.model import Board, Device
from parclose.problems import Collector, at
from parclose.wording import listing, nearest, suggestion

IMPLICIT_IO = "_io"
MANAGER = "manager"
DEFAULT_DATA = {"block": 0, "console": 4 << 12, "peer": 16 << 12, "network": 32 << 12}


@dataclass(frozen=True)
class Target:
    """What `io.records` or `logger` means: a partition and what follows its name. `partition` is None when unknown."""

    partition: RawPartition | None
    rest: str


@dataclass(frozen=True)
class Link:
    """A channel both of whose ends are known. `endpoint` is None between guests; `kind` is "" where unreadable."""

    client: RawPartition
    raw: RawChannel
    server: RawPartition
    endpoint: RawEndpoint | None

    @property
    def kind(self) -> str:
        return self.endpoint.kind if self.endpoint else "peer"

    @property
    def endpoint_name(self) -> str:
        """`io.records`, or the guest's name."""
        return f"{self.server.name}.{self.endpoint.name}" if self.endpoint else self.server.name

    @property
    def log(self) -> bool:
        """Whether it is a console channel that only reads."""
        return self.kind == "console" and self.raw.log is not None and self.raw.log.value is True

    @property
    def writes(self) -> bool:
        """Whether the client may write to the endpoint, where that is known."""
        asked = self.raw.access.value if self.raw.access else "write"
        asked = "read" if self.log else asked
        granted = self.endpoint.access.value if self.endpoint and self.endpoint.access else "write"
        return asked == "write" and granted == "write"


class Scope:
    """A layout and its board, with everything that has a name to be found under it."""

    def __init__(self, layout: RawLayout, board: Board | None, sound: bool = True) -> None:
        self.layout = layout
        self.board = board
        self.facts = board if sound else None  # of a board with errors nothing follows but which devices it names
        self.partitions = {partition.name: partition for partition in layout.partitions}
        self.devices = {device.name: device for device in board.devices} if board else {}

    @cached_property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """The partitions that `count` made, by the name that stands in the layout."""
        found: dict[str, tuple[str, ...]] = {}
        for partition in self.layout.partitions:
            if partition.group != partition.name:
                found[partition.group] = (*found.get(partition.group, ()), partition.name)
        return found

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Other names of devices: the board's roles, then the layout's aliases."""
        roles = {role: device for role, device, _ in self.board.roles} if self.board else {}
        own = {alias.name: alias.device.value for alias in self.layout.aliases if alias.device.value is not None}
        return {**roles, **own}

    def device(self, name: str | None) -> Device | None:
        """The device of that name, role or alias."""
        if name is None:
            return None
        seen: set[str] = set()
        while name in self.aliases and name not in self.devices and name not in seen:
            seen.add(name)
            name = self.aliases[name]
        return self.devices.get(name)

    def device_names(self) -> list[str]:
        """All names that a device may be called by here."""
        return [*self.devices, *self.aliases]

    def owned(self, partition: RawPartition) -> list[tuple[Device, Span]]:
        """The devices that a partition lists and that exist, with their places."""
        pairs = [(self.device(name), span) for name, span in known(partition.devices)]
        return [(device, span) for device, span in pairs if device is not None]

    def sure_of(self, partition: RawPartition) -> bool:
        """Whether every device that a partition lists could be found, so that it owns no other."""
        return all(given.value is not None and self.device(given.value) for given in partition.devices)

    @cached_property
    def claims(self) -> dict[str, list[tuple[RawPartition, Span]]]:
        """Who claims each device, in file order."""
        found: dict[str, list[tuple[RawPartition, Span]]] = {}
        for partition in self.layout.partitions:
            for device, span in self.owned(partition):
                found.setdefault(device.name, []).append((partition, span))
        return found

    def free_devices(self, kind: str) -> list[str]:
        """The board's devices of a kind (that some driver knows) that no partition lists."""
        if not kind:
            return []
        return [
            device.name for device in self.devices.values() if device.kind == kind and device.name not in self.claims
        ]

    def target(self, text: str) -> Target:
        """What a name such as `io.records` means. The longest partition name that fits wins (`rtu.0.feed`)."""
        if text in self.partitions:
            return Target(self.partitions[text], "")
        fitting = [name for name in self.partitions if text.startswith(name + ".")]
        if not fitting:
            return Target(None, text)
        name = max(fitting, key=len)
        return Target(self.partitions[name], text[len(name) + 1 :])

    @cached_property
    def all_linked(self) -> bool:
        """Whether both ends of every channel are known, so that what no channel leads to is not used."""
        declared = sum(raw.to is not None for partition in self.layout.partitions for raw in partition.channels)
        return declared == len(self.links) and not any(each.broken for each in self.layout.partitions)

    @cached_property
    def renames(self) -> dict[tuple[str, str, str], RawChannel]:
        """The channel keys with `from`: by the partition they stand in, and the partition and name they rename."""
        found: dict[tuple[str, str, str], RawChannel] = {}
        for partition in self.layout.partitions:
            for raw in partition.channels:
                target = self.target(raw.source.value) if raw.source and raw.source.value else Target(None, "")
                if target.partition is not None:
                    found.setdefault((partition.name, target.partition.name, target.rest), raw)
        return found

    @cached_property
    def links(self) -> list[Link]:
        """Every channel that is declared and whose two ends exist."""
        return list(self._links())

    def _links(self) -> Iterator[Link]:
        endpoints = {each.name: {end.name: end for end in each.endpoints} for each in self.layout.partitions}
        for client in self.layout.partitions:
            for raw in client.channels:
                target = self.target(raw.to.value) if raw.to and raw.to.value else Target(None, "")
                server = target.partition
                if server is None or server is client:
                    continue
                endpoint = endpoints[server.name].get(target.rest)
                if endpoint is not None or (not target.rest and not server.serves):
                    yield Link(client, raw, server, endpoint)

    def members(self, name: str) -> tuple[str, ...]:
        """The partitions that a name in a list stands for: itself, or all of a group; none when it is unknown."""
        if name == IMPLICIT_IO and self.console_owner_wanted:
            return (name,)
        if name in self.partitions:
            return (name,)
        return self.groups.get(name, ())

    def check_partition(self, name: str, span: Span, problems: Collector, *others: Label) -> bool:
        """Whether `name` is a partition or a group; P070 otherwise."""
        if self.members(name) or "partitions" in self.layout.broken:
            return True
        names = [*self.partitions, *(group for group in self.groups if group not in self.partitions)]
        near = nearest(name, names)
        labels = [*others, *([at(self.partitions[near].span, "the nearest name")] if near in self.partitions else [])]
        help = suggestion(name, names, "partitions here")
        problems.error_folded("P070", f"there is no partition '{name[:60]}'", at(span, "unknown"), *labels, help=help)
        return False

    @cached_property
    def console_owner_wanted(self) -> Device | None:
        """The board's first console, where no partition claims it and some guest has none: `_io` then serves it."""
        device = self.device(self.board.console) if self.board and self.board.console else None
        if (
            device is None
            or device.name in self.claims
            or not all(self.sure_of(each) for each in self.layout.partitions)
        ):
            return None
        return device if list(self.silent_guests()) else None

    def silent_guests(self) -> Iterator[RawPartition]:
        """The guests without a console channel of their own to speak on."""
        heard = {id(link.client) for link in self.links if link.kind == "console" and not link.log}
        return (each for each in self.layout.partitions if not each.serves and id(each) not in heard)

    def window(self, raw: RawChannel, kind: str) -> int | None:
        """Bytes of a channel's window; None where its size could not be read."""
        header = constants()["CHANNEL_HEADER_PAGES"] * constants()["PAGE_SIZE"]
        if raw.data is not None:
            return None if raw.data.value is None else header + raw.data.value
        return header + DEFAULT_DATA.get(kind, 0)


def names_of(things: Iterable[RawPartition | RawEndpoint]) -> list[str]:
    """The names of partitions or endpoints."""
    return [thing.name for thing in things]


def free_text(names: list[str], otherwise: str) -> str:
    """`com2 (free on this board)`, or `otherwise` when nothing is free."""
    return f"{listing(names, 'or')} ({'free' if len(names) == 1 else 'all free'} on this board)" if names else otherwise

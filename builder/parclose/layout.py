# SPDX-License-Identifier: Apache-2.0
"""A layout as it was written: names not yet resolved, defaults not yet filled in, every value with its place.

A value that could not be read is a `Given` without value, so that the checks leave it alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from parclose.errors import Span
from parclose.fetch_reader import RawFetch
from parclose.values import Given

Texts = tuple[Given[str], ...]
NO_UPLINK = "none"  # in the place of a network's device


@dataclass(frozen=True)
class RawProgram:
    """Exactly one of `file`, `sources`, `elf`, `builtin` in a valid layout."""

    span: Span
    file: Given[str] | None = None
    sources: Texts | None = None
    elf: Given[str] | None = None
    builtin: Given[str] | None = None
    cflags: Texts = ()
    define: tuple[tuple[Given[str], Given[str]], ...] = ()
    fetch: RawFetch | None = None
    broken: bool = False


@dataclass(frozen=True)
class RawEndpoint:
    """`kind` is "block", "console", "network", or "" where it could not be read.

    `escape` is the key that opens a console's menu: 1 for Ctrl-A; `label` is the key `partition`.
    The device of a network may be the word `none` (NO_UPLINK): a switch without a card.
    """

    name: str
    span: Span
    kind: str
    device: Given[str]
    start: Given[int] | None = None
    size: Given[int] | None = None
    label: Given[str] | None = None
    access: Given[str] | None = None
    shared: Given[bool] | None = None
    escape: Given[int] | None = None

    @property
    def closed(self) -> bool:
        """Whether it is a network without an uplink."""
        return self.kind == "network" and self.device.value == NO_UPLINK


@dataclass(frozen=True)
class RawChannel:
    """One end as written: `to` declares a channel, `source` (the key `from`) renames the end of another's."""

    name: str
    span: Span
    to: Given[str] | None = None
    source: Given[str] | None = None
    data: Given[int] | None = None
    access: Given[str] | None = None
    share: Given[int] | None = None
    quota: Given[int] | None = None
    mac: Given[bytes] | None = None
    vlan: Given[int] | None = None
    talks_to: Texts | None = None
    groups: tuple[Given[bytes], ...] | None = None
    log: Given[bool] | None = None
    buffer: Given[int] | None = None


@dataclass(frozen=True)
class RawHealth:
    """`limit` is 0 for `none`."""

    span: Span
    do: Given[str]
    limit: Given[int] | None = None
    within: Given[int] | None = None


@dataclass(frozen=True)
class RawPartition:
    """`group` is the name that stands in the layout: another than `name` where `count` made several of it.

    `broken` holds the keys that could not be read at all.
    """

    name: str
    span: Span
    group: str
    program: RawProgram | None = None
    memory: Given[int] | None = None
    stack: Given[int] | None = None
    devices: Texts = ()
    dma: Given[str] | None = None
    endpoints: tuple[RawEndpoint, ...] = ()
    channels: tuple[RawChannel, ...] = ()
    config: Texts = ()
    after: Texts = ()
    health: RawHealth | None = None
    debug: Given[bool] | None = None
    broken: frozenset[str] = frozenset()

    @property
    def serves(self) -> bool:
        """Whether it is an I/O partition: one that has endpoints."""
        builtin = self.program.builtin if self.program else None
        return bool(self.endpoints) or "endpoints" in self.broken or (builtin is not None and builtin.value == "io")


@dataclass(frozen=True)
class RawRegion:
    name: str
    span: Span
    size: Given[int] | None = None
    source: Given[str] | None = None
    write: Texts = ()
    read: Texts = ()


@dataclass(frozen=True)
class RawSlot:
    partition: Given[str]
    budget: Given[int] | None = None


@dataclass(frozen=True)
class RawFrame:
    span: Span
    length: Given[int]
    slots: tuple[RawSlot, ...]
    broken: bool = False


@dataclass(frozen=True)
class RawProcessor:
    name: str
    span: Span
    frames: tuple[RawFrame, ...]
    broken: bool = False


@dataclass(frozen=True)
class RawSchedule:
    span: Span
    manager: Given[int] | None
    processors: tuple[RawProcessor, ...]
    broken: bool = False


@dataclass(frozen=True)
class RawAlias:
    name: str
    span: Span
    device: Given[str]


@dataclass(frozen=True)
class RawLayout:
    path: Path
    span: Span
    board: Given[str]
    partitions: tuple[RawPartition, ...]
    regions: tuple[RawRegion, ...] = ()
    schedule: RawSchedule | None = None
    aliases: tuple[RawAlias, ...] = ()
    on_end: Given[str] | None = None
    broken: frozenset[str] = field(default_factory=frozenset)

    @property
    def folder(self) -> Path:
        """The folder that files in the layout are relative to."""
        return self.path.parent


def certain(givens: Iterable[Given[str]]) -> bool:
    """Whether every item of a list could be read, so that what is not in it is known to be absent."""
    return all(given.value is not None for given in givens)


def known(givens: Iterable[Given[str]]) -> list[tuple[str, Span]]:
    """The items of a list that could be read, with their places."""
    return [(given.value, given.span) for given in givens if given.value is not None]

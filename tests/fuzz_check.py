# SPDX-License-Identifier: Apache-2.0
"""The check from outside after a fuzz run: the stopped machine's memory against the image and what the calls permitted.

Nothing here runs in the machine or uses the monitor's own idea of what is right: owners, rights and page tables are
compared with the layout's rows, live words with each other and with what the manager was told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import fuzz_kit
from fuzz_kit import Run
from parclose import dwarf, paths
from parclose.constants import constants
from parclose.dwarf import Struct
from parclose.inspect import database, physical
from parclose.inspect.database import Database
from parclose.planned import ExtentKind

UNCHANGED = (ExtentKind.DATABASE, ExtentKind.TABLES, ExtentKind.DESCRIPTORS, ExtentKind.IO_BITMAP, ExtentKind.CONFIG)


@dataclass(frozen=True)
class Channel:
    """A channel's live word, taken apart (abi/live.h)."""

    state: str
    flight: int
    life: int


def faults(run: Run) -> list[str]:
    """What is not as it must be, a sentence each."""
    found = database.read(physical.load(run.build.image.with_name("seeded.elf")), dwarf.layouts())
    return [*unchanged(run), *descriptors(run, found), *partitions(run, found), *channels(run, found), *contexts(run)]


def unchanged(run: Run) -> Iterator[str]:
    """Everything that nobody may write: tables, the monitor's code, programs' code, the vault."""
    image = physical.load(run.build.image.with_name("seeded.elf"))
    for name, start, size in _read_only(run):
        before, after = image.read(start, size), run.read(start, size)
        assert before is not None, name
        if before != after:
            first = next(place for place, (one, other) in enumerate(zip(before, after, strict=True)) if one != other)
            yield f"{name}: the byte at physical {start + first:#x} has changed"


def _read_only(run: Run) -> Iterator[tuple[str, int, int]]:
    plan, page = run.build.plan, constants()["PAGE_SIZE"]
    for segment in plan.monitor.segments:
        if segment.content and not segment.write:
            yield "the monitor", segment.physical, len(segment.content)
    for extent in plan.extents:
        if extent.kind in UNCHANGED or extent.kind is ExtentKind.REGION:
            yield extent.name, extent.physical, extent.size // page * page
    for partition in plan.partitions:
        base = partition.physical - constants()["PROGRAM_ADDRESS"]
        for segment in partition.program.segments:
            if not segment.write:
                name = f"program of {partition.partition.name}"
                yield name, base + segment.virtual, len(segment.content)


def _kept_free(found: Database, index: int) -> bool:
    row = found.tables["descriptors"][index]
    return not row["required"] or found.name("partitions", row["partition"]) == "never"


def descriptors(run: Run, found: Database) -> Iterator[str]:
    """Owners: each descriptor free, or assigned to the one partition that its row names; what stays free is free."""
    words = run.words(fuzz_kit.monitor_place(run.build, "descriptor_live"), len(found.tables["descriptors"]))
    for index, (row, word) in enumerate(zip(found.tables["descriptors"], words, strict=True)):
        owner = found.name("partitions", row["partition"])
        expected = 0 if _kept_free(found, index) else 1 + row["partition"]
        if word != expected:
            yield f"descriptor {row['name']} of {owner} is {_owned(found, word)}, not {_owned(found, expected)}"


def _owned(found: Database, word: int) -> str:
    return "free" if word == 0 else f"assigned to {found.name('partitions', word - 1)}"


def _monitor(run: Run, name: str) -> Struct:
    """One of the monitor's own structures, as its debug information has it; no hole changes those."""
    return _structs((paths.data("monitor_asm") / "state.h").read_text(), run.build.image.parent / "monitor.elf")[name]


_known: dict[str, Mapping[str, Struct]] = {}


def _structs(source: str, program: Path) -> Mapping[str, Struct]:
    if source not in _known:
        _known[source] = dwarf.from_elf(program).structs
    return _known[source]


def _partition_words(run: Run) -> list[tuple[int, int]]:
    """Of each partition its live word and its root."""
    known = _monitor(run, "partition")
    place = fuzz_kit.monitor_place(run.build, "partitions")
    live, root = known.field("live").offset, known.field("root").offset
    starts = [place + index * known.size for index in range(len(run.build.plan.partitions))]
    return [(run.number(start + live), run.number(start + root)) for start in starts]


def partitions(run: Run, found: Database) -> Iterator[str]:
    """Roots as planned; as many lives as the manager started; who lacks what it needs has none."""
    starts = run.tallies["manager"].starts
    rows = found.tables["partitions"]
    for index, ((live, root), row) in enumerate(zip(_partition_words(run), rows, strict=True)):
        if root != row["root"]:
            yield f"{row['name']} has the root {root:#x}, its row says {row['root']:#x}"
        life, expected = live >> 32, 1 if index == found.header["manager"] else starts[index]
        if life != expected:
            yield f"{row['name']} is in life {life}, the manager was told of {expected}"
        missing = [
            position for position, need in found.descriptors(row) if need["required"] and _kept_free(found, position)
        ]
        if life and missing:
            yield f"{row['name']} was started without its descriptor {missing[0]}"
    if not _partition_words(run)[found.header["manager"]][0] & 1:
        yield "the manager does not run"


def _channel(word: int) -> Channel:
    return Channel(("free", "allocated", "connected", "draining")[word & 3], word >> 8 & 0xFFFFFF, word >> 32)


def channels(run: Run, found: Database) -> Iterator[str]:
    """Each channel's state follows from its ends: who is assigned, whether the client runs, what is in flight."""
    words = run.words(fuzz_kit.monitor_place(run.build, "channel_live"), len(found.tables["channels"]))
    lives = [live for live, _ in _partition_words(run)]
    for number, (word, row) in enumerate(zip(words, found.tables["channels"], strict=True)):
        name = f"channel {row['name']} of {found.name('partitions', row['client'])}"
        channel, client = _channel(word), lives[row["client"]]
        expected = _expected(found, row, client, channel.flight)
        if channel.state != expected:
            yield f"{name} is {channel.state}, not {expected}"
        if channel.flight > row["quota"]:
            yield f"{name} has {channel.flight} in flight, its quota is {row['quota']}"
        life = (client >> 32) + (number << constants()["CHANNEL_LIFE_SHIFT"])
        if channel.state == "connected" and channel.life != life:
            yield f"{name} is connected to life {channel.life}, its client is in life {client >> 32}"
        if channel.flight and row["endpoint"] == constants()["NONE"]:
            yield f"{name} leads to no device and has {channel.flight} in flight"


def _expected(found: Database, row: dict[str, int], client: int, flight: int) -> str:
    if any(_kept_free(found, row[f"{end}_descriptor"]) for end in ("client", "server")):
        return "free"
    if client & 1:
        return "connected"
    return "draining" if flight else "allocated"


def contexts(run: Run) -> Iterator[str]:
    """What the monitor looks up of its caller: its own row, its own block, the calls of its role, ring 3."""
    known = _monitor(run, "context")
    tables = {"guest": "guest_calls", "io": "io_calls", "manager": "manager_calls"}
    size, monitor = dwarf.layouts().structs["descriptor_row"].size, run.build.plan.monitor
    first = constants()["DATABASE_ADDRESS"] + run.number(constants()["DATABASE_PHYSICAL"] + _descriptors_offset(), 4)
    for partition in run.build.plan.partitions:
        name, place = partition.partition.name, partition.context
        if not run.number(place + known.field("partition").offset):
            continue  # it never ran
        calls = run.number(place + known.field("calls").offset)
        expected = fuzz_kit.monitor_place(run.build, tables[partition.partition.role.value])
        if monitor.physical(calls) != expected:
            yield f"{name} has another role's table of calls"
        if run.number(place + known.field("descriptor_count").offset) != partition.descriptor_count:
            yield f"{name} has another number of descriptors"
        block = run.number(place + known.field("descriptors").offset)
        if block != first + size * partition.first_descriptor:
            yield f"{name} has another block of descriptors"


def _descriptors_offset() -> int:
    return dwarf.layouts().structs["database"].field("descriptors").offset

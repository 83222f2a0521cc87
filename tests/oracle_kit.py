# SPDX-License-Identifier: Apache-2.0
"""Rules for the isolation oracle (oracle/oracle.c) from an image's own database, and what it found.

A partition may access what the rows of its block of descriptors name, and the pages that everybody has; the rest of
memory not. Page tables are not asked: they are what is checked. Ring 0 may not access what is a partition's alone.
Where the pages are that no row names, the report and the map beside the image say: what was planned, not what is
mapped.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parclose import dwarf, elf
from parclose.constants import constants
from parclose.inspect import database, physical
from parclose.inspect.database import Database, Row
from parclose.place import align_up
from parclose.planned import ExtentKind

HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "oracle"
NOBODY = 0xFF
_GDT, _FRAME = 64, 48  # bytes: the descriptors that the monitor has; error code, RIP, CS, RFLAGS, RSP, SS
NEVER_RING_0 = {each.value for each in (ExtentKind.PARTITION, ExtentKind.CHANNEL, ExtentKind.REGION, ExtentKind.CONFIG)}
LEAVE = "PARCLOSE_ORACLE_LEAVE"  # in the environment of a QEMU that oracle/qemu.py starts: why it runs without
KINDS = {"r": "reads", "w": "writes", "x": "executes"}
_MSIX = re.compile(
    r"^  0x[0-9a-f]+ (0x[0-9a-f]+) +(0x[0-9a-f]+)  rw- ring 0 uncached  MSI-X table of (\S+)$", re.MULTILINE
)


@dataclass(frozen=True)
class Fault:
    """Accesses that no rule allows: whose, of which kind, where, and by the instruction at which virtual address."""

    owner: str
    kind: str
    physical: int
    virtual: int
    instruction: int
    times: int
    of: str

    def __str__(self) -> str:
        return (
            f"{self.owner} {KINDS[self.kind]} physical {self.physical:#x}, {self.of}, "
            f"by its address {self.virtual:#x}, {self.times} times, first by the instruction at {self.instruction:#x}"
        )


@dataclass(frozen=True)
class Verdict:
    """What the oracle says of a run: accesses checked by owner, and faults."""

    checked: dict[str, int]
    faults: list[Fault]


def plugin() -> Path:
    """Compile the plugin."""
    BUILD.mkdir(parents=True, exist_ok=True)
    made, source = BUILD / "oracle.so", HERE / "oracle" / "oracle.c"
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        beside = made.with_suffix(f".{os.getpid()}")  # others may be at it too
        words = ["gcc", "-std=c17", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"]
        subprocess.run([*words, str(beside), str(source)], check=True, timeout=60)
        beside.replace(made)
    return made


class Build:
    """What a build left of one image: its database, and beside it where things were planned."""

    def __init__(self, image: Path) -> None:
        self.image, folder = image, image.parent
        self.database: Database = database.read(physical.load(image), dwarf.layouts())
        self.monitor = folder / "monitor.elf"
        self.report: dict[str, Any] = json.loads((folder / "report.json").read_text())
        self.extents: list[dict[str, Any]] = self.report["memory_map"]
        map_text = (folder / "image.map").read_text()
        self.msix = {name: (int(place, 16), int(size, 16)) for place, size, name in _MSIX.findall(map_text)}

    def own(self, kind: ExtentKind, owner: str) -> list[dict[str, Any]]:
        """The extents of that kind that are one partition's."""
        return [each for each in self.extents if (each["kind"], each["owner"]) == (kind.value, owner)]


@contextmanager
def left_out(reason: str) -> Iterator[None]:
    """No oracle for what is started within, where all others are: a build with a protection taken away, say."""
    before = os.environ.get(LEAVE)
    os.environ[LEAVE] = reason
    try:
        yield
    finally:
        os.environ.pop(LEAVE)
        if before is not None:
            os.environ[LEAVE] = before


def has_build(image: Path) -> bool:
    """Whether `image` lies where it was built, so that there can be rules for it."""
    return all((image.parent / name).exists() for name in ("report.json", "image.map", "monitor.elf"))


def arguments(image: Path, folder: Path, from_disk: bool = False) -> tuple[str, ...]:
    """QEMU's further arguments for a run of `image` under the oracle, which leaves its findings in `folder`.

    `from_disk`: a boot loader enters it, by multiboot2, and not QEMU by PVH."""
    folder.mkdir(parents=True, exist_ok=True)
    build = Build(image)
    (folder / "rules").write_text("\n".join(rules(build)) + "\n")
    names = [row["name"] for row in build.database.tables["partitions"]]
    (folder / "names").write_text(json.dumps({"partitions": names, "extents": build.extents}))
    (folder / "found").unlink(missing_ok=True)
    symbols = {each.name: each.value for each in elf.symbols(build.monitor.read_bytes())}
    entry = symbols["boot_multiboot2" if from_disk else "boot_entry"]
    return "-plugin", f"{plugin()},rules={folder / 'rules'},out={folder / 'found'},entry={entry:#x}"


def rules(build: Build) -> Iterator[str]:
    """The rules for an image, in the plugin's format."""
    yield from _ring_0(build)
    for index, row in enumerate(build.database.tables["partitions"]):
        owner = 1 + index
        for _, descriptor in build.database.descriptors(row):
            yield from _descriptor(owner, descriptor, build)
        yield from _own_pages(owner, row["name"], build)
        yield from _implied(owner, row["name"], build)


def _ring_0(build: Build) -> Iterator[str]:
    page = constants()["PAGE_SIZE"]
    for segment in elf.read_file(build.monitor).segments:
        if segment.execute:
            start = segment.physical & -page
            yield f"text 0 {start:x} {align_up(segment.physical + segment.memory_size, page) - start:x}"
    for extent in build.extents:
        if extent["kind"] in NEVER_RING_0:
            yield f"forbid {extent['start']:x} {extent['size']:x}"


def _descriptor(owner: int, row: Row, build: Build) -> Iterator[str]:
    layouts, tables = dwarf.layouts(), build.database.tables
    kind, target = row["resource"], row["target"]
    if kind == layouts.number("RESOURCE_REGION"):
        region = tables["regions"][target]
        rights = "r" + "w" * bool(row["rights"] & constants()["RIGHT_WRITE"])
        yield f"allow {owner} {region['physical']:x} {region['size']:x} {rights}"
        if row["rights"] & constants()["RIGHT_EXECUTE"]:
            yield f"text {owner} {region['physical']:x} {region['size']:x}"
    elif kind == layouts.number("RESOURCE_CHANNEL"):
        channel = tables["channels"][target]
        yield f"allow {owner} {channel['physical']:x} {channel['size']:x} rw"
    else:
        yield from _device(owner, tables["devices"][target], build)


def _device(owner: int, row: Row, build: Build) -> Iterator[str]:
    """Its registers but for the pages of its MSI-X table, which are the monitor's."""
    page = constants()["PAGE_SIZE"]
    first, length = build.msix.get(row["name"], (0, 0))
    assert (length != 0) == (row["msix_table"] != 0), f"the map does not say where the MSI-X table of {row['name']} is"
    for _, bar in build.database.bars(row):
        if bar["kind"] == dwarf.layouts().number("BAR_PORTS"):
            continue
        start, end = bar["address"], bar["address"] + align_up(bar["size"], page)
        table = (first, first + length) if start <= first < end else (end, end)
        for low, high in ((start, table[0]), (table[1], end)):
            if high > low:
                yield f"allow {owner} {low:x} {high - low:x} rw"


def _own_pages(owner: int, name: str, build: Build) -> Iterator[str]:
    """What a partition has besides its descriptors: its pages at fixed addresses, its configuration, the clock."""
    own = next(each for each in build.report["partitions"] if each["name"] == name)
    clock = next(each for each in own["memory"] if each["what"] == "clock page")
    yield f"allow {owner} {clock['physical']:x} {clock['size']:x} r"
    for kind, rights in ((ExtentKind.DESCRIPTORS, "r"), (ExtentKind.CALL_PAGE, "rw"), (ExtentKind.CONFIG, "r")):
        for extent in build.own(kind, name):
            yield f"allow {owner} {extent['start']:x} {extent['size']:x} {rights}"
    if owner - 1 == build.database.header["manager"]:
        yield f"allow {owner} {constants()['DATABASE_PHYSICAL']:x} {constants()['DATABASE_SIZE']:x} r"


def _implied(owner: int, name: str, build: Build) -> Iterator[str]:
    """What the processor does on its own at an interrupt or an exception (Intel SDM 3A, 6.12 and 6.14), and at a port
    (SDM 1, 19.5.2): reads gate, segment, stack pointer and bitmap, and writes its frame."""
    known, page = constants(), constants()["PAGE_SIZE"]
    monitor = elf.read_file(build.monitor)
    idt = next(each for each in elf.symbols(build.monitor.read_bytes()) if each.name == "idt")
    for virtual, size in ((idt.value, idt.size), (known["LOCAL_CPU"], _GDT), (known["LOCAL_TSS"], known["TSS_SIZE"])):
        yield f"implied {owner} {monitor.physical(virtual):x} {size:x} r"
    ones = [each for each in build.extents if each["name"] == "page of ones"]
    for bitmap in (*build.own(ExtentKind.IO_BITMAP, name), *ones):
        yield f"implied {owner} {bitmap['start']:x} {bitmap['size']:x} r"
    for context in build.own(ExtentKind.CONTEXT, name):
        yield f"implied {owner} {context['start'] + page - _FRAME:x} {_FRAME:x} w"
    for stack in ("DF", "NMI", "MC", "DB"):
        top = monitor.physical(known[f"LOCAL_STACK_{stack}_TOP"] - page)
        assert top is not None
        yield f"implied {owner} {top + page - _FRAME:x} {_FRAME:x} w"


def verdict(folder: Path) -> Verdict:
    """What the oracle left in `folder`. Raises `AssertionError` unless it is whole."""
    found = folder / "found"
    lines = found.read_text().splitlines() if found.exists() else []
    assert lines and lines[-1] == "whole", "the oracle was cut off"
    known = json.loads((folder / "names").read_text())
    names = {0: "the monitor", NOBODY: "somebody", **dict(enumerate(known["partitions"], 1))}
    checked, faults = {}, []
    for line in lines[:-1]:
        kind, owner, *rest = line.split()
        if kind == "checked":
            checked[names[int(owner)]] = sum(map(int, rest))
        else:
            place, virtual, instruction, times = (int(each, 0) for each in rest[1:])
            of = _whose(known["extents"], place)
            faults.append(Fault(names[int(owner)], rest[0], place, virtual, instruction, times, of))
    return Verdict(checked, faults)


def _whose(extents: list[dict[str, Any]], place: int) -> str:
    for extent in extents:
        if extent["start"] <= place < extent["start"] + extent["size"] and extent["kind"] not in (
            "free",
            "not planned",
        ):
            return f"the {extent['kind']} '{extent['name']}'" + (f" of {extent['owner']}" if extent["owner"] else "")
    return "nobody's"

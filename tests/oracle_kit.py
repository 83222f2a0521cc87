# SPDX-License-Identifier: Apache-2.0
"""Rules for the isolation oracle (oracle/oracle.c) from an image's own database, and what it found.

A partition may access what the rows of its block of descriptors name, and the pages that everybody has; the rest of
memory not. Page tables are not asked: they are what is checked. Ring 0 may not access what is a partition's alone.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from parclose import dwarf, elf
from parclose.constants import constants
from parclose.inspect import database, physical
from parclose.inspect.database import Database, Row
from parclose.pipeline import BuildResult
from parclose.place import align_up
from parclose.planned import ExtentKind, Plan

HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "oracle"
NOBODY = 0xFF
_GDT, _FRAME = 64, 48  # bytes: the descriptors that the monitor has; error code, RIP, CS, RFLAGS, RSP, SS
NEVER_RING_0 = (ExtentKind.PARTITION, ExtentKind.CHANNEL, ExtentKind.REGION, ExtentKind.CONFIG)
KINDS = {"r": "reads", "w": "writes", "x": "executes"}


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


def arguments(built: BuildResult, image: Path, folder: Path) -> tuple[str, ...]:
    """QEMU's further arguments for a run of `image` under the oracle, which leaves its findings in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules").write_text("\n".join(rules(built, image)) + "\n")
    (folder / "found").unlink(missing_ok=True)
    entry = elf.read_file(image).entry
    return "-plugin", f"{plugin()},rules={folder / 'rules'},out={folder / 'found'},entry={entry:#x}"


def rules(built: BuildResult, image: Path) -> Iterator[str]:
    """The rules for `image`, in the plugin's format."""
    found = database.read(physical.load(image), dwarf.layouts())
    yield from _ring_0(built.plan)
    for index, row in enumerate(found.tables["partitions"]):
        owner = 1 + index
        for _, descriptor in found.descriptors(row):
            yield from _descriptor(owner, descriptor, found, built)
        yield from _own_pages(owner, row["name"], built.plan)
        yield from _implied(owner, row["name"], built)


def _ring_0(plan: Plan) -> Iterator[str]:
    page = constants()["PAGE_SIZE"]
    for segment in plan.monitor.segments:
        if segment.execute:
            start = segment.physical & -page
            yield f"text 0 {start:x} {align_up(segment.physical + segment.memory_size, page) - start:x}"
    for extent in plan.extents:
        if extent.kind in NEVER_RING_0:
            yield f"forbid {extent.physical:x} {extent.size:x}"


def _descriptor(owner: int, row: Row, found: Database, built: BuildResult) -> Iterator[str]:
    layouts = dwarf.layouts()
    kind, target = row["resource"], row["target"]
    if kind == layouts.number("RESOURCE_REGION"):
        region = found.tables["regions"][target]
        rights = "r" + "w" * bool(row["rights"] & constants()["RIGHT_WRITE"])
        yield f"allow {owner} {region['physical']:x} {region['size']:x} {rights}"
        if row["rights"] & constants()["RIGHT_EXECUTE"]:
            yield f"text {owner} {region['physical']:x} {region['size']:x}"
    elif kind == layouts.number("RESOURCE_CHANNEL"):
        channel = found.tables["channels"][target]
        yield f"allow {owner} {channel['physical']:x} {channel['size']:x} rw"
    else:
        yield from _device(owner, target, found, built.plan)


def _device(owner: int, target: int, found: Database, plan: Plan) -> Iterator[str]:
    """Its registers but for the pages of its MSI-X table, which are the monitor's."""
    page = constants()["PAGE_SIZE"]
    msix = plan.devices[target].device.msix
    for _, bar in found.bars(found.tables["devices"][target]):
        if bar["kind"] == dwarf.layouts().number("BAR_PORTS"):
            continue
        start, end = bar["address"], bar["address"] + align_up(bar["size"], page)
        table = (end, end)
        if msix is not None and msix.bar == bar["index"]:
            first = start + msix.table & -page
            table = (first, align_up(start + msix.table + 16 * msix.entries, page))
        for low, high in ((start, table[0]), (table[1], end)):
            if high > low:
                yield f"allow {owner} {low:x} {high - low:x} rw"


def _own_pages(owner: int, name: str, plan: Plan) -> Iterator[str]:
    """What a partition has besides its descriptors: its pages at fixed addresses, its configuration, the clock."""
    page, own = constants()["PAGE_SIZE"], plan.partition(name)
    yield f"allow {owner} {own.descriptor_page:x} {own.descriptor_pages * page:x} r"
    yield f"allow {owner} {own.call_page:x} {page:x} rw"
    yield f"allow {owner} {plan.clock_page & -page:x} {page:x} r"
    for config in plan.configs:
        if config.partition == own.index:
            yield f"allow {owner} {config.physical:x} {align_up(max(len(config.content), 1), page):x} r"
    if own.index == 0:
        yield f"allow {owner} {constants()['DATABASE_PHYSICAL']:x} {constants()['DATABASE_SIZE']:x} r"


def _implied(owner: int, name: str, built: BuildResult) -> Iterator[str]:
    """What the processor does on its own at an interrupt or an exception (Intel SDM 3A, 6.12 and 6.14), and at a port
    (SDM 1, 19.5.2): reads gate, segment, stack pointer and bitmap, and writes its frame."""
    known, plan = constants(), built.plan
    own, page = plan.partition(name), known["PAGE_SIZE"]
    monitor = built.image.parent / "monitor.elf"
    idt = next(each for each in elf.symbols(monitor.read_bytes()) if each.name == "idt")
    for virtual, size in ((idt.value, idt.size), (known["LOCAL_CPU"], _GDT), (known["LOCAL_TSS"], known["TSS_SIZE"])):
        yield f"implied {owner} {plan.monitor.physical(virtual):x} {size:x} r"
    if own.bitmap is not None:
        yield f"implied {owner} {own.bitmap:x} {2 * page:x} r"
    yield f"implied {owner} {plan.ones:x} {page:x} r"
    yield f"implied {owner} {own.context + page - _FRAME:x} {_FRAME:x} w"
    for stack in ("DF", "NMI", "MC", "DB"):
        top = plan.monitor.physical(known[f"LOCAL_STACK_{stack}_TOP"] - page)
        assert top is not None
        yield f"implied {owner} {top + page - _FRAME:x} {_FRAME:x} w"


def verdict(built: BuildResult, folder: Path) -> Verdict:
    """What the oracle left in `folder`. Raises `AssertionError` unless it is whole."""
    lines = (folder / "found").read_text().splitlines()
    assert lines and lines[-1] == "whole", "the oracle was cut off"
    names = {0: "the monitor", NOBODY: "somebody"}
    names |= {1 + each.index: each.partition.name for each in built.plan.partitions}
    checked, faults = {}, []
    for line in lines[:-1]:
        kind, owner, *rest = line.split()
        if kind == "checked":
            checked[names[int(owner)]] = sum(map(int, rest))
        else:
            place, virtual, instruction, times = (int(each, 0) for each in rest[1:])
            name, of = names[int(owner)], _whose(built.plan, place)
            faults.append(Fault(name, rest[0], place, virtual, instruction, times, of))
    return Verdict(checked, faults)


def _whose(plan: Plan, place: int) -> str:
    for extent in plan.extents:
        if extent.physical <= place < extent.end:
            return f"the {extent.kind.value} '{extent.name}'" + (f" of {extent.owner}" if extent.owner else "")
    return "nobody's"

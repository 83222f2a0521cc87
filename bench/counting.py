# SPDX-License-Identifier: Apache-2.0
"""Counts executed instructions with the plugin in counter.c, and says whose they are."""

from __future__ import annotations

import bisect
import subprocess
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import guest
from bench.guest import HERE, ICOUNT, Image, NotMeasured, Run, run
from parclose import elf
from parclose.constants import constants

BOOT = 0  # the mark of the count from the image's first instruction to `until`
SWITCH = 15  # the mark of the counts from one partition to another
ENTER = 14  # the mark of the counts that a guest begins and the first instruction of a partition ends


@dataclass(frozen=True)
class Place:
    """One instruction, and how often it was executed between the two marks."""

    mark: int
    physical: int
    virtual: int
    times: int


@dataclass(frozen=True)
class Counts:
    """`totals`: instructions of each count, by mark, in the order in which they were made.

    `watched`: those of them that stand at watched addresses. `stored`: stores to watched memory between the same marks.
    """

    totals: Mapping[int, Sequence[int]]
    places: Sequence[Place]
    watched: Mapping[int, Sequence[int]] = field(default_factory=dict)
    stored: Mapping[int, Sequence[int]] = field(default_factory=dict)


def plugin() -> Path:
    """Compile the plugin. Raises `NotMeasured` with the compiler's message."""
    guest.OUT.mkdir(parents=True, exist_ok=True)
    made = guest.OUT / "counter.so"
    words = ["gcc", "-std=c17", "-O2", "-shared", "-fPIC", "-o", str(made), str(HERE / "counter.c")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise NotMeasured(f"the counting plugin does not compile: {done.stderr}")
    return made


def count(
    image: Image,
    *options: str,
    extra: Sequence[str] = ICOUNT,
    disks: Mapping[str, Path] | None = None,
    any_end: bool = False,
    networks: Mapping[str, str] | None = None,
) -> tuple[Run, Counts]:
    """Run `image` under the plugin; `options` are further arguments of the plugin, see counter.c.

    Raises `NotMeasured` as `run` does, and where the plugin wrote nothing.
    """
    entry = elf.read_file(image.build.image).entry
    out = image.folder / "run" / "counts"
    out.unlink(missing_ok=True)
    words = [str(plugin()), f"out={out}", f"entry={entry:#x}", *options]
    done = run(image, (*extra, "-plugin", ",".join(words)), disks, any_end, networks)
    try:
        return done, parse(out.read_text())
    except OSError as missing:
        raise NotMeasured(f"{image.name}: the counting plugin left nothing") from missing


def way(image: Image, source: str, target: str) -> tuple[str, str]:
    """The plugin's options that count every switch from partition `source` to `target`."""
    extents = {}
    for partition in image.build.plan.partitions:
        text = [segment for segment in partition.program.segments if segment.execute]
        start = partition.physical + text[0].virtual - constants()["PROGRAM_ADDRESS"]
        extents[partition.partition.name] = f"{start:#x}:{text[0].memory_size:#x}"
    return f"from={extents[source]}", f"to={extents[target]}"


def entered(image: Image, name: str) -> str:
    """The plugin's option that ends a count of mark ENTER at the first instruction of partition `name`."""
    for partition in image.build.plan.partitions:
        if partition.partition.name == name:
            return f"enter={partition.physical + partition.program.entry - constants()['PROGRAM_ADDRESS']:#x}"
    raise NotMeasured(f"{image.name} has no partition {name}")


def registers(image: Image, name: str) -> str:
    """The plugin's option that counts stores to the registers of device `name`."""
    for device in image.build.plan.devices:
        if device.device.name == name:
            places = [(bar.virtual, bar.virtual + bar.bar.size) for bar in device.bars if bar.virtual]
            start = min(low for low, _ in places)
            return f"stores={start:#x}:{max(high for _, high in places) - start:#x}"
    raise NotMeasured(f"{image.name} has no device {name}")


def interrupts(image: Image) -> str:
    """The plugin's option that counts the interrupts of devices: where the monitor takes one."""
    for symbol in elf.symbols((image.folder / "monitor.elf").read_bytes()):
        if symbol.name == "take":
            return f"watch={symbol.value:#x}"
    raise NotMeasured("the monitor has no function take")


def parse(text: str) -> Counts:
    """The plugin's file. Raises `NotMeasured` unless it is whole."""
    lines = text.splitlines()
    if not lines or lines[-1] != "whole":
        raise NotMeasured("the counting plugin's file is not whole")
    totals: dict[int, list[int]] = defaultdict(list)
    watched: dict[int, list[int]] = defaultdict(list)
    stored: dict[int, list[int]] = defaultdict(list)
    places = []
    for line in lines[:-1]:
        kind, mark, *values = line.split()
        if kind == "count":
            totals[int(mark)].append(int(values[0]))
            watched[int(mark)].append(int(values[1]))
            stored[int(mark)].append(int(values[2]))
        else:
            places.append(Place(int(mark), int(values[0], 0), int(values[1], 0), int(values[2])))
    return Counts(dict(totals), places, dict(watched), dict(stored))


class Owners:
    """Whose an instruction is: the monitor's or a partition's, by its physical address, and in which function."""

    def __init__(self, image: Image) -> None:
        plan = image.build.plan
        base = constants()["PROGRAM_ADDRESS"]
        monitor = (image.folder / "monitor.elf").read_bytes()
        self._sides: list[tuple[int, int, str, Functions]] = [
            (constants()["MONITOR_PHYSICAL"], constants()["MONITOR_SIZE"], "monitor", Functions(monitor))
        ]
        for partition in plan.partitions:
            name = partition.partition.name
            program = (image.folder / "partitions" / f"{name}.elf").read_bytes()
            size = max(segment.end for segment in partition.program.segments) - base
            self._sides.append((partition.physical, size, name, Functions(program)))

    def of(self, place: Place) -> tuple[str, str]:
        """Side and function of an instruction; ("?", address) for one that is nobody's."""
        for start, size, name, functions in self._sides:
            if start <= place.physical < start + size:
                return name, functions.at(place.virtual)
        return "?", f"{place.physical:#x}"

    def file(self, image: Image, side: str) -> Path:
        """The program file of a side."""
        return image.folder / "monitor.elf" if side == "monitor" else image.folder / "partitions" / f"{side}.elf"


class Functions:
    """The functions of a program file, by virtual address."""

    def __init__(self, program: bytes) -> None:
        found = {symbol.value: symbol.name for symbol in elf.symbols(program) if symbol.section in (".text", ".boot")}
        self._starts = sorted(found)
        self._names = [found[start] for start in self._starts]

    def at(self, virtual: int) -> str:
        """The name of the last symbol at or before `virtual`."""
        place = bisect.bisect_right(self._starts, virtual) - 1
        return self._names[place] if place >= 0 else f"{virtual:#x}"

# SPDX-License-Identifier: Apache-2.0
"""Where the instructions go: `python -m bench.profile switch|round-trip|convert|boot|block-4k|…`.

Runs the benchmark's image under the counting plugin and prints, for one operation on average, the instructions of each
side and of each function. With --lines each function's source lines follow, inlined ones under their own name; with
--code the disassembly with the count beside each instruction.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.counting import BOOT, ENTER, SWITCH, Counts, Owners, Place, count, entered, way
from bench.disk import REQUESTS, ROUNDS, disk
from bench.guest import LINE, Image, NotMeasured, build, build_guests
from bench.wire import FRAMES, Mirror
from parclose.constants import constants


@dataclass(frozen=True)
class Subject:
    """What can be profiled: a layout, the mark of its counts, and how many operations stand between the marks.

    `operations` 0: each count is one operation. `disk`: the device that gets the disk of bench/disk.py.
    """

    layout: str
    mark: int
    operations: int = 0
    file: str = "layout.yaml"
    disk: str = ""


SUBJECTS = {
    "switch": Subject("switch", SWITCH),
    "switch-io": Subject("switch", SWITCH, file="io_first.yaml"),
    "poll": Subject("calls", 1, 2000),
    "no-call": Subject("calls", 2, 2000),
    "round-trip": Subject("calls", 3, 2000),
    "convert": Subject("convert", 1),
    "boot": Subject("", BOOT),
    "restart": Subject("restart", ENTER),
    "block-4k": Subject("block", 1, ROUNDS * REQUESTS, disk="nvme0"),
    "block-4k-deep": Subject("block", 2, ROUNDS * REQUESTS, disk="nvme0"),
    "block-1m": Subject("block", 1, ROUNDS * 16, file="large.yaml", disk="nvme0"),
    "block-1m-alone": Subject("block", 1, ROUNDS * 16, file="alone.yaml", disk="nvme0"),
    "block-4k-ahci": Subject("block", 2, ROUNDS * REQUESTS, file="ahci.yaml", disk="ahci0"),
    "block-4k-virtio": Subject("block", 2, ROUNDS * REQUESTS, file="virtio.yaml", disk="vblk0"),
    "net-64": Subject("network", 1, ROUNDS * FRAMES),
    "net-1500": Subject("network", 2, ROUNDS * FRAMES),
    "net-local-1500": Subject("network", 3, ROUNDS * FRAMES, "local.yaml"),
}


@dataclass(frozen=True)
class Profile:
    """Instructions of one operation: `functions` by (side, function), and the places they were counted at."""

    image: Image
    owners: Owners
    operations: int
    functions: dict[tuple[str, str], float]
    places: list[Place]

    def sides(self) -> dict[str, float]:
        """Instructions of each side."""
        found: dict[str, float] = defaultdict(float)
        for (side, _), times in self.functions.items():
            found[side] += times
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def summary(self, most: int = 8) -> str:
        """One line: the sides, and the functions with the most."""
        top = sorted(self.functions.items(), key=lambda item: -item[1])[:most]
        sides = ", ".join(f"{side} {times:,.0f}" for side, times in self.sides().items())
        return f"{sides}; most in " + ", ".join(f"{side}:{name} {times:,.0f}" for (side, name), times in top)


def measure(name: str) -> Profile:
    """Run the subject `name` and count. Raises `NotMeasured`."""
    subject = SUBJECTS[name]
    image = build_guests(subject.layout, subject.file) if subject.layout else build(LINE)
    if subject.disk:
        _, counts = count(image, extra=(), disks={subject.disk: disk()})
    elif subject.layout == "network":
        with Mirror() as mirror:
            card = {"nic0": mirror.netdev} if subject.file == "layout.yaml" else {}
            _, counts = count(image, extra=(), networks=card)
    elif subject.mark == SWITCH:
        _, counts = count(image, *way(image, "first", "second"))
    elif subject.mark == ENTER:
        _, counts = count(image, entered(image, "faulter"), any_end=True)
    else:
        _, counts = count(image, f"until={constants()['PROGRAM_ADDRESS']:#x}", any_end=subject.mark == BOOT)
    return profile(image, subject, counts)


def where(name: str) -> Callable[[], str]:
    """What says, when it is asked, where the instructions of the subject `name` go: in one line."""
    return lambda: measure(name).summary()


def profile(image: Image, subject: Subject, counts: Counts) -> Profile:
    """Whose the instructions between the subject's marks are, divided by its operations."""
    owners = Owners(image)
    places = [place for place in counts.places if place.mark == subject.mark]
    owned = [(owners.of(place), place) for place in places]
    operations = subject.operations or len(counts.totals.get(subject.mark, ()))
    if not operations:
        raise NotMeasured(f"{image.name}: nothing was counted")
    functions: dict[tuple[str, str], float] = defaultdict(float)
    for owner, place in owned:
        functions[owner] += place.times / operations
    return Profile(image, owners, operations, dict(functions), places)


def table(found: Profile) -> str:
    """Sides and functions, the most first."""
    lines = [f"{'instructions':>14}  of one operation, the mean of {found.operations:,}"]
    for side, times in found.sides().items():
        lines.append(f"{times:14,.1f}  {side}")
        own = [(name, value) for (of, name), value in found.functions.items() if of == side]
        lines += [
            f"{value:14,.1f}    {name}" for name, value in sorted(own, key=lambda item: -item[1]) if value >= 0.05
        ]
    return "\n".join(lines)


def by_line(found: Profile, side: str) -> str:
    """Instructions of each source line of a side, with what was inlined there (addr2line -i)."""
    places = [place for place in found.places if found.owners.of(place)[0] == side]
    program = found.owners.file(found.image, side)
    words = ["addr2line", "-i", "-f", "-a", "-e", str(program), *(hex(place.virtual) for place in places)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    chains = re.split(r"^0x[0-9a-f]+\n", done.stdout, flags=re.MULTILINE)[1:]
    lines: dict[str, float] = defaultdict(float)
    for place, chain in zip(places, chains, strict=True):
        words = chain.splitlines()
        where = " < ".join(f"{words[i]} {Path(words[i + 1].split(' ')[0]).name}" for i in range(0, len(words), 2))
        lines[where] += place.times / found.operations
    ordered = sorted(lines.items(), key=lambda item: -item[1])
    return "\n".join(f"{times:14,.1f}    {where}" for where, times in ordered if times >= 0.05)


def code(found: Profile, side: str) -> str:
    """The disassembly of what was executed, each instruction with its count."""
    times = {place.virtual: place.times for place in found.places if found.owners.of(place)[0] == side}
    program = found.owners.file(found.image, side)
    done = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", str(program)], capture_output=True, text=True, check=True, timeout=60
    )
    return "\n".join(_with_counts(done.stdout.splitlines(), times, found.operations))


def _with_counts(lines: Iterable[str], times: dict[int, int], operations: int) -> Iterable[str]:
    name = ""
    for line in lines:
        start = re.match(r"([0-9a-f]+) <(.+)>:", line)
        if start:
            name = f"\n{start[2]}:"
        here = re.match(r"\s*([0-9a-f]+):\t(.*)", line)
        if here and int(here[1], 16) in times:
            if name:
                yield name
                name = ""
            yield f"{times[int(here[1], 16)] / operations:14,.2f}    {here[2]}"


DETAILS: dict[str, Callable[[Profile, str], str]] = {"lines": by_line, "code": code}


def main() -> int:
    """Print a profile."""
    parser = argparse.ArgumentParser(prog="bench.profile", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("subject", choices=sorted(SUBJECTS))
    parser.add_argument("--lines", metavar="SIDE", help="source lines of a side (monitor, io, …)")
    parser.add_argument("--code", metavar="SIDE", help="disassembly of a side with counts")
    options = parser.parse_args()
    try:
        found = measure(options.subject)
    except NotMeasured as reason:
        print(f"not measured: {reason}", file=sys.stderr)
        return 1
    print(table(found))
    for name, show in DETAILS.items():
        if getattr(options, name):
            print(f"\n{show(found, getattr(options, name))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

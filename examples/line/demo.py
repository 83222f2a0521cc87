#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`make demo`: builds this example, boots it, explains what happens, and compares the disk with what was meant.

Uses nothing of the tool but its command line. Exit 0 only when everything was as it should be.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OUT = Path("build", "line")
PARCLOSE = str(ROOT / ".venv" / "bin" / "parclose")

# What record.h says: records of 4 KiB, each 128 lines of 32 bytes, from the start of the writer's extent.
RECORDS, RECORD_SIZE, LINE_SIZE = 64, 4096, 32
EXTENTS = {"sensor": 0, "logger": 8 << 20}
PAGE_FAULT = 14
# The machine's clock counts its instructions, so that whatever else this computer does costs nobody a turn. Idle time
# passes at once, so the guests' patience with the disk (5 s on that clock) is a third of a second here; enough so far.
COUNTED_TIME = ("-icount", "shift=0,sleep=off")
LIVES = 3  # of the intruder: its layout allows two restarts


def main() -> int:
    """The demo, a chapter a line."""
    print("Parclose: three guests that share one disk and one serial line, and cannot harm each other")
    explain_layout()
    build()
    show_memory()
    document, console = boot()
    wrong = [*check_ends(document), *check_turns(console), *check_disk(OUT / "disks" / "nvme0.img")]
    for line in wrong:
        print(f"   WRONG: {line}")
    print("\nEverything was as it should be." if not wrong else f"\n{len(wrong)} things were not as they should be.")
    return 1 if wrong else 0


def chapter(title: str, text: str) -> None:
    """A heading, and what the reader is about to see."""
    print(f"\n-- {title} {'-' * (76 - len(title))}")
    print(textwrap.indent(textwrap.dedent(text).strip(), "   ") + "\n")


def explain_layout() -> None:
    """Who is who."""
    chapter(
        "The layout",
        f"""
        {HERE.relative_to(ROOT)}/layout.yaml divides one machine into partitions, each with its own memory and its
        own turns on the processor:
          io        owns the NVMe disk and the serial port, and serves the others over channels
          sensor    writes records to its part of the disk, reads them back, tells the logger of each
          logger    hears of each record and keeps one of its own, on its own part of the same disk
          intruder  tries to read a neighbour's memory, the logger's, again and again
        Two more are always there: the monitor, the only code in ring 0, and the manager, which starts
        the others, watches them and starts them again.
        """,
    )


def build() -> None:
    """Build the image, or leave with the tool's own exit code."""
    begun = time.monotonic()
    done = subprocess.run(
        [PARCLOSE, "build", str(HERE / "layout.yaml"), "-o", str(OUT)], text=True, capture_output=True
    )
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        sys.exit(done.returncode)
    print(f"   built {done.stdout.strip()} in {time.monotonic() - begun:.1f} s")


def show_memory() -> None:
    """The map that the builder wrote into the report."""
    chapter(
        "The memory map",
        """
        Everything is placed before boot, and the page tables stand finished in the image: the monitor
        only loads them. What no partition may touch is in no table of its own.
        """,
    )
    report = (OUT / "report.txt").read_text().split("\nMemory\n")[1].split("\n\n")[0]
    print("\n".join(f"   {line}" for line in report.splitlines()))


def boot() -> tuple[dict[str, Any], str]:
    """Boot in QEMU, show the console as it comes, and return how the run ended and what the console showed."""
    chapter(
        "The run",
        """
        All that follows comes over the one serial line; the I/O partition puts the name of its writer
        before each line, so nobody can speak in another's name. Watch the intruder: it is stopped at the
        first byte, the manager notes where and starts it again, until its layout says that this is enough.
        The others go on, count their turns meanwhile, and have missed none.
        """,
    )
    words = [PARCLOSE, "run", str(OUT), "--fresh", "--json", "--timeout", "60", "--", *COUNTED_TIME]
    running = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None and running.stderr is not None
    console = ""
    for line in running.stderr:
        console += line
        if line.startswith("run: "):  # not from the machine: there, each line starts with its writer's name
            chapter("How they ended", "By the manager's report, which goes to a port that no guest can write to:")
        print(f"   | {line}", end="", flush=True)
    document: dict[str, Any] = json.loads(running.stdout.read() or "{}")
    running.wait()
    return document, console


def check_ends(document: dict[str, Any]) -> Iterator[str]:
    """What is wrong with how the partitions ended."""
    ends = {end["partition"]: end for end in document.get("partitions", [])}
    if document.get("cause") != "ended":
        yield f"the run did not end by the manager's report but by: {document.get('cause', 'an error')}"
    for name in EXTENTS:
        if ends.get(name, {}).get("status") != 0:
            yield f"{name} did not end with 0"
    if ends.get("io", {}).get("state") != "running":
        yield "io is not running"
    yield from _check_intruder(ends.get("intruder", {}))


def _check_intruder(end: dict[str, Any]) -> Iterator[str]:
    last = end.get("last", {})
    if end.get("state") != "stopped" or last.get("vector") != PAGE_FAULT:
        yield "the intruder was not stopped by a page fault"
    elif end["lives"] != LIVES:
        yield f"the intruder had {end['lives']} lives, not {LIVES}"


def check_turns(console: str) -> Iterator[str]:
    """What is wrong with the turns of the others, by their own count."""
    for name in EXTENTS:
        found = re.search(rf"^{name}\| \d+ turns, .*: (\d+) missed", console, re.MULTILINE)
        if found is None or found.group(1) != "0":
            yield f"{name} {'did not count its turns' if found is None else f'missed {found.group(1)} turns'}"


def check_disk(disk: Path) -> Iterator[str]:
    """What is wrong with the bytes in the file that was the machine's disk."""
    chapter(
        "The disk",
        """
        The disk was a file of this machine, so what the guests wrote can be compared with what they were
        to write: 64 records each, in their own parts, and not one byte anywhere else.
        """,
    )
    data = disk.read_bytes()
    meant = bytearray(len(data))
    for name, start in EXTENTS.items():
        records = b"".join(record(name, number) for number in range(RECORDS))
        meant[start : start + len(records)] = records
        same = data[start : start + len(records)] == records
        print(f"   {name:<9} {len(records) // 1024} KiB at {start:#x}: {'as meant' if same else 'NOT as meant'}")
    if data != meant:
        at = next(place for place, (found, wanted) in enumerate(zip(data, meant, strict=True)) if found != wanted)
        yield f"byte {at:#x} of {disk} is {data[at]:#04x}, not {meant[at]:#04x}"
    else:
        print(f"   the rest  {len(data) // (1 << 20)} MiB in all: nothing else was written")


def record(writer: str, number: int) -> bytes:
    """A record as record.h makes it."""
    line = f"{writer:<8} record {number:06d} ........\n".encode()
    assert len(line) == LINE_SIZE
    return line * (RECORD_SIZE // LINE_SIZE)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # nobody reads on; what is still buffered goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)

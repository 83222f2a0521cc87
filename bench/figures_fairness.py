# SPDX-License-Identifier: Apache-2.0
"""What a greedy client of a disk leaves to the others, and how long their requests wait at the worst.

The server that is in the image, on the host, against a model of a disk that answers in order: time is counted in steps
of the disk, so that no host's load is in the figures (tests/host/io_block_fairness.c).
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench import guest
from bench.figure import Figure, Measure
from bench.guest import NotMeasured

ROOT = Path(__file__).parent.parent
HOST, IO, RUNTIME = ROOT / "tests" / "host", ROOT / "partitions" / "io", ROOT / "partitions" / "runtime"
_FLAGS = ("-std=c17", "-D_GNU_SOURCE", "-DPARCLOSE_HOST", "-O1", "-DMODEL_CHANNELS=32u")
_FOLDERS = (IO, IO / "drivers", RUNTIME, ROOT / "abi", HOST)
CASES = 15  # 2, 8 and 32 clients, each with one that is modest as the rest, deep, tiny, big, and signals


@dataclass(frozen=True)
class Case:
    """So many clients, what the greedy one does, the least share of a modest one, and its longest wait in rounds."""

    clients: int
    greedy: str
    share: float
    wait: float


def fairness_share() -> list[Figure]:
    """The least share, and the longest wait, of all cases."""
    cases = measured()
    shares = ", ".join(f"{each.clients} {each.greedy} {each.share:.3f}" for each in cases)
    waits = ", ".join(f"{each.clients} {each.greedy} {each.wait:.2f}" for each in cases)
    how = (
        "one greedy client (42 reads of 4 KiB, of 512 bytes, of 256 KiB under way, a flood of signals) and modest ones "
        "with 16 reads of 4 KiB, on the host against a model of a disk (host/io_block_fairness.c)"
    )
    share = Figure(
        "fairness-worst-share",
        min(each.share for each in cases),
        "of its share",
        0.9,
        f"what the modest client with the least gets of its equal share of all that the disk did: {how}; {shares}",
        len(cases),
        more_is_better=True,
    )
    wait = Figure(
        "flood-worst-wait",
        max(each.wait for each in cases),
        "rounds",
        2,
        "the longest that a modest client's request takes, in rounds: the time in which the disk does what all of them "
        f"have under way when none is greedy; {how}; {waits}",
        len(cases),
    )
    return [share, wait]


def measured() -> list[Case]:
    """Compile the program and run it. Raises `NotMeasured`."""
    guest.OUT.mkdir(parents=True, exist_ok=True)
    program = guest.OUT / "fairness-on-host"
    models = [HOST / f"io_{name}.c" for name in ("block_fairness", "block_model", "monitor_model")]
    sources = [*models, *sorted((IO / "server").glob("block_*.c")), RUNTIME / "virtqueue.c", RUNTIME / "session.c"]
    folders = [word for folder in _FOLDERS for word in ("-iquote", str(folder))]
    made = subprocess.run(
        ["gcc", *_FLAGS, *folders, *map(str, sources), "-o", str(program)], capture_output=True, text=True, timeout=120
    )
    if made.returncode:
        raise NotMeasured(f"fairness-worst-share: {made.stderr}")
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=120)
    cases = parse(done.stdout)
    if done.returncode or len(cases) != CASES:
        raise NotMeasured(f"fairness-worst-share: {len(cases)} cases, exit {done.returncode}: {done.stderr}")
    return cases


def parse(text: str) -> list[Case]:
    """The cases that the program printed: one a line, after `ok`."""
    rows = [line.split() for line in text.splitlines()[1:]]
    return [Case(int(clients), greedy, float(share), float(wait)) for clients, greedy, share, wait in rows]


FIGURES: list[Measure] = [fairness_share]

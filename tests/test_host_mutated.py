# SPDX-License-Identifier: Apache-2.0
"""Mutated rings against the servers of the I/O partition, on the host, under sanitizers (tests/host/io_mutate.h).

The seed comes from the commit. `make soak` goes on for a million rings of each class, with another seed.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from chance import seed
from test_host_io import BLOCK, CONSOLE, FLAGS, HOST, NETWORK, RUNTIME

RINGS = 20_000
SOAK_RINGS = 1_000_000
TRIES = 12  # seeds for a hole
SECONDS = 60.0  # for what takes one or two on a machine that does nothing else

# Each load of the servers is a call that the attacker sees first.
READS = ("__asan_load1", "__asan_load2", "__asan_load4", "__asan_load8", "__asan_load16", "__asan_loadN", "memcpy")
STOPPED = (
    "--param",
    "asan-instrumentation-with-call-threshold=0",
    *(f"-Wl,--wrap={name}" for name in READS),
)
CLASSES = {
    "block": BLOCK,
    "network": NETWORK,
    "console": CONSOLE,
}


# Holes in the rings that each class stands on: an index without its mask, and one that is judged and then read again.
HOLES = {
    "unmasked": (("read_once(&table[index & MASK])", "read_once(&table[index])"),),
    "read twice": (
        ("read_once(&table[index & MASK])", "read_once(&table[index == chain->head ? index : index & MASK])"),
        (
            "chain->head = (uint16_t)(head & MASK)",
            "chain->head = head < QUEUE_SIZE ? avail->ring[(device->available - 1) & MASK] : 0",
        ),
    ),
}


def plant(hole: str, folder: Path) -> Path:
    """The rings with a hole."""
    text = (RUNTIME / "virtqueue.c").read_text()
    for right, wrong in HOLES[hole]:
        assert text.count(right) == 1, right
        text = text.replace(right, wrong)
    path = folder / "holed.c"
    path.write_text(text)
    return path


def build(name: str, folder: Path, rings: Path = RUNTIME / "virtqueue.c") -> Path:
    """The attacking program of a class, over these rings."""
    program = folder / f"io_{name}_mutated"
    parts = [rings if part.name == "virtqueue.c" else part for part in CLASSES[name]]
    sources = [HOST / f"io_{name}_mutated.c", HOST / "io_mutate.c", *parts]
    words = ["gcc", *FLAGS, *STOPPED, *sources, "-o", program]
    made = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr
    return program


def attack(program: Path, number: int, rings: int, seconds: float) -> str:
    """What the program prints of so many rings from the seed `number`, which all end well in `seconds`."""
    print(f"{program.name} {number:#x} {rings}")
    words = [program, f"{number:#x}", str(rings)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    return done.stdout


def refusals(table: str) -> list[int]:
    """How often each rule refused: the lines of the table after `served`."""
    return [int(count) for _, count in re.findall(r"^  (\w[\w ]*?) +(\d+)$", table, re.MULTILINE)][1:]


@pytest.mark.parametrize("name", CLASSES)
def test_mutated_rings(name: str, tmp_path: Path) -> None:
    table = attack(build(name, tmp_path), seed(), RINGS, SECONDS)
    assert table.startswith(f"ok: {name}: {RINGS} rings")
    counts = refusals(table)
    assert len(counts) >= 5 and 2 * max(counts) <= sum(counts)


@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_is_found(hole: str, tmp_path: Path) -> None:
    """By one of some seeds: the attacker has to write between two reads of one index, and outside the ring."""
    program = build("block", tmp_path, plant(hole, tmp_path))
    for number in range(seed(), seed() + TRIES):
        words = [program, f"{number:#x}", str(RINGS)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS)
        if done.returncode != 0:
            break
    assert done.returncode != 0 and "AddressSanitizer" in done.stderr and "holed.c" in done.stderr


@pytest.mark.soak
@pytest.mark.parametrize("name", CLASSES)
def test_a_million_mutated_rings(name: str, tmp_path: Path) -> None:
    table = attack(build(name, tmp_path), seed() + 1, SOAK_RINGS, 3600)
    assert table.startswith(f"ok: {name}: {SOAK_RINGS} rings")

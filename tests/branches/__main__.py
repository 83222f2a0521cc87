# SPDX-License-Identifier: Apache-2.0
"""Branch coverage of the monitor: system tests in QEMU with the plugin branches.c, then what went only one way.

A branch is a conditional jump of the machine code: what the compiler turned into CMOV or SETcc is not counted, and a
function counts wherever it was inlined. The code before the monitor's own tables (.boot) is left out.
Exit 1: a test failed, or a line that is not covered has no reason in `monitor_asm/coverage.md`.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from parclose import elf, emulator, pipeline

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
OUT = ROOT / "build" / "coverage"
REASONS = ROOT / "monitor_asm" / "coverage.md"
GROUPS = (
    *("promises", "runtime", "schedule", "io", "calls_fuzz", "changed_rows", "changed_signal", "monitor_gives_up"),
    *("monitor_attacks", "seal", "disk", "demo", "inspect_image", "events", "bridge", "devices", "io_ahci"),
)

_JUMP = re.compile(r"^\s*([0-9a-f]+):\s+(j[a-z]+)\s", re.MULTILINE)
_ROW = re.compile(r"\| `([^`]+)` \| `([^`]+)` \| `(.+)` \| ([^|]{15,}) \|")
STATES = ("both ways", "one way", "never")


@dataclass(frozen=True)
class Jump:
    """A conditional jump of the monitor: its line in the source, the function that this was inlined into, its ways."""

    file: str
    line: int
    text: str
    function: str
    ways: tuple[int, int]

    @property
    def state(self) -> str:
        """One of STATES."""
        return STATES[2 - sum(way > 0 for way in self.ways)]

    @property
    def key(self) -> tuple[str, str, str]:
        """What a reason is found by; without the number of the line, which changes with lines that precede it."""
        return self.file, self.function, self.text


def main() -> int:
    """Run the tests, print, and say whether all is covered or explained."""
    shutil.rmtree(OUT, ignore_errors=True)
    (OUT / "runs").mkdir(parents=True)
    monitor = pipeline.build(ROOT / "examples/line/layout.yaml", OUT / "line").image.parent / "monitor.elf"
    text = next(part for part in elf.read_file(monitor).segments if part.execute and part.virtual != part.physical)
    environment = prepare(text.virtual, len(text.content))
    words = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "--dist", "worksteal", "-m", "not soak"]
    tests = [str(ROOT / f"tests/test_{group}.py") for group in GROUPS]
    failed = subprocess.run([*words, *sys.argv[1:], *tests], cwd=ROOT, env=environment).returncode
    counts, runs, others = merge(fnv(text.content))
    print(f"\n{runs} runs of the monitor, {others} of builds with something else planted, left out")
    unexplained = show(jumps_of(monitor, counts), reasons())
    return 1 if failed or unexplained or runs == 0 else 0


def prepare(start: int, size: int) -> dict[str, str]:
    """An environment in which QEMU is found with the plugin added, whoever starts it."""
    plugin, programs = OUT / "branches.so", OUT / "bin"
    gcc = ["gcc", "-std=c17", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*gcc, "-o", str(plugin), str(HERE / "branches.c")], check=True)
    programs.mkdir()
    wrapper = programs / emulator.PROGRAM
    option = f"{plugin},out={OUT / 'runs'},text={start:#x}:{size:#x}"
    wrapper.write_text(f"#!/bin/sh\nexec '{shutil.which(emulator.PROGRAM)}' \"$@\" -plugin '{option}'\n")
    wrapper.chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PARCLOSE_REQUIRE_QEMU": "1"}


def fnv(data: bytes) -> int:
    """FNV-1a of 64 bits, as in branches.c."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % (1 << 64)
    return value


def merge(expected: int) -> tuple[Mapping[int, tuple[int, int]], int, int]:
    """The counts of all runs of the code with the hash `expected`, how many these were, and how many others."""
    passed: Counter[int] = Counter()
    taken: Counter[int] = Counter()
    runs = others = 0
    for file in (OUT / "runs").glob("*.run"):
        first, *lines = file.read_text().splitlines()
        if int(first.split()[1], 0) != expected:
            others += 1
            continue
        runs += 1
        for line in lines:
            address, *ways = (int(word, 0) for word in line.split())
            passed[address] += ways[0]
            taken[address] += ways[1]
    return {address: (passed[address], taken[address]) for address in passed | taken}, runs, others


def jumps_of(monitor: Path, counts: Mapping[int, tuple[int, int]]) -> list[Jump]:
    """Every conditional jump of the monitor's code after boot, by place in the source."""
    words = ["objdump", "-d", "--no-show-raw-insn", "-j", ".text", str(monitor)]
    code = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    addresses = [int(address, 16) for address, name in _JUMP.findall(code) if not name.startswith("jmp")]
    words = ["addr2line", "-i", "-f", "-a", "-e", str(monitor), *map(hex, addresses)]
    places = re.split(r"^0x", subprocess.run(words, check=True, capture_output=True, text=True).stdout, flags=re.M)[1:]
    return sorted((_jump(place, counts) for place in places), key=lambda jump: (jump.file, jump.line, jump.function))


def _jump(place: str, counts: Mapping[int, tuple[int, int]]) -> Jump:
    """From what addr2line says of one address: it, then function and place, from the innermost to the outermost."""
    address, *lines = place.split()
    innermost = next(word for word in lines if ":" in word)
    file, _, line = re.sub(r".*monitor_asm/|.*/(abi/)", r"\1", innermost).partition(":")
    source = ROOT / (file if file.startswith("abi/") else f"monitor_asm/{file}")
    number = int(line) if line.isdecimal() else 0
    text = source.read_text().splitlines()[number - 1].strip() if number and source.is_file() else "?"
    functions = [word for word, after in itertools.pairwise(lines) if ":" in after]
    return Jump(file, number, text, functions[-1], counts.get(int(address, 16), (0, 0)))


def reasons() -> dict[tuple[str, str, str], str]:
    """Why a branch is not taken both ways, by `Jump.key`."""
    rows = _ROW.findall(REASONS.read_text()) if REASONS.exists() else []
    return {(file, function, text.replace("\\|", "|")): reason for file, function, text, reason in rows}


def show(jumps: list[Jump], known: Mapping[tuple[str, str, str], str]) -> int:
    """Print the table and what is not covered; how many of these have no reason."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for jump in jumps:
        table[jump.file][jump.state] += 1
        table["in all"][jump.state] += 1
    print(f"{'file':20}{'branches':>10}" + "".join(f"{state:>12}" for state in STATES))
    for file, states in table.items():
        if file != "in all":
            print(_line(file, states))
    print(_line("in all", table["in all"]))
    open_ones = [jump for jump in jumps if jump.state != STATES[0]]
    for jump in open_ones:
        print(f"{jump.file}:{jump.line} in {jump.function}: {jump.state}: {jump.text}")
        print(f"    {known.get(jump.key, 'NO REASON in monitor_asm/coverage.md')}")
    for key in sorted(known.keys() - {jump.key for jump in open_ones}):
        print("covered now, or gone, so its reason may go: " + " | ".join(key))
    return sum(jump.key not in known for jump in open_ones)


def _line(name: str, states: Counter[str]) -> str:
    return f"{name:20}{states.total():10}" + "".join(f"{states[state]:12}" for state in STATES)


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""Figures that need no machine: how large ring 0 is, how long builds take."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import stages
from bench.figure import Figure, Measure, median
from bench.guest import LINE, NotMeasured, build
from parclose import elf, paths

COLD_BUILDS = 5
LAYOUT_BUILDS = 11
_NOT_CODE = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


def monitor_text() -> Figure:
    """Bytes of ring 0 that are executed or only read: all that the monitor's file loads without the right to write."""
    image = build(LINE)
    monitor = elf.read_file(image.folder / "monitor.elf")
    size = sum(len(segment.content) for segment in monitor.segments if not segment.write)
    between = (
        "file sizes of the monitor's loadable segments without the right to write (boot code, text, read-only data)"
    )
    return Figure("monitor-text", size, "bytes", 24_576, between, peers={"seL4": 79_481, "PRTOS": 128_998})


def monitor_lines() -> Figure:
    """Lines of every file of ours that the compiler reads for ring 0, by its own list of dependencies."""
    files = ring_0_files()
    code = {file: code_lines(file.read_text()) for file in files}
    own = {file: lines for file, lines in code.items() if file.is_relative_to(paths.data())}
    raw = sum(len(file.read_text().splitlines()) for file in own)
    parts = (
        f"{len(own)} files, {raw:,} lines with blank ones and comments; not counted: the compiler's own "
        f"{len(code) - len(own)} headers, {sum(code.values()) - sum(own.values()):,} lines more"
    )
    between = f"lines that hold code, of every file of ours in the compiler's list (gcc -M): {parts}"
    peers, where = {"Muen": 5_932, "PRTOS": 15_223}, f"{parts}; {longest(own)}"
    return Figure("monitor-lines", sum(own.values()), "lines", 2_500, between, peers=peers, where=lambda: where)


def longest(lines: Mapping[Path, int]) -> str:
    """The files with the most lines, in one line."""
    most = sorted(lines.items(), key=lambda item: -item[1])[:12]
    return "most in " + ", ".join(f"{file.name} {number}" for file, number in most)


def ring_0_files() -> list[Path]:
    """Every file that is compiled for ring 0. The linker script is not compiled."""
    folder = paths.data("monitor_asm")
    sources = sorted(path for path in folder.iterdir() if path.suffix in (".c", ".S") and ".ld." not in path.name)
    words = ["gcc", "-M", "-std=c17", "-ffreestanding", f"-I{folder}", f"-I{paths.data('abi')}", *map(str, sources)]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60)
    return files_of(done.stdout)


def files_of(rules: str) -> list[Path]:
    """The files that the rules of `gcc -M` name after their colons, each once."""
    words = re.split(r"(?<!\\)\s+", rules.replace("\\\n", " "))
    return sorted({Path(word.replace("\\ ", " ")).resolve() for word in words if word and word[-1] != ":"})


def code_lines(text: str) -> int:
    """Lines of C or of assembly that hold something other than blanks and comments."""

    def blank(found: re.Match[str]) -> str:
        return found[0] if found[0].startswith('"') else "\n" * found[0].count("\n")

    return sum(bool(line.strip()) for line in _NOT_CODE.sub(blank, text).splitlines())


def build_times() -> list[Figure]:
    """Cold: with an empty cache. Layout: after a change of a partition's memory, which moves what follows it."""
    cold, warm = [], []
    with tempfile.TemporaryDirectory() as place:
        copy = Path(shutil.copytree(LINE.parent, Path(place, "line"))) / LINE.name
        original = copy.read_text()
        for number in range(COLD_BUILDS):
            cold.append(_time(copy, Path(place, "out"), Path(place, f"cache{number}")))
        for number in range(LAYOUT_BUILDS):
            copy.write_text(stages.changed(original, f"{1 + number} MiB"))
            warm.append(_time(copy, Path(place, "out"), Path(place, "cache0")))
    start = "wall time of the process `parclose build examples/line/layout.yaml`"
    return [
        _figure("build-cold", cold, 3.0, f"{start}, nothing cached", stages.cold),
        _figure(
            "build-layout",
            warm,
            0.5,
            f"{start}, all cached but for the layout, in which a memory size changed",
            stages.layout,
        ),
    ]


@dataclass(frozen=True)
class _Time:
    """Seconds of one build: by the wall, and of all processors together."""

    wall: float
    processor: float


def _time(layout: Path, out: Path, cache: Path) -> _Time:
    # -P: a folder "parclose" where we are called is not the tool
    words = [sys.executable, "-P", "-m", "parclose", "build", str(layout), "-o", str(out)]
    begun, before = time.perf_counter(), _children()
    done = subprocess.run(
        words, env={**os.environ, "XDG_CACHE_HOME": str(cache)}, capture_output=True, text=True, timeout=120
    )
    taken = _Time(time.perf_counter() - begun, _children() - before)
    if done.returncode:
        raise NotMeasured(f"the build failed: {done.stderr[-1000:]}")
    return taken


def _children() -> float:
    """Processor seconds of all processes that we started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _figure(name: str, builds: list[_Time], goal: float, between: str, where: Callable[[], str]) -> Figure:
    times = [each.wall for each in builds]
    processor = (
        f"{median([each.processor for each in builds]):.2f} s of processor time; "
        f"{os.getloadavg()[0]:.1f} processes wanted the machine's {os.cpu_count()} processors"
    )
    value, worst = round(median(times), 3), round(max(times), 3)
    told = f"{between}; {processor}"
    return Figure(name, value, "s", goal, told, len(times), worst, where=lambda: f"{processor}; {where()}")


FIGURES: list[Measure] = [monitor_text, monitor_lines, build_times]

# SPDX-License-Identifier: Apache-2.0
"""Figures that need no machine: how long builds take, how large ring 0 is."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from figure import Figure

from parclose import paths

LAYOUT = Path(__file__).parent.parent.parent / "examples" / "line" / "layout.yaml"
REPEATS = 5


def _build(layout: Path, out: Path, cache: Path) -> float:
    """Seconds that `parclose build` takes, from start to end of the process."""
    words = [sys.executable, "-m", "parclose", "build", str(layout), "-o", str(out)]
    begun = time.perf_counter()
    subprocess.run(
        words, env={**os.environ, "XDG_CACHE_HOME": str(cache)}, check=True, capture_output=True, timeout=120
    )
    return time.perf_counter() - begun


def build_times() -> list[Figure]:
    """Cold: with an empty cache. Layout: after a change of the layout that moves everything."""
    cold, warm = [], []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            copy = folder / "line"
            subprocess.run(["cp", "-r", str(LAYOUT.parent), str(copy)], check=True)
            cold.append(_build(copy / LAYOUT.name, folder / "out", folder / "cache"))
            changed = (copy / LAYOUT.name).read_text() + "\nregions:\n  bench: {size: 4 KiB, write: sensor}\n"
            if "\nregions:" in (copy / LAYOUT.name).read_text():
                changed = (
                    (copy / LAYOUT.name)
                    .read_text()
                    .replace("\nregions:", "\nregions:\n  bench: {size: 4 KiB, write: sensor}", 1)
                )
            (copy / LAYOUT.name).write_text(changed)
            warm.append(_build(copy / LAYOUT.name, folder / "out", folder / "cache"))
    return [_seconds("build-cold", cold, 3.0), _seconds("build-layout", warm, 0.5)]


def _seconds(name: str, times: list[float], goal: float) -> Figure:
    return Figure(name, round(statistics.median(times), 3), "s", goal, len(times), round(max(times), 3))


def monitor_text() -> Figure:
    """Bytes of ring 0 that are executed or only read."""
    with tempfile.TemporaryDirectory() as place:
        _build(LAYOUT, Path(place, "out"), paths.cache().parent)
        with open(Path(place, "out", "monitor.elf"), "rb") as file:
            sections = list(ELFFile(file).iter_sections())
            wanted = [s for s in sections if s["sh_flags"] & SH_FLAGS.SHF_ALLOC and s["sh_type"] == "SHT_PROGBITS"]
            size = sum(s["sh_size"] for s in wanted if not s["sh_flags"] & SH_FLAGS.SHF_WRITE)
    return Figure("monitor-text", size, "bytes", 24_576, peers={"best peer": 79_481})


def monitor_lines() -> Figure:
    """Lines of every file that the compiler reads for ring 0, by its own list of dependencies."""
    folder = paths.data("monitor_asm")
    sources = [str(path) for path in sorted(folder.iterdir()) if path.suffix in (".c", ".S")]
    include = [f"-I{folder}", f"-I{paths.data('abi')}"]
    done = subprocess.run(["gcc", "-MM", *include, *sources], check=True, capture_output=True, text=True, timeout=60)
    files = {Path(word).resolve() for word in done.stdout.replace("\\\n", " ").split() if not word.endswith(":")}
    return Figure("monitor-lines", sum(_lines(file) for file in files), "lines", 2_500, peers={"best peer": 5_932})


def _lines(file: Path) -> int:
    return len(file.read_text().splitlines())


FIGURES = [build_times, monitor_text, monitor_lines]

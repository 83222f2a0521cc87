# SPDX-License-Identifier: Apache-2.0
"""`make bench`: the figures, as a table and as build/bench.json. A figure that could not be measured is absent.

Each figure comes from a function in the list FIGURES of a module `figures_*`: it returns one `Figure` or several, or
raises with the reason why it cannot be measured. Names on the command line choose the functions that run.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import (
    figures_block,
    figures_build,
    figures_disk,
    figures_fairness,
    figures_guest,
    figures_network,
    figures_scaling,
    figures_schedule,
)
from bench.figure import Figure, Measure, table
from parclose.emulator import PROGRAM
from parclose.errors import ParcloseError

OUT = Path(__file__).parent.parent / "build" / "bench.json"
MEASURES: Sequence[Measure] = [
    *figures_guest.FIGURES,
    *figures_schedule.FIGURES,
    *figures_block.FIGURES,
    *figures_disk.FIGURES,
    *figures_fairness.FIGURES,
    *figures_network.FIGURES,
    *figures_scaling.FIGURES,
    *figures_build.FIGURES,
]


def main() -> int:
    """Measure everything; 1 when a figure could not be measured, whatever the others say."""
    known = [measure.__name__ for measure in MEASURES]
    parser = argparse.ArgumentParser(prog="bench", description="Measures the figures of the project.")
    parser.add_argument("measure", nargs="*", help=f"only these, and no bench.json: {', '.join(known)}")
    chosen = parser.parse_args().measure
    if set(chosen) - set(known):
        parser.error(f"unknown: {', '.join(sorted(set(chosen) - set(known)))}")
    results, failures = measure_all([each for each in MEASURES if not chosen or each.__name__ in chosen])
    print(table(results))
    for line in misses(results):
        print(line)
    for failure in failures:
        print(f"not measured: {failure}", file=sys.stderr)
    if not chosen:
        write(results)
    return 1 if failures else 0


def measure_all(measures: Sequence[Measure]) -> tuple[list[Figure], list[str]]:
    """The figures of `measures`, and why others could not be measured."""
    results: list[Figure] = []
    failures = []
    for measure in measures:
        print(f"bench: {measure.__name__}", file=sys.stderr, flush=True)
        try:
            found = measure()
        except Exception as error:
            failures.append(f"{measure.__name__}: {_reason(error)}")
            continue
        results += found if isinstance(found, list) else [found]
    return results, failures


def misses(results: Sequence[Figure]) -> list[str]:
    """For each goal missed, one line: by how much, and where the instructions go."""
    lines = []
    for each in results:
        if each.met:
            continue
        try:
            where = each.where() if each.where else each.between
        except Exception as error:
            where = f"where it goes could not be measured: {_reason(error)}"
        lines.append(f"{each.name} {each.verdict()}: {where}")
    return lines


def write(results: Sequence[Figure]) -> None:
    """Write bench.json whole or not at all."""
    document = {"host": host(), "qemu": qemu(), "results": [figure.document() for figure in results]}
    OUT.parent.mkdir(exist_ok=True)
    beside = OUT.with_suffix(".new")
    beside.write_text(json.dumps(document, indent=2) + "\n")
    beside.replace(OUT)
    print(f"\n{host()}, QEMU {qemu()}; written to {OUT.relative_to(OUT.parent.parent)}")


def host() -> str:
    """Processor and number of processors."""
    models = re.findall(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"{models[0].strip() if models else platform.machine()}, {len(models)} processors"


def qemu() -> str:
    """QEMU's version; "none" where it is not installed."""
    try:
        done = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return "none"
    return done.stdout.split()[3]


def _reason(error: Exception) -> str:
    if isinstance(error, ParcloseError):
        return error.message
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main())

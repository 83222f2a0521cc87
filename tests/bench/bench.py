# SPDX-License-Identifier: Apache-2.0
"""`make bench`: the figures, as a table and as build/bench.json. A figure that could not be measured is absent.

Each figure is a function in a module `figures_*.py` beside this one, in its list FIGURES; it returns a `Figure`,
or raises with the reason why it cannot be measured.
"""

from __future__ import annotations

import importlib
import json
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from figure import Figure

HERE = Path(__file__).parent
OUT = HERE.parent.parent / "build" / "bench.json"


def main() -> int:
    """Measure everything; 1 when a figure could not be measured, whatever the others say."""
    results: list[Figure] = []
    failures: list[str] = []
    for measure in _all():
        try:
            results += [*_as_list(measure())]
        except Exception as error:
            failures.append(f"{measure.__name__}: {type(error).__name__}: {error}")
    OUT.parent.mkdir(exist_ok=True)
    document = {"host": _host(), "qemu": _qemu(), "results": [figure.document() for figure in results]}
    OUT.write_text(json.dumps(document, indent=2) + "\n")
    print(_table(results))
    print(f"\n{_host()}, QEMU {_qemu()}; written to {OUT.relative_to(HERE.parent.parent)}")
    for failure in failures:
        print(f"not measured: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _all() -> list[Callable[[], Figure | list[Figure]]]:
    modules = [importlib.import_module(path.stem) for path in sorted(HERE.glob("figures_*.py"))]
    return [measure for module in modules for measure in module.FIGURES]


def _as_list(found: Figure | list[Figure]) -> list[Figure]:
    return found if isinstance(found, list) else [found]


def _table(results: list[Figure]) -> str:
    rows = [("figure", "value", "worst", "goal", "unit", "", "peers")]
    for each in results:
        peers = ", ".join(f"{name} {value:,}" for name, value in each.peers.items())
        worst = "" if each.worst is None else f"{each.worst:,}"
        rows.append((each.name, f"{each.value:,}", worst, f"{each.goal:,}", each.unit, each.verdict(), peers))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    right = {1, 2, 3}
    return "\n".join(
        "  ".join(
            cell.rjust(w) if i in right else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _host() -> str:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return f"{models[0].split(':')[1].strip() if models else platform.machine()}, {len(models)} processors"


def _qemu() -> str:
    done = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[3]


if __name__ == "__main__":
    sys.exit(main())

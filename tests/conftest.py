# SPDX-License-Identifier: Apache-2.0
"""What all tests share: the time of each group at the end, and tiny kernels to run instead of a whole system."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

import tiny
from parclose.emulator import Machine

pytest_plugins = ["pytester"]

PROMISES = Path(__file__).parent.parent / "build" / "promises.json"
_started = time.time()
_seconds: dict[str, float] = defaultdict(float)
_counts: dict[str, int] = defaultdict(int)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the time of each group: a test file."""
    group = report.nodeid.split("::")[0]
    _seconds[group] += report.duration
    _counts[group] += report.when == "call"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the promises that were tried, and how long each group took, the longest first."""
    _print_promises(terminalreporter)
    if len(_seconds) < 2:
        return
    terminalreporter.section("time of each group")
    for group in sorted(_seconds, key=_seconds.__getitem__, reverse=True):
        terminalreporter.write_line(f"{_seconds[group]:8.1f} s  {_counts[group]:5} tests  {group}")
    terminalreporter.write_line(f"{sum(_seconds.values()):8.1f} s  {sum(_counts.values()):5} tests  in all")


def _print_promises(reporter: pytest.TerminalReporter) -> None:
    """The table of promises, where this run wrote it."""
    if not PROMISES.exists() or PROMISES.stat().st_mtime < _started:
        return
    rows = [("promise", "attack", "refused", "control")]
    for entry in json.loads(PROMISES.read_text()):
        rows.append(tuple(str(entry[key]) for key in ("promise", "guest", "refused", "control")))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    reporter.section("promises")
    for row in rows:
        reporter.write_line("  ".join([*map(str.ljust, row, widths), row[3]]))


@pytest.fixture
def tiny_machine(tmp_path: Path) -> Callable[..., Machine]:
    """A function (does="", say=…, report=…) that makes the machine of a tiny kernel; see kernels/tiny.S."""

    def make(does: str = "", say: str = "hello\n", report: str = tiny.ENDED, **changes: object) -> Machine:
        folder = tmp_path / f"tiny{len(list(tmp_path.glob('tiny*')))}"
        return tiny.machine(folder, does, say, report, **changes)

    return make

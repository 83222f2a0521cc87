# SPDX-License-Identifier: Apache-2.0
"""What all tests share: the time of each group at the end, and tiny kernels to run instead of a whole system."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

import tiny
from parclose.emulator import Machine

pytest_plugins = ["pytester", "promise_table", "fuzz_table", "oracle_everywhere"]

_seconds: dict[str, float] = defaultdict(float)
_counts: dict[str, int] = defaultdict(int)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the time of each group: a test file."""
    group = report.nodeid.split("::")[0]
    _seconds[group] += report.duration
    _counts[group] += report.when == "call"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how long each group took, the longest first."""
    if len(_seconds) < 2:
        return
    terminalreporter.section("time of each group")
    for group in sorted(_seconds, key=_seconds.__getitem__, reverse=True):
        terminalreporter.write_line(f"{_seconds[group]:8.1f} s  {_counts[group]:5} tests  {group}")
    terminalreporter.write_line(f"{sum(_seconds.values()):8.1f} s  {sum(_counts.values()):5} tests  in all")


@pytest.fixture
def tiny_machine(tmp_path: Path) -> Callable[..., Machine]:
    """A function (does="", say=…, report=…) that makes the machine of a tiny kernel; see kernels/tiny.S."""

    def make(does: str = "", say: str = "hello\n", report: str = tiny.ENDED, **changes: object) -> Machine:
        folder = tmp_path / f"tiny{len(list(tmp_path.glob('tiny*')))}"
        return tiny.machine(folder, does, say, report, **changes)

    return make

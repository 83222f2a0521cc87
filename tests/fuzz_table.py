# SPDX-License-Identifier: Apache-2.0
"""Prints at the end of a run what the fuzz run of calls met, and how the planted holes were found."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

CALLS, HOLES = "fuzz-calls", "fuzz-holes"  # names of what the tests hand over, from other processes too

_found: dict[str, object] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collect what the tests hand over in their properties."""
    if report.when == "call":
        _found.update((name, value) for name, value in report.user_properties if name in (CALLS, HOLES))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print it."""
    calls, holes = _found.get(CALLS), _found.get(HOLES)
    if isinstance(calls, Mapping):
        terminalreporter.section(str(calls["title"]))
        for line in table(calls["calls"]):
            terminalreporter.write_line(line)
        terminalreporter.write_line("rules: " + ", ".join(f"{rule} {count}" for rule, count in calls["rules"].items()))
    if isinstance(holes, list):
        terminalreporter.section(f"holes planted in the monitor: {len(holes)} of {len(holes)} found")
        for rule, by in holes:
            terminalreporter.write_line(f"{rule}\n    found by {by}")


def table(calls: Mapping[str, Mapping[str, int]]) -> list[str]:
    """A line for each call with the statuses that it gave."""
    return [
        f"{call:<16}" + "  ".join(f"{status} {count}" for status, count in statuses.items())
        for call, statuses in calls.items()
    ]

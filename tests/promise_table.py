# SPDX-License-Identifier: Apache-2.0
"""Prints the table of promises at the end of a run, and writes build/promises.json where all of them were run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parent.parent / "build" / "promises.json"
COLUMNS = ("promise", "guest", "refused", "control")

TEST, PROPERTY = "::test_promise[", "promise"
UNPROTECTED = "unprotected"

_rows: dict[int, dict[str, str]] = {}
_seen: set[str] = set()
_unprotected: list[dict[str, str]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collect the rows: a test hands them over in its properties, which come from other processes too."""
    if TEST in report.nodeid:
        _seen.add(report.nodeid)
        _rows.update(value for name, value in report.user_properties if name == PROPERTY and report.passed)
    if report.when == "call" and report.passed:
        _unprotected.extend(value for name, value in report.user_properties if name == UNPROTECTED)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the rows of this run."""
    if not _seen and not _unprotected:
        return
    from promise_list import PROMISES, UNPROVEN

    rows = [_rows[number] for number in sorted(_rows)]
    terminalreporter.section(f"promises: of {len(_seen)}, {len(rows)} held, and the control of each succeeded")
    for row in rows:
        terminalreporter.write_line(f"{row['promise']}  [{row['guest']}]")
        terminalreporter.write_line(f"    refused: {row['refused']}")
        terminalreporter.write_line(f"    control: {row['control']}")
    for row in _unprotected:
        terminalreporter.write_line(f"NOT PROTECTED: {row['promise']}  [{row['guest']}]")
        terminalreporter.write_line(f"    shown: {row['shown']}")
    for text in UNPROVEN:
        terminalreporter.write_line(f"not shown: {text}")
    if len(_seen) == len(PROMISES):
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(json.dumps(rows, indent=2) + "\n")

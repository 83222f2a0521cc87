# SPDX-License-Identifier: Apache-2.0
"""Prints the table of promises at the end of a run, and writes build/promises.json where all of them were run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parent.parent / "build" / "promises.json"
COLUMNS = ("promise", "guest", "refused", "control")

_rows: dict[int, dict[str, str]] = {}
_selected = 0


def keep(number: int, row: dict[str, str]) -> None:
    """Note a promise that was held and whose control succeeded; `number` is its place in the table."""
    assert set(row) == set(COLUMNS) and all(row.values()), row
    _rows[number] = row


def pytest_collection_finish(session: pytest.Session) -> None:
    """Count the promises that are to be attacked in this run."""
    global _selected
    _selected = sum(getattr(item, "originalname", "") == "test_promise" for item in session.items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the rows of this run."""
    if not _selected:
        return
    from promise_list import PROMISES, UNPROVEN

    rows = [_rows[number] for number in sorted(_rows)]
    terminalreporter.section(f"promises: of {_selected}, {len(rows)} held, and the control of each succeeded")
    for row in rows:
        terminalreporter.write_line(f"{row['promise']}  [{row['guest']}]")
        terminalreporter.write_line(f"    refused: {row['refused']}")
        terminalreporter.write_line(f"    control: {row['control']}")
    for text in UNPROVEN:
        terminalreporter.write_line(f"not shown: {text}")
    if _selected == len(PROMISES):
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(json.dumps(rows, indent=2) + "\n")

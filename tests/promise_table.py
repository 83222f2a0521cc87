# SPDX-License-Identifier: Apache-2.0
"""Prints the table of promises at the end of a run, and writes build/promises.json."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = ROOT / "build" / "promises" / "rows"
DOCUMENT = ROOT / "build" / "promises.json"
_COLUMNS = ("promise", "guest", "refused", "control")


def keep(number: int, row: dict[str, str]) -> None:
    """Note a promise that was held; `number` is its place in the table."""
    ROWS.mkdir(parents=True, exist_ok=True)
    (ROWS / f"{number:03}.json").write_text(json.dumps(row))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Forget the rows of the last run. With several processes only the first does so."""
    if not hasattr(session.config, "workerinput"):
        shutil.rmtree(ROWS, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the rows of this run, and write them where all of them were run."""
    rows = [json.loads(file.read_text()) for file in sorted(ROWS.glob("*.json"))]
    if not rows:
        return
    from promise_list import PROMISES, UNPROVEN

    terminalreporter.section(f"promises: {len(rows)} of {len(PROMISES)} attacked, refused, and shown to be needed")
    for row in rows:
        terminalreporter.write_line(f"{row['promise']}  [{row['guest']}]")
        terminalreporter.write_line(f"    refused: {row['refused']}")
        terminalreporter.write_line(f"    control: {row['control']}")
    for text in UNPROVEN:
        terminalreporter.write_line(f"not shown: {text}")
    ordered = [{column: row[column] for column in _COLUMNS} for row in rows]
    DOCUMENT.write_text(json.dumps(ordered, indent=2) + "\n")

# SPDX-License-Identifier: Apache-2.0
"""Promises about the console: what a terminal shows at the start of a line is its sender's name."""

from __future__ import annotations

import re

from promise_kit import Promise, Run
from promise_layouts import duel
from promise_targets import ATTACKER, Target
from promise_verdicts import nobody_escaped, others_unharmed

ATTEMPTS = 13
_PIECES = re.compile(r"\x1b\[(\d*)([A-Z])|\x1b.|[\s\S]")


def screen(text: str) -> list[str]:
    """The rows that a terminal shows of `text`, as far as the cursor moves within a row or to the next one."""
    rows: list[dict[int, str]] = [{}]
    place = 0
    for match in _PIECES.finditer(text):
        piece, count, final = match[0], int(match[1] or 1), match[2]
        if piece == "\r" or final == "G":
            place = 0
        elif piece == "\b" or final == "D":
            place = max(0, place - (count if final else 1))
        elif piece == "\n" or final == "E":
            rows.append({})
            place = 0
        elif not final and piece.isprintable():
            rows[-1][place] = piece
            place += 1
    return ["".join(letter for _, letter in sorted(row.items())) for row in rows]


def _forged(run: Run) -> list[str]:
    return [row for row in screen(run.console) if row.startswith("victim| forged")]


def _own_name(run: Run, targets: list[Target]) -> str:
    """Each attempt stands in a line of the attacker's, and no control character of it reached the line."""
    nobody_escaped(run)
    others_unharmed(run)
    assert len(run.lines("attempting")) == ATTEMPTS and _forged(run) == [], run.console
    said = [line for line in run.console.split("\r\n") if line.startswith("attacker| ")]
    assert all(line.replace("\t", " ").isascii() and line.replace("\t", " ").isprintable() for line in said), said
    found = {number for line in said for number in re.findall(r"victim\| forged (\d+)\.", line)}
    assert {str(number) for number in range(1, 12)} <= found, said  # the last two are cut somewhere
    return f"{ATTEMPTS} attempts stand in lines of the attacker's name"


def _foreign_name(run: Run, targets: list[Target]) -> str:
    found = _forged(run)
    assert len(found) >= 7, run.console
    return f"{len(found)} rows of the terminal begin with '{found[0]}'"


CONSOLE = (
    Promise(
        "console-name",
        "nobody speaks in another's name",
        "speaks_as.c",
        duel("speaks_as.c"),
        "console-name",
        _own_name,
        _foreign_name,
        done=lambda run: bool(run.of("ended", ATTACKER)) and f"manager| {ATTACKER}: ended" in run.console,
    ),
)

# SPDX-License-Identifier: Apache-2.0
"""Every code of a problem: what it means, its rule, an example and its fix. `parclose explain` prints them.

A code is never used for another problem than the one it was made for; one that is no longer needed stays here
as retired. P0xx: the layout. P1xx: the YAML it is written in, its schedule and limits,
its networks, I/O partitions and consoles. P2xx: boards. P3xx: programs.
"""

from __future__ import annotations

from dataclasses import dataclass

from parclose.codes_board import BOARD
from parclose.codes_console import CONSOLE
from parclose.codes_layout import LAYOUT
from parclose.codes_network import NETWORK
from parclose.codes_parts import PARTS
from parclose.codes_program import PROGRAM
from parclose.codes_reading import READING
from parclose.codes_servers import SERVERS


@dataclass(frozen=True)
class Code:
    """What `explain` says of a code. `bad` breaks the rule, `good` is the same thing put right."""

    code: str
    title: str
    rule: str
    bad: str
    good: str
    fix: str


def _table(*tables: dict[str, tuple[str, str, str, str, str]]) -> dict[str, Code]:
    found: dict[str, Code] = {}
    for table in tables:
        for code, texts in table.items():
            assert code not in found, code
            found[code] = Code(code, *texts)
    return dict(sorted(found.items()))


CODES = _table(LAYOUT, PARTS, READING, NETWORK, SERVERS, CONSOLE, BOARD, PROGRAM)


def explain(code: str) -> str | None:
    """The page for a code (upper or lower case), or None when there is no such code."""
    found = CODES.get(code.upper())
    if found is None:
        return None
    parts = [
        f"{found.code}: {found.title}",
        f"Rule: {found.rule}",
        f"Wrong:\n{_indented(found.bad)}",
        f"Right:\n{_indented(found.good)}",
        f"Fix: {found.fix}",
    ]
    return "\n\n".join(parts) + "\n"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip("\n").splitlines())

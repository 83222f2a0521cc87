# SPDX-License-Identifier: Apache-2.0
"""The escape key of a console as written: `ctrl-t`."""

from __future__ import annotations

import re

from parclose.problems import at
from parclose.source import Node
from parclose.values import Given, Reader

ESCAPE_DEFAULT = 1  # Ctrl-A
_KEY = re.compile(r"ctrl-([a-z\]^_\\\[])", re.IGNORECASE)
_TAKEN = {
    "c": "the terminal ends programs with it",
    "h": "it is the backspace key",
    "i": "it is the tabulator key",
    "j": "it ends a line",
    "m": "it is the return key",
    "q": "terminals take it for flow control",
    "s": "terminals take it for flow control",
    "z": "the terminal stops programs with it",
    "[": "arrow keys begin with it",
    "\\": "the terminal ends programs with it",
}


def escape_text(key: int) -> str:
    """The control character `key` as people call it: "ctrl-t"."""
    return f"ctrl-{chr(key + 0x40).lower()}"


def read_escape(reader: Reader, node: Node, what: str) -> Given[int]:
    """`node` as a control character, `ctrl-` and a letter or one of `]^_`: P160 otherwise, or where it has a use."""
    scalar = reader.scalar(node, what)
    if scalar is None:
        return Given(None, node.span)
    match = _KEY.fullmatch(scalar.text)
    taken = _TAKEN.get(match[1].lower()) if match else None
    if match and taken is None:
        return Given(ord(match[1].upper()) - 0x40, scalar.span)
    text = f"{what}: '{scalar.text[:40]}' cannot open the menu" if taken else f"{what} is no key: '{scalar.text[:40]}'"
    label, help = taken or "not a control key", "write ctrl-a, ctrl-t or ctrl-], for example"
    reader.problems.error_once("P160", text, at(scalar.span, label), help=help)
    return Given(None, scalar.span)

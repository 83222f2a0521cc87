# SPDX-License-Identifier: Apache-2.0
"""Ethernet addresses as written: of a channel, and of the groups that it listens to."""

from __future__ import annotations

import re

from parclose.problems import at
from parclose.source import Node
from parclose.values import Fields, Given, Reader

_ADDRESS = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
_DIGITS = re.compile(r"[0-9a-fA-F]{12}")


def read_address(reader: Reader, node: Node, what: str) -> Given[bytes]:
    """`node` as the six bytes of an Ethernet address, in quotes: P140 otherwise.

    Without quotes YAML 1.1 reads 52:54:00:12:34:56 as a number to the base of 60.
    """
    scalar = reader.scalar(node, what)
    if scalar is None:
        return Given(None, node.span)
    digits = re.sub(r"[-:.]", "", scalar.text)
    proper = digits.lower() if _DIGITS.fullmatch(digits) else ""
    near = ":".join(proper[place : place + 2] for place in range(0, 12, 2)) if proper else "52:54:00:00:00:0a"
    if not _ADDRESS.fullmatch(scalar.text):
        text, help = f"{what}: '{scalar.text[:40]}' is no Ethernet address", f'write "{near}"'
        label = "six pairs of digits" if proper else "not an address"
        reader.problems.error_once(
            "P140", text, at(scalar.span, label), help=help if proper else f"{help}, for example"
        )
        return Given(None, scalar.span)
    if scalar.plain:
        text = f"{what} is not quoted: without quotes many readers take {scalar.text} for a number"
        reader.problems.error_once("P140", text, at(scalar.span, "quote it"), help=f'write "{near}"')
        return Given(None, scalar.span)
    return Given(bytes.fromhex(digits), scalar.span)


def read_groups(fields: Fields) -> tuple[Given[bytes], ...] | None:
    """The list under `groups`; None where it is absent."""
    entry = fields.entry("groups")
    if entry is None:
        return None
    reader, what = fields.reader, f"'groups' of {fields.what}"
    items = fields.within(lambda node: reader.items(node, what), entry.value) or ()
    return tuple(fields.within(lambda node: read_address(reader, node, f"an item of {what}"), item) for item in items)

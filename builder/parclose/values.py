# SPDX-License-Identifier: Apache-2.0
"""Nodes → typed values. A value that cannot be read becomes None with its problem noted, so that
nothing later complains about it a second time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from parclose import source, units
from parclose.constants import constants
from parclose.errors import Label, Span
from parclose.problems import Collector, at
from parclose.source import Entry, Node, Scalar
from parclose.wording import listing, nearest

T = TypeVar("T")
R = TypeVar("R")

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_OLD_BOOLEANS = {"on": True, "yes": True, "y": True, "off": False, "no": False, "n": False}
_WHOLE_FILES = ("the layout", "the board")  # whose beginning is no help as a second place
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Given(Generic[T]):
    """What was written at `span`; `value` is None when it could not be read (and its problem is noted)."""

    value: T | None
    span: Span


def kind(scalar: Scalar) -> str:
    """What the YAML 1.2 core schema sees in a scalar: null, boolean, integer, number or text."""
    if not scalar.plain:
        return "text"
    if scalar.text in ("", "~", "null", "Null", "NULL"):
        return "null"
    if scalar.text in _BOOLEANS:
        return "boolean"
    if _INTEGER.fullmatch(scalar.text):
        return "integer"
    return "number" if _FLOAT.fullmatch(scalar.text) else "text"


def shape(node: Node) -> str:
    """What a node is, for messages."""
    if isinstance(node, source.Mapping):
        return "a mapping"
    if isinstance(node, source.Sequence):
        return "a list"
    return "nothing" if kind(node) == "null" else f"'{node.text[:40]}'"


class Reader:
    """Reads values and notes what is wrong with them in `problems`."""

    def __init__(self, problems: Collector) -> None:
        self.problems = problems
        self.context: Label | None = None  # the thing whose value is being read: the second place of its problems

    def _note(self, code: str, message: str, label: Label, help: str = "") -> None:
        inside = [self.context] if self.context is not None and self.context.span != label.span else []
        self.problems.error_once(code, message, label, *inside, help=help)

    def scalar(self, node: Node, what: str) -> Scalar | None:
        """`node` as a single value; P003 otherwise."""
        if isinstance(node, Scalar) and kind(node) != "null":
            return node
        self._note("P003", f"{what} is {shape(node)}, not a single value", at(node.span, "expected: a single value"))
        return None

    def text(self, node: Node, what: str) -> Given[str]:
        """`node` as text. A plain number or boolean is refused (P032): quoting says that text is meant."""
        scalar = self.scalar(node, what)
        if scalar is None:
            return Given(None, node.span)
        seen = kind(scalar)
        if seen != "text":
            help = f'write "{scalar.text}"' if len(scalar.text) < 40 else "quote it"
            seen = f"an {seen}" if seen == "integer" else f"a {seen}"
            text = f"{what} is text, and '{scalar.text[:40]}' is {seen} in YAML"
            self._note("P032", text, at(scalar.span, seen), help=help)
            return Given(None, scalar.span)
        return Given(scalar.text, scalar.span)

    def name(self, node: Node, what: str) -> Given[str]:
        """`node` as a name: P005 when it is none."""
        given = self.text(node, what)
        if given.value is None or self.legal_name(given.value, given.span, what):
            return given
        return Given(None, given.span)

    def legal_name(self, name: str, span: Span, what: str) -> bool:
        """Whether `name` may name something; P005 otherwise, unless it holds {i}, which is complained about (P034)."""
        if "{i}" in name:
            return True
        longest = constants()["LIMIT_NAME"]
        base = name.split(".")[0] if re.fullmatch(r"[^.]+\.[0-9]+", name) else name
        if not _NAME.fullmatch(base):
            proper = re.sub(r"[^A-Za-z0-9_-]", "-", name)
            proper = proper if proper[:1].isalpha() else f"x{proper}"
            help = f"for example '{proper[:longest]}'"
            self._note("P005", f"'{name[:60]}' is not a name for {what}", at(span, "not a name"), help=help)
            return False
        if len(name.encode()) > longest:
            text = f"the name '{name[:60]}' has {len(name)} characters, {len(name) - longest} too many"
            self._note("P005", text, at(span, "too long"), help=f"for example '{name[:longest]}'")
            return False
        return True

    def boolean(self, node: Node, what: str) -> Given[bool]:
        """`node` as true or false; P029 otherwise, with advice for YAML 1.1's other words."""
        scalar = self.scalar(node, what)
        if scalar is None:
            return Given(None, node.span)
        if kind(scalar) == "boolean":
            return Given(_BOOLEANS[scalar.text], scalar.span)
        meant = _OLD_BOOLEANS.get(scalar.text.lower())
        help = f"write {str(meant).lower()}" if meant is not None else "write true or false"
        text = f"{what} is true or false, not '{scalar.text[:40]}'"
        self._note("P029", text, at(scalar.span, "neither true nor false"), help=help)
        return Given(None, scalar.span)

    def integer(self, node: Node, what: str, low: int, high: int) -> Given[int]:
        """`node` as a whole number from `low` to `high`: P030 when it is none, P031 outside."""
        scalar = self.scalar(node, what)
        if scalar is None:
            return Given(None, node.span)
        text = scalar.text
        if not _INTEGER.fullmatch(text) or len(text) > 24:
            self._note(
                "P030",
                f"{what} is a whole number, not '{text[:40]}'",
                at(scalar.span, "no whole number"),
                f"a number from {low} to {high}",
            )
            return Given(None, scalar.span)
        if re.fullmatch(r"[-+]?0[0-9]+", text):
            ten, eight = int(text, 10), (int(text, 8) if set(text) <= set("+-01234567") else None)
            help = f"write {ten}" + (f", or {eight} if it was meant as octal" if eight is not None else "")
            text = f"'{text}' begins with a zero: some read it as octal"
            self._note("P030", text, at(scalar.span, "ten or eight?"), help=help)
            return Given(None, scalar.span)
        return self._bounded(int(text, 0), scalar.span, what, low, high)

    def _bounded(self, value: int, span: Span, what: str, low: int, high: int) -> Given[int]:
        if low <= value <= high:
            return Given(value, span)
        near = low if value < low else high
        text = f"{what} is {value}, outside {low} to {high}"
        self._note("P031", text, at(span, "too small" if value < low else "too large"), help=f"the nearest is {near}")
        return Given(None, span)

    def size(self, node: Node, what: str) -> Given[int]:
        """`node` as bytes: P025 without a unit, P026 where it is no size."""
        return self._quantity(node, what, units.size, "P025", "P026")

    def time(self, node: Node, what: str) -> Given[int]:
        """`node` as nanoseconds: P027 without a unit, P028 where it is no time."""
        return self._quantity(node, what, units.time, "P027", "P028")

    def _quantity(self, node: Node, what: str, parse: Callable[[str], int], bare: str, other: str) -> Given[int]:
        scalar = self.scalar(node, what)
        if scalar is None:
            return Given(None, node.span)
        try:
            return Given(parse(scalar.text), scalar.span)
        except units.UnitError as wrong:
            code, label = (bare, "a unit is missing") if wrong.bare else (other, "not understood")
            self._note(code, f"{what}: {wrong}", at(scalar.span, label), help=wrong.advice)
            return Given(None, scalar.span)

    def address(self, node: Node, what: str) -> Given[int]:
        """`node` as an address or an offset: 0x1000, or a size."""
        if isinstance(node, Scalar) and re.fullmatch(r"0x[0-9a-fA-F]{1,16}", node.text):
            return Given(int(node.text, 16), node.span)
        return self.size(node, what)

    def choice(self, node: Node, what: str, words: Sequence[str]) -> Given[str]:
        """`node` as one of `words`: P004 otherwise."""
        scalar = self.scalar(node, what)
        if scalar is None:
            return Given(None, node.span)
        if scalar.text in words:
            return Given(scalar.text, scalar.span)
        near = nearest(scalar.text, words)
        help = f"did you mean '{near}'?" if near else f"write {listing(words, 'or')}"
        text = f"{what} is {listing(words, 'or')}, not '{scalar.text[:40]}'"
        self._note("P004", text, at(scalar.span, "none of these"), help=help)
        return Given(None, scalar.span)

    def items(self, node: Node, what: str) -> tuple[Node, ...] | None:
        """`node` as a list; a single value is a list of one. None (P003 noted) when it is a mapping or nothing."""
        if isinstance(node, source.Sequence):
            return node.items
        if isinstance(node, Scalar) and kind(node) != "null":
            return (node,)
        self._note(
            "P003", f"{what} is {shape(node)}, not a list", at(node.span, "expected: a list"), help="write [ITEM, ITEM]"
        )
        return None

    def mapping(self, node: Node, what: str) -> source.Mapping | None:
        """`node` as a mapping; P003 otherwise."""
        if isinstance(node, source.Mapping):
            return node
        self._note(
            "P003",
            f"{what} is {shape(node)}, not a mapping",
            at(node.span, "expected: a mapping"),
            help="write {KEY: VALUE}",
        )
        return None

    def fields(
        self, node: Node, what: str, place: Span, known: Iterable[str], later: Mapping[str, str] | None = None
    ) -> Fields | None:
        """The keys of a mapping. Unknown ones are noted (P001), and those of later versions (P006)."""
        mapping = self.mapping(node, what)
        if mapping is None:
            return None
        fields = Fields(self, mapping, what, place)
        fields.refuse_others(tuple(known), later or {})
        return fields


class Fields:
    """The keys of one mapping that stands for `what`; `place` is where that is named."""

    def __init__(self, reader: Reader, mapping: source.Mapping, what: str, place: Span) -> None:
        self.reader = reader
        self.mapping = mapping
        self.what = what
        self.place = place
        self.misspelt: dict[str, Span] = {}  # known keys that an unknown one was probably meant to be
        self.doubtful: dict[str, Span] = {}  # known keys that are absent where an unknown one stands
        self.incomplete = False  # keys were to come from elsewhere, and did not

    def refuse_others(self, known: Sequence[str], later: Mapping[str, str]) -> None:
        """Note every key that is neither in `known` nor in `later`, and every one in `later`."""
        problems = self.reader.problems
        absent = [name for name in known if self.mapping.get(name) is None]
        for entry in self.mapping.entries:
            key = entry.key.text
            inside = at(self.place, f"in {self.what}")
            if key in known:
                continue
            if key in later:
                text = f"'{key}' is not supported yet"
                problems.error_once("P006", text, at(entry.key.span, later[key]), inside, help=f"leave '{key}' out")
                continue
            near = nearest(key, absent) or nearest(key, known)
            self.doubtful.update({name: entry.key.span for name in absent if near in (None, name)})
            if near is not None:
                self.misspelt[near] = entry.key.span
            help = f"did you mean '{near}'?" if near else f"known here: {listing(known, most=24)}"
            problems.error_once(
                "P001", f"unknown key '{key[:60]}' in {self.what}", at(entry.key.span, "unknown"), inside, help=help
            )

    def entry(self, key: str) -> Entry | None:
        """The entry with that key, or None."""
        return self.mapping.get(key)

    def get(self, key: str, read: Callable[[Node, str], Given[T]]) -> Given[T] | None:
        """The value of `key` read by `read`; None when the key is absent, no value when it may be misspelt."""
        entry = self.mapping.get(key)
        if entry is not None:
            return self.within(lambda node: read(node, f"'{key}' of {self.what}"), entry.value)
        return Given(None, self.doubtful[key]) if key in self.doubtful else None

    def within(self, read: Callable[[Node], R], node: Node) -> R:
        """What `read` makes of `node`; its problems name this mapping as their second place."""
        inside = at(self.place, f"in {self.what}") if self.what not in _WHOLE_FILES else None
        before, self.reader.context = self.reader.context, inside
        try:
            return read(node)
        finally:
            self.reader.context = before

    def unreadable(self, *shapes: type[Node]) -> set[str]:
        """The keys whose values are none of `shapes`, and those that may be misspelt: what they hold is not known."""
        wrong = {entry.key.text for entry in self.mapping.entries if not isinstance(entry.value, shapes)}
        return wrong | set(self.doubtful)

    def need(self, key: str, read: Callable[[Node, str], Given[T]], help: str = "") -> Given[T]:
        """As `get`; an absent key is noted (P002)."""
        given = self.get(key, read)
        if given is not None:
            return given
        self.missing(key, help)
        return Given(None, self.place)

    def missing(self, key: str, help: str = "") -> None:
        """Note that `key` is needed and absent, unless another key was probably meant to be it."""
        if key in self.misspelt or self.incomplete:
            return
        self.reader.problems.error_once(
            "P002", f"{self.what} has no '{key}'", at(self.place, f"'{key}' is missing"), help=help
        )

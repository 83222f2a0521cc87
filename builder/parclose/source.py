# SPDX-License-Identifier: Apache-2.0
"""YAML text → nodes that know their place. Nothing here knows what a layout is.

PyYAML reads YAML 1.1, in which `00:02.0` is a number and `on` is true. So its
composer is used for structure and places only, and every scalar stays the text
that was written; `values` gives it a meaning where one is expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, ScalarNode, SequenceNode

from parclose.constants import constants
from parclose.errors import Span
from parclose.problems import Collector, at
from parclose.wording import format_size

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_UNPRINTABLE = yaml.reader.Reader.NON_PRINTABLE


@dataclass(frozen=True)
class Scalar:
    """A single value as it was written. `plain`: without quotes, so the core schema may see more than text in it."""

    span: Span
    text: str
    plain: bool


@dataclass(frozen=True)
class Sequence:
    span: Span
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Entry:
    key: Scalar
    value: Node


@dataclass(frozen=True)
class Mapping:
    span: Span
    entries: tuple[Entry, ...]

    def get(self, key: str) -> Entry | None:
        """The entry with that key, or None."""
        return next((entry for entry in self.entries if entry.key.text == key), None)


Node = Scalar | Sequence | Mapping


class _Refused(Exception):
    """The text cannot be read any further; the problem is noted already."""


def split_lines(text: str) -> list[str]:
    """The lines of `text`, broken where YAML breaks them, so that they agree with the lines of a `Span`."""
    return _LINE_BREAK.split(text)


def read(path: Path, problems: Collector) -> Node | None:
    """The one YAML document in the file, or None with the reasons noted in `problems`.

    Spans carry `str(path)` as their file. Raises OSError when the file cannot be read.
    """
    limit = constants()["LIMIT_LAYOUT_SIZE"]
    with path.open("rb") as stream:
        raw = stream.read(limit + 1)
    return read_bytes(raw, str(path), problems)


def read_bytes(raw: bytes, file: str, problems: Collector) -> Node | None:
    """As `read`, of the bytes themselves; `file` is the name that spans carry."""
    try:
        text = _decode(raw, file, problems)
        tree = _compose(text, file, problems)
        return _Converter(file, text, problems).node(tree)
    except _Refused:
        return None


def _decode(raw: bytes, file: str, problems: Collector) -> str:
    limit = constants()["LIMIT_LAYOUT_SIZE"]
    if len(raw) > limit:
        problems.error(
            "P108",
            f"the file is larger than {format_size(limit)}",
            at(Span(file, 1, 1, 2), "this file"),
            help="use `count` and `like` for repetition",
        )
        raise _Refused
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        place = _place_of(raw[: wrong.start].decode("utf-8", "replace"), file)
        help = "save the file as UTF-8"
        problems.error("P106", f"byte 0x{raw[wrong.start]:02x} is not UTF-8", at(place, "this byte"), help=help)
        raise _Refused from None
    found = _UNPRINTABLE.search(text)
    if found:
        place = _place_of(text[: found.start()], file)
        text = f"character U+{ord(found.group()):04X} cannot be printed"
        problems.error("P107", text, at(place, "this character"), help="remove it")
        raise _Refused
    return text


def _place_of(before: str, file: str) -> Span:
    lines = split_lines(before)
    return Span(file, len(lines), len(lines[-1]) + 1, len(lines[-1]) + 2)


class _Loader(yaml.SafeLoader):
    """PyYAML's composer, bounded in depth and without tags."""

    def __init__(self, text: str, file: str, problems: Collector) -> None:
        super().__init__(text)
        self.file = file
        self.problems = problems
        self.depth = 0
        self.count = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """As the base class, which calls this for every node; refuses what a layout has no use for."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        tag = getattr(event, "tag", None)
        if tag is not None and not isinstance(event, yaml.events.AliasEvent):
            written = tag.replace("tag:yaml.org,2002:", "!!")
            span = _mark_span(event.start_mark, self.file)
            span = replace(span, end=span.column + len(written))
            self.problems.error("P114", f"the tag '{written}' is refused", at(span, "a tag"), help="remove it")
        self.count += 1
        if self.count > constants()["LIMIT_LAYOUT_NODES"]:
            text = f"the file holds more than {constants()['LIMIT_LAYOUT_NODES']} values"
            place = at(_mark_span(event.start_mark, self.file), "one value too many")
            self.problems.error("P102", text, place, help="use `count` and `like` for repetition")
            raise _Refused
        self.depth += 1
        if self.depth > constants()["LIMIT_LAYOUT_DEPTH"]:
            span = _mark_span(event.start_mark, self.file)
            self.problems.error(
                "P109",
                f"more than {constants()['LIMIT_LAYOUT_DEPTH']} levels stand inside each other",
                at(span, "one level too deep"),
                help="a bracket is probably missing: no part of the language nests that deep",
            )
            raise _Refused
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _mark_span(mark: yaml.Mark | None, file: str) -> Span:
    if mark is None:
        return Span(file, 1, 1, 2)
    return Span(file, mark.line + 1, mark.column + 1, mark.column + 2)


def _compose(text: str, file: str, problems: Collector) -> yaml.Node:
    loader = _Loader(text, file, problems)
    try:
        tree = loader.get_single_node()  # what yaml.compose() calls
    except yaml.MarkedYAMLError as wrong:
        _note_syntax(wrong, file, problems)
        raise _Refused from None
    finally:
        loader.dispose()
    if tree is None:
        problems.error(
            "P105",
            "the file is empty",
            at(Span(file, 1, 1, 2), "a layout would begin here"),
            help="`parclose new NAME` writes a layout that works",
        )
        raise _Refused
    return tree


def _note_syntax(wrong: yaml.MarkedYAMLError, file: str, problems: Collector) -> None:
    place = _mark_span(wrong.problem_mark or wrong.context_mark, file)
    said = wrong.problem or wrong.context or "it cannot be read"
    context = wrong.context_mark
    others = [at(_mark_span(context, file), wrong.context or "begun here")] if context and wrong.problem_mark else []
    context_text = wrong.context or ""
    if "'\\t'" in said:
        problems.error(
            "P103", "a tab stands where YAML wants spaces", at(place, "this tab"), *others, help="use spaces"
        )
    elif "another document" in said:
        first = at(Span(file, 1, 1, 2), "the first document")
        problems.error(
            "P104",
            "the file holds more than one document",
            at(place, "the second begins here"),
            first,
            help="one file, one layout",
        )
    elif "undefined alias" in said:
        problems.error(
            "P110", said, at(place, "this alias"), help="set the anchor (&NAME) where the value first stands"
        )
    elif "duplicate anchor" in context_text:
        text = context_text.split(";")[0]
        others = [at(label.span, "first set here") for label in others]
        problems.error("P110", text, at(place, "set again"), *others, help="give the second another name")
    else:
        said = said.replace("<stream end>", "the end of the file").replace("<block end>", "the end of what is indented")
        help = "quote a value that holds ': ', ' #', or begins with one of [ ] { } , & * ! | > % @ `"
        if "end of the file" in said and "flow" in context_text:
            help = "close the bracket"
        problems.error("P101", f"this is not YAML: {said}", at(place, "here"), *others, help=help)


class _Converter:
    """PyYAML's nodes → ours. An alias becomes what it stands for, within bounds."""

    def __init__(self, file: str, text: str, problems: Collector) -> None:
        self.file = file
        self.lines = split_lines(text)
        self.problems = problems
        self.count = 0
        self.open: list[yaml.Node] = []

    def node(self, node: yaml.Node) -> Node:
        self._bound(node)
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        self.open.append(node)
        made = self._mapping(node) if isinstance(node, MappingNode) else self._sequence(node)
        self.open.pop()
        return made

    def _scalar(self, node: ScalarNode) -> Scalar:
        """A single value. What an escape such as "\\0" adds to it must be printable as well."""
        text = str(node.value)
        found = _UNPRINTABLE.search(text)
        if found:
            said = f"the escape for U+{ord(found.group()):04X} cannot be printed"
            self.problems.error("P107", said, at(self._span(node), "in this value"), help="remove it")
            text = _UNPRINTABLE.sub("\ufffd", text)
        return Scalar(self._span(node), text, node.style is None)

    def _bound(self, node: yaml.Node) -> None:
        self.count += 1
        limit = constants()["LIMIT_LAYOUT_NODES"]
        if any(node is other for other in self.open):
            place = at(self._span(node), "the anchor that is inside itself")
            self.problems.error("P111", "an alias contains itself", place, help="write the value that was meant")
            raise _Refused
        if self.count > limit:
            text = f"the layout grows to more than {limit} values when its aliases are expanded"
            help = "use `count` and `like` for repetition"
            self.problems.error("P102", text, at(self._span(node), "the expansion that went too far"), help=help)
            raise _Refused

    def _sequence(self, node: yaml.Node) -> Sequence:
        assert isinstance(node, SequenceNode)
        return Sequence(self._span(node), tuple(self.node(item) for item in node.value))

    def _mapping(self, node: MappingNode) -> Mapping:
        return Mapping(self._span(node), tuple(self._entries(node)))

    def _entries(self, node: MappingNode) -> Iterator[Entry]:
        seen: dict[str, Span] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            value = self.node(value_node)
            if key is None:
                continue
            if key.text in seen:
                first = at(seen[key.text], "first given here")
                help = "keep one of the two"
                self.problems.error(
                    "P113", f"the key '{key.text}' stands twice", at(key.span, "again"), first, help=help
                )
                continue
            seen[key.text] = key.span
            if isinstance(value, Scalar) and value.text == "" and value.plain:
                value = Scalar(key.span, "", True)
            yield Entry(key, value)

    def _key(self, node: yaml.Node) -> Scalar | None:
        if not isinstance(node, ScalarNode):
            help = "write a key for each"
            self.problems.error("P115", "a key is a list or a mapping", at(self._span(node), "this key"), help=help)
            return None
        key = self._scalar(node)
        if key.text == "<<" and key.plain:
            self.problems.error(
                "P112",
                "a merge key is refused",
                at(key.span, "merge key"),
                help="`like: OTHER` takes another partition's keys; anchors and aliases are allowed for whole values",
            )
            return None
        return key

    def _span(self, node: yaml.Node) -> Span:
        start, end = node.start_mark, node.end_mark
        last = end.column if end.line == start.line else len(self.lines[start.line].rstrip())
        return Span(self.file, start.line + 1, start.column + 1, max(last, start.column + 1) + 1)

# SPDX-License-Identifier: Apache-2.0
"""Repetition in a layout: `like: OTHER` takes another's keys, `count: 6` makes six of one, `{i}` is its number."""

from __future__ import annotations

from dataclasses import dataclass, replace

from parclose.constants import constants
from parclose.errors import Span
from parclose.problems import at
from parclose.source import Entry, Mapping, Node, Scalar, Sequence
from parclose.values import Reader
from parclose.wording import suggestion

_NUMBER = "{i}"


@dataclass(frozen=True)
class Named:
    """One of the things that a mapping names, after repetition. `group` is the key that stands in the file."""

    name: str
    span: Span
    group: str
    node: Node
    complete: bool = True  # False: it is like something that is not there


def expand(mapping: Mapping, reader: Reader, what: str) -> list[Named]:
    """What the keys of `mapping` name. Problems: P034 ({i} without count), P035 (like), P031 (count)."""
    return [
        named
        for entry in mapping.entries
        for named in _repeat(entry, _liken(entry, mapping, reader, what), reader, what)
    ]


def _liken(entry: Entry, mapping: Mapping, reader: Reader, what: str) -> tuple[Node, bool]:
    """The value of `entry` with the keys of what it is like, and whether all of that could be found."""
    seen = [entry.key.text]
    node = entry.value
    while isinstance(node, Mapping) and (like := node.get("like")) is not None:
        other = reader.text(like.value, f"'like' of {what} '{entry.key.text}'")
        model = mapping.get(other.value) if other.value is not None else None
        node = replace(node, entries=tuple(each for each in node.entries if each is not like))
        if other.value in seen:
            _note_circle(entry, like, seen, mapping, reader)
            return node, False
        if model is None or not isinstance(model.value, Mapping):
            if other.value is not None and model is None:
                _note_nobody(entry, like, other.value, mapping, reader)
            return node, False
        seen.append(model.key.text)
        own = {each.key.text for each in node.entries} | {"count"}
        node = replace(
            node, entries=node.entries + tuple(each for each in model.value.entries if each.key.text not in own)
        )
    return node, True


def _note_nobody(entry: Entry, like: Entry, name: str, mapping: Mapping, reader: Reader) -> None:
    names = [each.key.text for each in mapping.entries if each is not entry]
    text = f"'{entry.key.text}' is like '{name[:40]}', which is not there"
    help = suggestion(name, names, "there are")
    reader.problems.error("P035", text, at(like.value.span, "unknown"), at(entry.key.span, "in this one"), help=help)


def _note_circle(entry: Entry, like: Entry, seen: list[str], mapping: Mapping, reader: Reader) -> None:
    """Note a circle once: at the one of it that stands first in the file."""
    first = next(each.key.text for each in mapping.entries if each.key.text in seen)
    if isinstance(like.value, Scalar) and like.value.text == entry.key.text == first:
        here, there = at(like.value.span, "leads back"), at(entry.key.span, "begins here")
        help = "take one 'like' out of the circle"
        reader.problems.error("P035", f"'{seen[0]}' is like itself", here, there, help=help)


def _repeat(entry: Entry, likened: tuple[Node, bool], reader: Reader, what: str) -> list[Named]:
    node, complete = likened
    name, span = entry.key.text, entry.key.span
    count = node.get("count") if isinstance(node, Mapping) else None
    if count is None or not isinstance(node, Mapping):
        _refuse_number(Mapping(span, (Entry(entry.key, node),)), reader, span)
        return [Named(name, span, name, node, complete)]
    limit = constants()["LIMIT_PARTITIONS"] - 1
    number = reader.integer(count.value, f"'count' of {what} '{name}'", 1, limit).value
    rest = replace(node, entries=tuple(each for each in node.entries if each is not count))
    numbers = range(number if number is not None else 1)
    return [Named(f"{name}.{index}", span, name, _numbered(rest, str(index)), complete) for index in numbers]


def _numbered(node: Node, index: str) -> Node:
    """`node` with `{i}` replaced in every key and value."""
    if isinstance(node, Scalar):
        return replace(node, text=node.text.replace(_NUMBER, index)) if _NUMBER in node.text else node
    if isinstance(node, Sequence):
        return replace(node, items=tuple(_numbered(item, index) for item in node.items))
    return replace(
        node, entries=tuple(Entry(_key(each.key, index), _numbered(each.value, index)) for each in node.entries)
    )


def _key(key: Scalar, index: str) -> Scalar:
    return replace(key, text=key.text.replace(_NUMBER, index))


def _refuse_number(node: Node, reader: Reader, place: Span) -> None:
    """Note every `{i}` in something that is not repeated, but for what is repeated inside it."""
    if isinstance(node, Scalar):
        if _NUMBER in node.text:
            text, here = "{i} stands where nothing is repeated", at(node.span, "{i} has no value here")
            help = "`count: 6` beside it makes six, with {i} from 0 to 5"
            reader.problems.error("P034", text, here, at(place, "has no 'count'"), help=help)
    elif isinstance(node, Sequence):
        for item in node.items:
            _refuse_number(item, reader, place)
    else:
        for each in node.entries:
            _refuse_number(each.key, reader, place)
            if not isinstance(each.value, Mapping) or each.value.get("count") is None:
                _refuse_number(each.value, reader, place)

# SPDX-License-Identifier: Apache-2.0
"""Breaks a valid layout: in its document, key by key, and in its text, line by line."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from layout_grammar import LEAST_BUDGET, Document, layouts, text_of

Draw = st.DrawFn
_WORDS = """layout board partitions regions schedule aliases on_end program memory stack devices dma endpoints channels
config after health debug count like block console start size access shared to from data share quota write read cpu0
manager for run fault do limit within then sources elf builtin file cflags define guest processors on network mac
paths direct schedules"""
KEYS = _WORDS.split()
NAMES = ("", "manager", "_io", "monitor", "io", "io.disk0", "g0", "g0.0", "{i}", "9x", "a b", "ö" * 20, "x" * 200, "\0")
SIZES: tuple[str, ...] = (
    "0 B",
    "1 B",
    "4097 B",
    "4 KiB",
    "-4 KiB",
    "4 KB",
    "4",
    "1.5 MiB",
    "9999999999 TiB",
    "3 * 8 MiB",
    "4 MiB +",
)
SIZES += ("20 KiB", "60 MiB", "64 MiB", "100 MiB", "217 MiB", "218 MiB", "300 MiB", "1 GiB", "0x1000")
TIMES = (
    "0 ms",
    "1 ns",
    "1 ms",
    "-1 ms",
    "10 us",
    "9999999 h",
    "5 sec",
    "ms",
    "0.0001 ns",
    "900 us",
    "3 ms",
    "1 s",
    "1 min",
)
NUMBERS = (0, 1, -1, 3, 64, 65, 300, 1 << 31, 1 << 64, -(1 << 70), 10**300, 1.5, float("inf"), float("nan"))
OTHERS: tuple[Any, ...] = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    {"": ""},
    [None],
    {None: None},
    {1: 2},
    "~",
    "on",
    "guest.c",
)

Path = tuple[Any, ...]


@st.composite
def broken(draw: Draw) -> str:
    """The text of a layout that was valid before one to six things were done to it."""
    document = copy.deepcopy(draw(layouts()))
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 4)))):
        document = draw(st.sampled_from(WAYS))(draw, document)
    text = text_of(document, draw(st.sampled_from((None, False, True))))
    for _ in range(draw(st.sampled_from((0, 0, 0, 0, 1, 2)))):
        text = _change_line(draw, text)
    return text


def _places(node: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every value in a document, its own first."""
    yield path
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in children:
        yield from _places(value, (*path, key))


def _at(document: Any, path: Path) -> Any:
    for key in path:
        document = document[key]
    return document


def _put(document: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    _at(document, path[:-1])[path[-1]] = value
    return document


def _place(draw: Draw, document: Any, wanted: Callable[[Any], bool] = lambda value: True) -> Path | None:
    found = [path for path in _places(document) if path and wanted(_at(document, path))]
    return draw(st.sampled_from(found)) if found else None


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _garbage(draw: Draw) -> Any:
    pool: st.SearchStrategy[Any] = st.sampled_from(NAMES + SIZES + TIMES) | st.sampled_from(NUMBERS + OTHERS)
    return copy.deepcopy(draw(pool | st.text(max_size=12)))


def drop(draw: Draw, document: Any) -> Any:
    path = _place(draw, document)
    if path is not None:
        del _at(document, path[:-1])[path[-1]]
    return document


def rename(draw: Draw, document: Any) -> Any:
    """Another key: one that means something elsewhere, or nothing anywhere."""
    path = _place(draw, document)
    parent = _at(document, path[:-1]) if path else None
    if path and isinstance(parent, dict):
        name = draw(st.sampled_from([*KEYS, *NAMES]) | st.just(f"{path[-1]}s"))
        changed = {name if key == path[-1] else key: value for key, value in parent.items()}
        return _put(document, path[:-1], changed)
    return document


def replace(draw: Draw, document: Any) -> Any:
    path = _place(draw, document)
    return _put(document, path, _garbage(draw)) if path else document


def replace_scalar(draw: Draw, document: Any) -> Any:
    path = _place(draw, document, _is_scalar)
    return _put(document, path, _garbage(draw)) if path else document


def replace_quantity(draw: Draw, document: Any) -> Any:
    """A size or a time by another that is right in itself, or nearly."""
    path = _place(draw, document, lambda value: isinstance(value, str) and value[:1].isdigit())
    if path is None:
        return document
    others = SIZES if str(_at(document, path)).endswith("B") else TIMES
    return _put(document, path, draw(st.sampled_from(others)))


def other_name(draw: Draw, document: Any) -> Any:
    """A word or a list by names that mean something somewhere in the layout."""
    path = _place(draw, document, lambda value: isinstance(value, str | list))
    keys = [key for place in _places(document) for key in place if isinstance(key, str)]
    if path is None:
        return document
    names = st.sampled_from(sorted({*keys, "nvme0", "com1", "com2", *NAMES}))
    several = draw(st.booleans()) or isinstance(_at(document, path), list)
    return _put(document, path, draw(st.lists(names, max_size=3)) if several else draw(names))


def swap(draw: Draw, document: Any) -> Any:
    """Two values in each other's place: names, units, or extents that overlap then."""
    one, other = _place(draw, document, _is_scalar), _place(draw, document, _is_scalar)
    if one is None or other is None:
        return document
    first, second = _at(document, one), _at(document, other)
    return _put(_put(document, one, second), other, first)


def same_kind(draw: Draw, document: Any) -> Any:
    """One value of a key as at another place with this key: two owners, two writers, extents on each other."""
    path = _place(draw, document)
    if path is None:
        return document
    same = [other for other in _places(document) if other and other[-1] == path[-1]]
    return _put(document, path, copy.deepcopy(_at(document, draw(st.sampled_from(same)))))


def add_key(draw: Draw, document: Any) -> Any:
    path = _place(draw, document, lambda value: isinstance(value, dict))
    if path:
        _at(document, path)[draw(st.sampled_from(KEYS))] = _garbage(draw)
    return document


def circle(draw: Draw, document: Any) -> Any:
    """Everybody after, or like, everybody else."""
    partitions = document.get("partitions") if isinstance(document, dict) else None
    if not isinstance(partitions, dict):
        return document
    names = list(partitions)
    key = draw(st.sampled_from(("after", "like")))
    for index, name in enumerate(names):
        if isinstance(partitions[name], dict):
            partitions[name][key] = names if key == "after" else names[index - 1]
    return document


def wrap(draw: Draw, document: Any) -> Any:
    """A value deeper than it belongs, up to a depth that no layout has."""
    path = _place(draw, document)
    if path is None:
        return document
    value = _at(document, path)
    for _ in range(draw(st.sampled_from((1, 1, 2, 40, 150)))):
        value = [value] if draw(st.booleans()) else {"deep": value}
    return _put(document, path, value)


def short_budget(draw: Draw, document: Any) -> Any:
    """A budget that may be enough, or not: it depends on devices, clients and their regions."""
    found = [path for path in _places(document) if "run" in path and str(_at(document, path)).endswith(" us")]
    if not found:
        return document
    return _put(document, draw(st.sampled_from(found)), f"{draw(st.integers(4, LEAST_BUDGET))} us")


def repeat(draw: Draw, document: Any) -> Any:
    """A list with its items many times."""
    path = _place(draw, document, lambda value: isinstance(value, list))
    return _put(document, path, _at(document, path) * draw(st.sampled_from((2, 20, 200)))) if path else document


WAYS: tuple[Callable[[Draw, Document], Any], ...] = (
    drop,
    rename,
    replace,
    replace_scalar,
    replace_quantity,
    other_name,
    swap,
    same_kind,
    add_key,
    circle,
    wrap,
    repeat,
    short_budget,
)


def _change_line(draw: Draw, text: str) -> str:
    """One line twice, gone, indented otherwise, cut, or with something before it."""
    lines = text.split("\n")
    index = draw(st.integers(0, len(lines) - 1))
    line = lines[index]
    cut = draw(st.integers(0, len(line)))
    words = st.sampled_from(
        ("- ", "? ", "&a ", "*a ", "<<: ", "!!set ", "|", "#", "\t", "'", '"', "{", "]", ": ", "\ufeff")
    )
    changed = draw(
        st.sampled_from(([line, line], [], ["  " + line], [line[1:]], [line[:cut]], [line[:cut], line[cut:]]))
        | words.map(lambda word: [line[:cut] + word + line[cut:]])
    )
    return "\n".join([*lines[:index], *changed, *lines[index + 1 :]])

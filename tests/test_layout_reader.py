# SPDX-License-Identifier: Apache-2.0
"""The reader meets anything: no traceback, no hang, no problem without a place."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layout_corpus import BAD, GOOD
from parclose import render, units
from parclose.check import check
from parclose.errors import Problem
from parclose.problems import Collector
from parclose.source import Mapping, Node, Scalar, Sequence, read_bytes, split_lines
from parclose.values import Reader
from parclose.wording import format_size, format_time, nearest

WHOLE = (GOOD / "whole.yaml").read_text(encoding="utf-8")
TEXTS = [path.read_bytes() for path in sorted(BAD.glob("*.yaml"))] + [WHOLE.encode()]
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
WORDS = """layout: 1|\n|  |    |partitions:|board: qemu-q35|a:|- |[|]|{|}|, |: |&a |*a|<<: |!!int |? |'|"|\t|#|---\n|>|
program: main.c|channels:|to: a|from: a.b|{i}|count: 3|like: a|010|on|~|4 MiB|1 ms|\u00e9|\u2028|\x85"""
TOKENS = st.sampled_from(WORDS.split("|"))


def assert_placed(problems: tuple[Problem, ...], raw: bytes) -> None:
    lines = split_lines(raw.decode("utf-8-sig", "replace"))
    for problem in problems:
        assert problem.labels
        for label in problem.labels:
            assert 1 <= label.span.column < label.span.end
            assert label.span.line >= 1
            if label.span.file.endswith("fuzz.yaml"):
                assert label.span.line <= len(lines)


def check_bytes(raw: bytes, folder: Path) -> tuple[Problem, ...]:
    path = folder / "fuzz.yaml"
    path.write_bytes(raw)
    started = time.monotonic()
    system, problems = check(path)
    assert time.monotonic() - started < 20
    assert (system is not None) != any(problem.severity == "error" for problem in problems)
    assert_placed(problems, raw)
    render.text(problems)
    return problems


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("fuzz")
    (made / "main.c").write_text("int main(void) { return 0; }\n")
    (made / "files").symlink_to(GOOD / "files")
    return made


@QUICK
@given(raw=st.binary(max_size=400))
def test_any_bytes(folder: Path, raw: bytes) -> None:
    check_bytes(raw, folder)


@QUICK
@given(words=st.lists(TOKENS, max_size=40))
def test_any_tokens(folder: Path, words: list[str]) -> None:
    check_bytes("".join(words).encode(), folder)


@QUICK
@given(data=st.data())
def test_a_layout_with_a_piece_replaced(folder: Path, data: st.DataObject) -> None:
    raw = data.draw(st.sampled_from(TEXTS))
    start = data.draw(st.integers(0, len(raw)))
    length = data.draw(st.integers(0, 12))
    piece = data.draw(st.one_of(st.binary(max_size=6), TOKENS.map(str.encode)))
    check_bytes(raw[:start] + piece + raw[start + length :], folder)


def _scalars(node: Node) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    children = node.items if isinstance(node, Sequence) else [entry.value for entry in node.entries]
    return [scalar for child in children for scalar in _scalars(child)]


_TREE = read_bytes(WHOLE.encode(), "whole.yaml", Collector())
assert isinstance(_TREE, Mapping)
VALUES = _scalars(_TREE)


@pytest.mark.parametrize("garbage", ['"?!"', "{q: r}", "-1", "", r'"a\0b"', r'"\ud800"', "x" * 300])
def test_one_bad_value_causes_no_problem_elsewhere(folder: Path, garbage: str) -> None:
    """Each value of the whole layout in turn replaced: every error touches the line of the value.

    But for two kinds of value that may be taken out of a list, which is then another layout, not a bad value.
    """
    for scalar in VALUES:
        lines = WHOLE.split("\n")
        line = lines[scalar.span.line - 1]
        lines[scalar.span.line - 1] = line[: scalar.span.column - 1] + garbage + line[scalar.span.end - 1 :]
        problems = check_bytes("\n".join(lines).encode(), folder)
        for problem in problems:
            touched = scalar.span.line in [label.span.line for label in problem.labels]
            assert touched or (garbage == "" and problem.code in ("P061", "P124")), (line, problem)


def _repeated(pattern: str, count: int) -> str:
    return ", ".join(pattern.replace("#", str(index)) for index in range(count))


_A = "layout: 1\nboard: qemu-q35\npartitions:\n  a: {program: main.c, "
_B = "}\n  b: {program: main.c}\n"
MANY = {
    "devices": _A + f"devices: [{_repeated('com1', 3_000)}]" + _B,
    "unknown devices": _A + f"devices: [{_repeated('dev#', 3_000)}]" + _B,
    "unknown partitions": _A + f"after: [{_repeated('p#', 3_000)}]" + _B,
    "unknown keys": _A + _repeated("key#: 1", 2_000) + _B,
    "channels": _A + f"channels: {{{_repeated('c#: b', 2_000)}}}" + _B,
    "unknown ends": _A + f"channels: {{{_repeated('c#: b.e#', 2_000)}}}" + _B,
    "renames": _A + f"channels: {{{_repeated('c#: {from: b.c#}', 1_500)}}}" + _B,
    "sources": _A.replace("main.c", f"{{sources: [{_repeated('s#.c', 2_500)}]}}") + "memory: 1 MiB" + _B,
    "endpoints": _A + f"devices: [nvme0], endpoints: {{{_repeated('e#: {block: nvme0}', 1_500)}}}" + _B,
    "slots": _A + f"memory: 1 MiB{_B}schedule: {{cpu0: [{{for: 1 ms, run: [{_repeated('a', 3_000)}]}}]}}\n",
    "regions": _A + f"memory: 1 MiB{_B}regions: {{{_repeated('r#: {size: 4 KiB, read: [a, a]}', 2_000)}}}\n",
}


@pytest.mark.parametrize("text", MANY.values(), ids=MANY)
def test_very_many_of_a_kind_end_soon(folder: Path, text: str) -> None:
    started = time.monotonic()
    assert check_bytes(text.encode(), folder)
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{" * 100_000,
        "- " * 50_000,
        "? " * 50_000,
        "&a " * 5_000,
        "a: " * 5_000,
        "'" * 99_999,
        "a:\n" * 60_000,
    ],
    ids=["brackets", "braces", "dashes", "questions", "anchors", "colons", "quotes", "keys"],
)
def test_hostile_shapes_end_soon(folder: Path, text: str) -> None:
    started = time.monotonic()
    assert check_bytes(text.encode(), folder)
    assert time.monotonic() - started < 10


def test_a_hundred_thousand_problems_are_not_printed_twice(folder: Path) -> None:
    text = "layout: 1\nboard: qemu-q35\npartitions:\n  a: &a {program: main.c, after: [b], memory: 3}\n"
    text += "".join(f"  p{index}: *a\n" for index in range(60))
    problems = check_bytes(text.encode(), folder)
    assert sorted(problem.code for problem in problems) == ["P025", "P070"]


def test_a_mark_at_the_beginning_is_skipped(folder: Path) -> None:
    raw = b"\xef\xbb\xbflayout: 9\nboard: qemu-q35\npartitions: {a: {program: main.c}}\n"
    (problem,) = check_bytes(raw, folder)
    assert (problem.labels[0].span.line, problem.labels[0].span.column) == (1, 9)


@pytest.mark.parametrize(
    "text", ["memory: 0x10", "memory: 1e3 MiB", "memory: 99999999999999999999999 TiB", "memory: -4 MiB"]
)
def test_odd_sizes_are_problems(folder: Path, text: str) -> None:
    raw = f"layout: 1\nboard: qemu-q35\npartitions: {{a: {{program: main.c, {text}}}}}\n".encode()
    assert [problem.labels[0].span.line for problem in check_bytes(raw, folder)] == [3]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4 MiB", 4 << 20),
        ("64KiB", 64 << 10),
        ("0", 0),
        ("1.5 MiB", 3 << 19),
        ("3 * 8 MiB", 24 << 20),
        ("1 B + 2 * 3 KiB", 6145),
    ],
)
def test_sizes(text: str, value: int) -> None:
    assert units.size(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("10 ms", 10**7), ("300 us", 300_000), ("300 µs", 300_000), ("1 min", 6 * 10**10)]
)
def test_times(text: str, value: int) -> None:
    assert units.time(text) == value


@pytest.mark.parametrize(
    "text", ["4", "4 MB", "MiB", "4 4 MiB", "1.0001 KiB", "2 * 3", "", "* 4 MiB", "+", "∞ MiB", "٣ MiB"]
)
def test_no_sizes(text: str) -> None:
    with pytest.raises(units.UnitError):
        units.size(text)


@given(st.integers(0, 1 << 50))
def test_written_sizes_are_read_back(value: int) -> None:
    assert units.size(format_size(value)) == value


@given(st.integers(0, 10**15))
def test_written_times_are_read_back(value: int) -> None:
    assert units.time(format_time(value)) == value


def test_nearest() -> None:
    assert nearest("memroy", ["program", "memory"]) == "memory"
    assert nearest("xyz", ["program", "memory"]) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:02.0", "text"),
        ("52:54:00:12:34:56", "text"),
        ("on", "text"),
        ("010", "integer"),
        ("true", "boolean"),
        ("~", "null"),
    ],
)
def test_core_schema(text: str, expected: str) -> None:
    from parclose.values import kind

    node = read_bytes(f"a: {text}".encode(), "x", Collector())
    assert isinstance(node, Mapping)
    value = node.entries[0].value
    assert isinstance(value, Scalar)
    assert (value.text, kind(value)) == (text, expected)


def test_reader_takes_a_single_word_for_a_list() -> None:
    node = read_bytes(b"a", "x", Collector())
    assert node is not None
    assert Reader(Collector()).items(node, "it") == (node,)

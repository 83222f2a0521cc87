# SPDX-License-Identifier: Apache-2.0
"""Colours of the console's prefixes: only what the server wrote at the start of a line, however it is cut."""

from __future__ import annotations

import io
import itertools
import os
import re
import shlex
from collections.abc import Callable

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parclose.emulator import Machine
from parclose.prefixes import Painted
from test_run import PARCLOSE, Make, run

COLOUR = re.compile(rb"\x1b\[[0-9;]*m")


def painted(*pieces: bytes) -> bytes:
    sink = io.BytesIO()
    painter = Painted(sink)
    for piece in pieces:
        painter.write(piece)
        painter.flush()
    return sink.getvalue()


def cells(shown: bytes) -> list[tuple[bytes, bytes]]:
    """What stands in the terminal's cells, a line each: the letters, and for each whether it has a colour."""
    lines: list[dict[int, tuple[int, bool]]] = [{}]
    place, coloured = 0, False
    for part in re.findall(rb"\x1b\[[0-9;]*m|[\s\S]", shown):
        if part.startswith(b"\x1b"):
            coloured = part != b"\x1b[0m"
        elif part == b"\r":
            place = 0
        elif part == b"\n":
            lines.append({})
        else:
            lines[-1][place] = part[0], coloured
            place += 1
    return [(bytes(c for c, _ in line.values()), bytes(on for _, on in line.values())) for line in lines]


TEXT = b"sensor| one logger| two\r\nlogger< abc\r\n\r\nno prefix\r\nrtu.0| x\r\nsensor| \\x1b[31mred\r\n"


def test_prefixes_and_nothing_else() -> None:
    found = [letters[: sum(on)] for letters, on in cells(painted(TEXT))]
    assert found == [b"sensor| ", b"logger< ", b"", b"", b"rtu.0| ", b"sensor| ", b""]
    assert COLOUR.sub(b"", painted(TEXT)) == TEXT


@given(st.lists(st.integers(0, len(TEXT)), max_size=12))
def test_however_it_is_cut_the_terminal_shows_the_same(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(TEXT)]
    pieces = [TEXT[start:end] for start, end in itertools.pairwise(places)]
    assert cells(painted(*pieces)) == cells(painted(TEXT))


def test_a_name_keeps_its_colour_and_two_differ() -> None:
    first, second = painted(b"sensor| a\r\nsensor| b\r\n"), painted(b"logger| a\r\n")
    assert len(set(COLOUR.findall(first))) == 2  # one colour, and back
    assert COLOUR.findall(first)[0] != COLOUR.findall(second)[0]


@pytest.mark.parametrize(
    "line", [b"a|b\r\n", b"| x\r\n", b"1st| x\r\n", b"x" * 32 + b"| y\r\n", b"parclose: no\r\n", b"a b| c\r\n"]
)
def test_what_is_no_prefix_stays(line: bytes) -> None:
    assert painted(line) == line
    assert painted(*(line[i : i + 1] for i in range(len(line)))) == line


def test_a_pipe_and_a_copy_stay_plain(tiny_machine: Callable[..., Machine]) -> None:
    done = run(tiny_machine(say="sensor| hello\n"))
    assert "sensor| hello" in done.stdout and "\x1b" not in done.stdout
    asked = run(tiny_machine(say="sensor| hello\n"), "--color", "always")
    assert re.search(r"\x1b\[\d+msensor\| \x1b\[0mhello", asked.stdout)


def test_on_a_terminal_it_is_coloured(tiny_machine: Make) -> None:
    folder = tiny_machine(say="sensor| hello\n").image.parent
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": ""}
    words = shlex.join([*PARCLOSE, "run", str(folder), "--serial", str(folder / "copy")])
    session = pexpect.spawn("/bin/sh", ["-c", words], encoding="utf-8", timeout=30, env=environment)
    session.expect(r"\x1b\[\d+msensor\| \x1b\[0mhello")
    session.expect(pexpect.EOF)
    assert (folder / "copy").read_bytes().startswith(b"sensor| hello")

# SPDX-License-Identifier: Apache-2.0
"""Problems for people and for programs. The text form is part of the command line's contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from parclose.codes import CODES
from parclose.errors import Label, Problem
from parclose.source import split_lines

_WINDOW = 180  # characters of a line
_COLOURS = {"error": "1;31", "warning": "1;33", "bold": "1", "frame": "1;34", "related": "1;36", "help": "1;32"}


def text(problems: Iterable[Problem], sources: Mapping[str, str] | None = None, colour: bool = False) -> str:
    """All problems as text that ends in a line break; empty when there are none.

    `sources` holds the text of files by the name that spans carry; a file that is not in it is read from disk, and
    shown without its lines when that fails.
    """
    painter = _Painter(_Sources(sources or {}), colour)
    return "\n".join(painter.problem(problem) for problem in problems)


def as_json(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Each problem as JSON holds it: code, severity, message, spans (file, line, column, end, label), rule, help."""
    return [
        {
            "code": problem.code,
            "severity": problem.severity,
            "message": problem.message,
            "spans": [_span_as_json(label) for label in problem.labels],
            "rule": CODES[problem.code].rule,
            "help": problem.help,
        }
        for problem in problems
    ]


def _span_as_json(label: Label) -> dict[str, Any]:
    span = label.span
    return {"file": span.file, "line": span.line, "column": span.column, "end": span.end, "label": label.text}


class _Sources:
    """The lines of files, read once."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._lines = {name: split_lines(text.removeprefix("\ufeff")) for name, text in texts.items()}

    def line(self, file: str, number: int) -> str | None:
        if file not in self._lines:
            try:
                self._lines[file] = split_lines(Path(file).read_bytes().decode("utf-8-sig", "replace"))
            except OSError:
                self._lines[file] = []
        lines = self._lines[file]
        if number > len(lines):
            return None
        return lines[number - 1]


def _window(line: str, column: int) -> tuple[str, int]:
    """What is shown of a line, and the column in it: a very long line is cut around its place."""
    start = max(0, column - 1 - _WINDOW // 2) if len(line) > _WINDOW else 0
    before, after = "\u2026" if start else "", "\u2026" if start + _WINDOW < len(line) else ""
    cut = before + line[start : start + _WINDOW] + after
    shown = "".join(letter if letter.isprintable() or letter == "\t" else "\ufffd" for letter in cut)
    return shown, column - start + len(before)


class _Painter:
    def __init__(self, sources: _Sources, colour: bool) -> None:
        self.sources = sources
        self.colour = colour

    def paint(self, kind: str, words: str) -> str:
        return f"\x1b[{_COLOURS[kind]}m{words}\x1b[0m" if self.colour else words

    def problem(self, problem: Problem) -> str:
        width = max((len(str(label.span.line)) for label in problem.labels), default=1)
        head = self.paint(problem.severity, f"{problem.severity}[{problem.code}]")
        lines = [f"{head}{self.paint('bold', ': ' + problem.message)}"]
        for index, label in enumerate(problem.labels):
            lines += self.place(label, width, main=index == 0, severity=problem.severity)
        edge = " " * width + self.paint("frame", " =")
        lines.append(f"{edge} {self.paint('bold', 'rule')}: {CODES[problem.code].rule}")
        if problem.help:
            lines.append(f"{edge} {self.paint('help', 'help')}: {problem.help}")
        return "\n".join(lines) + "\n"

    def place(self, label: Label, width: int, main: bool, severity: str) -> list[str]:
        """The place of a label, with its line and what is to be said of it."""
        span, kind = label.span, severity if main else "related"
        arrow, mark = ("-->", "^") if main else (":::", "-")
        lines = [f"{' ' * width}{self.paint('frame', arrow)} {span.file}:{span.line}:{span.column}"]
        shown = self.sources.line(span.file, span.line)
        if shown is None:
            return [*lines, f"{' ' * width} {self.paint('frame', '|')} {label.text}".rstrip()]
        bar = self.paint("frame", "|")
        shown, column = _window(shown, span.column)
        length = max(1, min(column + span.end - span.column, len(shown) + 1) - column)
        under = "".join("\t" if letter == "\t" else " " for letter in shown[: column - 1])
        said = f" {label.text}" if label.text else ""
        return [
            *lines,
            f"{' ' * width} {bar}",
            f"{self.paint('frame', str(span.line).rjust(width))} {bar} {shown}".rstrip(),
            f"{' ' * width} {bar} {under}{self.paint(kind, mark * length + said)}",
        ]

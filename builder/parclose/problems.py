# SPDX-License-Identifier: Apache-2.0
"""Collecting problems: every stage of the check adds to one `Collector`, and all are reported together."""

from __future__ import annotations

from dataclasses import replace

from parclose.codes import CODES
from parclose.errors import Label, Problem, Span

_MOST_LABELS = 10


def at(span: Span, text: str = "") -> Label:
    """A place and what is to be said of it."""
    return Label(span, text)


class Collector:
    """The problems found so far. The same complaint about the same places is kept once (aliases, `count`)."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, tuple[Span, ...]], Problem] = {}
        self._said: set[tuple[Span, str]] = set()
        self._places: set[tuple[str, Span]] = set()
        self._keys: dict[tuple[str, str], tuple[str, tuple[Span, ...]]] = {}

    def error(self, code: str, message: str, *labels: Label, help: str = "") -> None:
        """Note an error. `labels[0]` is the main place; `code` must be in `CODES`."""
        self._add(Problem(code, message, labels, help, "error"))

    def error_once(self, code: str, message: str, *labels: Label, help: str = "") -> None:
        """Note an error unless one of that code has the same main place: `like` and `count` read a value many times."""
        if (code, labels[0].span) not in self._places:
            self.error(code, message, *labels, help=help)

    def error_folded(self, code: str, message: str, *labels: Label, help: str = "") -> None:
        """Note an error; where the same was said of another place already, add this place to it."""
        key = self._keys.get((code, message))
        if key is None:
            self.error(code, message, *labels, help=help)
            return
        known = self._found[key]
        if labels[0].span not in [label.span for label in known.labels] and len(known.labels) < _MOST_LABELS:
            self._found[key] = replace(known, labels=(*known.labels, replace(labels[0], text="here too")))

    def warning(self, code: str, message: str, *labels: Label, help: str = "") -> None:
        """Note a warning: the layout works and probably is not meant."""
        self._add(Problem(code, message, labels, help, "warning"))

    def _add(self, problem: Problem) -> None:
        if problem.code not in CODES:
            raise KeyError(problem.code)
        key = problem.code, tuple(label.span for label in problem.labels)
        said = problem.labels[0].span, problem.message
        if said not in self._said:
            self._said.add(said)
            self._places.add((problem.code, problem.labels[0].span))
            self._found.setdefault(key, problem)
            self._keys.setdefault((problem.code, problem.message), key)

    @property
    def failed(self) -> bool:
        """Whether an error is among them."""
        return any(problem.severity == "error" for problem in self._found.values())

    def count_errors(self) -> int:
        """How many errors are among them."""
        return sum(problem.severity == "error" for problem in self._found.values())

    def all(self) -> tuple[Problem, ...]:
        """All problems in the order of their main places."""
        return tuple(sorted(self._found.values(), key=lambda problem: (problem.labels[0].span, problem.code)))

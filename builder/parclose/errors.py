# SPDX-License-Identifier: Apache-2.0
"""Problems of a layout, and the errors that end a command.

A *problem* is something wrong with what the user wrote: it has a code, places
and advice, and all problems of one run are reported together. An *error* ends
the command with the exit code that the command line promises.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Span:
    """A place in a text file. Lines and columns count from 1; `end` is the column after the last character."""

    file: str
    line: int
    column: int
    end: int


@dataclass(frozen=True)
class Label:
    """A span and what is to be said of it."""

    span: Span
    text: str = ""


@dataclass(frozen=True)
class Problem:
    """One problem. `code` is a key of `codes.CODES`; `labels[0]` is the main place, the others are related ones."""

    code: str
    message: str
    labels: tuple[Label, ...]
    help: str = ""
    severity: str = "error"  # or "warning"


class ParcloseError(Exception):
    """Ends a command. `exit_code` is the process's exit status, `hint` one line that helps."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ParcloseError):
    """The command line is wrong."""

    exit_code = 2


class MissingTool(ParcloseError):
    """A program that is needed is not installed; `hint` holds the line that installs it."""

    exit_code = 3


class DeadlineError(ParcloseError):
    """A deadline passed."""

    exit_code = 4


class DeviceRefused(ParcloseError):
    """A device was refused."""

    exit_code = 5


class LayoutProblems(ParcloseError):
    """The layout, a board or a program has problems; at least one is an error."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


def raise_if_errors(problems: Iterable[Problem]) -> None:
    """Raise `LayoutProblems` with all of `problems` when one of them is an error."""
    found = tuple(problems)
    if any(problem.severity == "error" for problem in found):
        raise LayoutProblems(found)

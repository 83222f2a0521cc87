# SPDX-License-Identifier: Apache-2.0
"""Runs a page of docs/ as a reader would: saves the files that it shows, types its commands, compares the answers.

A file is a fenced block whose paragraph before says "as `NAME`". A command is a line of a `console` block that begins
with "$ "; the lines below it have to come in its answer, in this order, with `…` for anything and blanks as they like.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"as `([\w./-]+)`")
PATIENCE = 400  # seconds for one command; a host that is busy otherwise is no mistake of the page


@dataclass(frozen=True)
class File:
    """A file that the page shows."""

    name: str
    content: str


@dataclass(frozen=True)
class Command:
    """A command, and the lines that the page shows of its answer."""

    words: str
    shown: tuple[str, ...]

    @property
    def fails(self) -> bool:
        """Whether the page shows that it does."""
        return any(line.startswith("error") for line in self.shown)


def steps(page: str) -> Iterator[File | Command]:
    """The files and commands of `page`, in order. Raises `ValueError` for a block that is neither."""
    end = 0
    for block in _FENCE.finditer(page):
        before, end = page[end : block.start()], block.end()
        if block[1] == "console":
            yield from _commands(block[2])
            continue
        names = _NAME.findall(before.strip().rpartition("\n\n")[2])
        if len(names) != 1:
            raise ValueError(f"what is this block to be saved as?\n{block[0]}")
        yield File(names[0], block[2])


def _commands(text: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        words, *shown = part.splitlines()
        yield Command(words, tuple(line for line in shown if line.strip()))


def with_tool() -> dict[str, str]:
    """The environment of a reader who has this tool on the PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": ""}


def play(page: str, folder: Path, environment: Mapping[str, str] | None = None, before: Sequence[str] = ()) -> int:
    """Do all of `page` in `folder`; how many commands were run. Raises `AssertionError`.

    `before` are words that each command is put behind, such as those that run it as another user.
    """
    environment = environment or with_tool()
    number = 0
    for step in steps(page):
        if isinstance(step, File):
            (folder / step.name).unlink(missing_ok=True)
            (folder / step.name).write_text(step.content)
            print(f"# the file {step.name}, {len(step.content.splitlines())} lines")
            continue
        number += 1
        if step.words.startswith("cd "):
            folder = folder / step.words.removeprefix("cd ")
            print(f"$ {step.words}")
            continue
        done = subprocess.run(
            [*before, "bash", "-c", step.words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
        )
        print(f"$ {step.words}\n{done.stdout}", end="")  # pytest -s shows the page as it went
        assert (done.returncode != 0) == step.fails, f"$ {step.words}: exit {done.returncode}\n{done.stdout}"
        missing = first_missing(step.shown, done.stdout)
        assert missing is None, f"$ {step.words}: '{missing}' is not in its answer, or not in its place:\n{done.stdout}"
    return number


def first_missing(shown: tuple[str, ...], answer: str) -> str | None:
    """The first of the lines `shown` that `answer` does not hold after those before; None: it holds all."""
    lines = iter(" ".join(line.split()) for line in answer.splitlines())
    for line in shown:
        pattern = ".*".join(re.escape(" ".join(piece.split())) for piece in line.split("…"))
        if not any(re.search(pattern, candidate) for candidate in lines):
            return line
    return None

# SPDX-License-Identifier: Apache-2.0
"""The corpus of bad layouts, and what the check says of one of them. Run as a program it writes the expected texts anew,
for a person to read before they are committed: `python tests/layout_corpus.py`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from parclose import paths, render
from parclose.check import check
from parclose.errors import Problem

BAD = Path(__file__).parent / "layouts" / "bad"
GOOD = Path(__file__).parent / "layouts" / "good"


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Be in `folder`, so that spans name files as a user would see them."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def problems_of(path: Path) -> tuple[Problem, ...]:
    """What the check finds in a layout, with its name as its span's file."""
    with inside(path.parent):
        return check(Path(path.name))[1]


def text_of(path: Path) -> str:
    """The whole text of a layout's problems; shipped boards are named `shipped/NAME.yaml` wherever they are."""
    with inside(path.parent):
        said = render.text(check(Path(path.name))[1])
    return said.replace(f"{paths.data('boards')}{os.sep}", "shipped/")


def main() -> None:
    """Write every expected text anew."""
    for layout in sorted(BAD.glob("*.yaml")):
        layout.with_suffix(".expected").write_text(text_of(layout), encoding="utf-8")


if __name__ == "__main__":
    main()

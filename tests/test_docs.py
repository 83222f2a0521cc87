# SPDX-License-Identifier: Apache-2.0
"""The pages of docs/ are true: their files are saved, their commands run, their answers compared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from document import Command, File, first_missing, play, steps

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize(("page", "commands"), [("tutorial", 10), ("testing", 3)])
def test_a_page_goes_as_it_says(page: str, commands: int, tmp_path: Path) -> None:
    assert play((DOCS / f"{page}.md").read_text(), tmp_path) >= commands


def test_every_page_is_played_and_every_link_leads_somewhere() -> None:
    pages = sorted(DOCS.glob("*.md"))
    assert {page.stem for page in pages} >= {"tutorial", "testing"}
    for page in pages:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (DOCS / link).exists(), link


def test_steps_are_files_and_commands_in_their_order() -> None:
    page = "Save it as `a.c`:\n\n```c\nint a;\n```\n\n```console\n$ one\nit … says\n\n$ two\nerror: no\n```\n"
    file, one, two = steps(page)
    assert file == File("a.c", "int a;\n")
    assert one == Command("one", ("it … says",)) and isinstance(one, Command) and not one.fails
    assert isinstance(two, Command) and two.fails
    with pytest.raises(ValueError, match="saved as"):
        list(steps("Something.\n\n```c\nint a;\n```\n"))


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        (("a b", "c … e"), None),
        (("c d e", "a b"), "a b"),  # not in this order
        (("a b", "a b"), "a b"),  # each line counts once
        (("a x",), "a x"),
    ],
)
def test_an_answer_is_compared_line_by_line(shown: tuple[str, ...], missing: str | None) -> None:
    assert first_missing(shown, "a   b\nc d\tx e\n" if missing is None else "a b\nc d e\n") == missing


def test_a_page_that_lies_is_found(tmp_path: Path) -> None:
    for page in ("$ echo one\ntwo\n", "$ false\n", "$ echo error: no\nerror: no\n"):
        with pytest.raises(AssertionError):
            play(f"```console\n{page}```\n", tmp_path)

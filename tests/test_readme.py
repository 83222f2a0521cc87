# SPDX-License-Identifier: Apache-2.0
"""What the README shows is what is there: files, layouts, programs, commands."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()


def block(language: str) -> str:
    """The first fenced block of `language`."""
    found = re.search(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert found, language
    return found[1]


def without_comments(text: str, mark: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(mark))


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert len(links) > 10
    headings = {re.sub(r"[^a-z -]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in TEXT.splitlines()}
    for link in links:
        there = link[1:] in headings if link.startswith("#") else (ROOT / link).exists()
        assert there, link


def test_the_shortest_layout_is_the_one_that_new_copies() -> None:
    hello = ROOT / "examples" / "hello"
    assert block("yaml") == without_comments((hello / "layout.yaml").read_text(), "#")
    assert block("c") == without_comments((hello / "hello.c").read_text(), "//")


def test_every_command_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?:^|`)make ([a-z-]+)", TEXT, re.MULTILINE))
    assert targets >= {"demo", "test", "bench"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    commands = (ROOT / "builder" / "parclose" / "cli.py").read_text()
    verbs = set(re.findall(r"(?:`|bin/)parclose ([a-z]+)\b", TEXT))
    assert verbs >= {"new", "check", "build", "run", "inspect", "explain"}
    for verb in verbs:
        assert f'"{verb}"' in commands, verb


def test_the_folders_of_the_table_are_those_that_are_there() -> None:
    named = re.findall(r"^\| `([a-z_]+)/(?:parclose/)?` \|", TEXT, re.MULTILINE)
    assert len(named) == 10
    assert all((ROOT / name).is_dir() for name in named)

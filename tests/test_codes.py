# SPDX-License-Identifier: Apache-2.0
"""Codes, checks, layouts and pages belong together: none is without the others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import parclose
from layout_corpus import BAD, GENERATED
from parclose.checks import CHECKS
from parclose.codes import CODES, explain

SOURCES = [
    path
    for path in Path(parclose.__file__).parent.rglob("*.py")
    if not path.name.startswith("codes") and "_data" not in path.parts
]
USED = {code for path in SOURCES for code in re.findall(r'"(P\d{3})"', path.read_text(encoding="utf-8"))}
AFTER_COMPILING = {code for code in CODES if code.startswith("P3")}  # their tests build programs and plans


def test_no_problem_is_without_a_code() -> None:
    assert USED - set(CODES) == set()


def test_no_code_is_without_a_check() -> None:
    assert set(CODES) - USED == set()


def test_every_code_of_the_check_has_a_layout() -> None:
    names = [path.stem for path in BAD.glob("P*.yaml")] + list(GENERATED)
    assert {name.split("-")[0] for name in names} == set(CODES) - AFTER_COMPILING


def test_every_code_after_compiling_is_named_by_a_test() -> None:
    tests = Path(__file__).parent
    said = "".join(path.read_text(encoding="utf-8") for path in tests.glob("*.py") if path != Path(__file__))
    missing = {code for code in AFTER_COMPILING if code not in said}
    assert missing == set()


def test_every_layout_has_its_text() -> None:
    assert {path.stem for path in BAD.glob("*.yaml")} == {path.stem for path in BAD.glob("*.expected")}


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_page(code: str) -> None:
    page = explain(code.lower())
    assert page is not None
    for part in (code, "Rule: ", "Wrong:\n    ", "Right:\n    ", "Fix: "):
        assert part in page
    found = CODES[code]
    assert all((found.title, found.rule, found.bad, found.good, found.fix))
    assert found.bad != found.good


def test_an_unknown_code_has_none() -> None:
    assert explain("P999") is None
    assert explain("") is None


def test_rules_are_said_once() -> None:
    rules = [code.rule for code in CODES.values()]
    assert len(set(rules)) == len(rules)


def test_at_least_fifty_named_checks() -> None:
    names = {f"{check.__module__}.{check.__name__}" for check in CHECKS}
    assert len(names) == len(CHECKS) >= 50
    assert all(check.__doc__ and re.search(r"P\d{3}", check.__doc__) for check in CHECKS)
    assert len(set(CODES) - AFTER_COMPILING) >= 50

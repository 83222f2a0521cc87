# SPDX-License-Identifier: Apache-2.0
"""Layouts by the thousand, valid and broken: the check says what is wrong, and what it passes works.

The layouts come from the commit (PARCLOSE_SEED, printed with a failure). The same with more of them is slow, and soak.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import chance
import layout_model
import plans
from layout_breaking import broken, short_budget
from layout_grammar import Document, layouts, text_of, write
from parclose import emulator, inspect, pipeline, render
from parclose.audit import AuditError
from parclose.check import check
from parclose.codes import CODES
from parclose.errors import LayoutProblems, ParcloseError, Problem
from parclose.model import System
from parclose.planned import Plan
from parclose.source import split_lines
from parclose.testing.fixtures import require_qemu
from parclose.testing.machine import RunningMachine
from systems import line

LONGEST_CHECK, LONGEST_BUILD, LONGEST_RUN = 20.0, 60.0, 120.0  # seconds; on a host that is busy otherwise, too
SOAK = float(os.environ.get("PARCLOSE_SOAK", "300"))  # seconds, for all of this file
UNTIL_OVER = 0  # a count of layouts


def amounts(few: int) -> pytest.MarkDecorator:
    """So many layouts in `make test`, ten times as many in test-all, and in soak others until its time is over."""
    slow = pytest.param(10 * few, marks=pytest.mark.slow)
    return pytest.mark.parametrize("count", [few, slow, pytest.param(UNTIL_OVER, marks=pytest.mark.soak)])


def try_all(count: int, drawn: SearchStrategy[Any], holds: Callable[[Any], None]) -> None:
    """That `holds` does so for `count` layouts of `drawn`, the same ones for the same commit."""
    chosen = settings(
        max_examples=count or 50,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    limit, first = time.monotonic() + SOAK / 5, chance.seed()
    while True:
        print(f"seed of these layouts: PARCLOSE_SEED={first:#x}")
        seed(first + count)(chosen(given(drawn)(holds)))()
        if count != UNTIL_OVER or time.monotonic() >= limit:
            return
        first += 1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the layouts are written; spans name files as a user there would see them."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def remember(text: str) -> None:
    """Show the layout with a failure."""
    note(text)


def assert_placed(problems: tuple[Problem, ...], path: Path) -> None:
    """Every problem has a code that `explain` knows, and places that are there."""
    lines = len(split_lines(path.read_bytes().decode("utf-8-sig", "replace")))
    for problem in problems:
        assert problem.code in CODES
        assert problem.labels and problem.message
        for label in problem.labels:
            assert 1 <= label.span.column < label.span.end
            assert label.span.line >= 1 and (label.span.file != path.name or label.span.line <= lines)
    render.text(problems)
    json.dumps(render.as_json(problems))


def checked(text: str, folder: Path) -> System | None:
    """What the check makes of a layout. Whatever it is, it answers soon, and every answer has its place."""
    path = write(text, folder)
    started = time.monotonic()
    system, problems = check(Path(path.name))
    assert time.monotonic() - started < LONGEST_CHECK
    assert (system is None) == any(problem.severity == "error" for problem in problems)
    assert_placed(problems, path)
    return system


def valid(document: Document, folder: Path) -> System:
    """The system of a layout of the grammar, which must have no problem that is an error."""
    text = text_of(document)
    remember(text)
    system = checked(text, folder)
    assert system is not None, render.text(check(Path("generated.yaml"))[1])
    return system


@amounts(200)
def test_a_broken_layout_gets_answers_with_places(count: int, folder: Path) -> None:
    def whatever(text: str) -> None:
        remember(text)
        system = checked(text, folder)
        if system is not None:
            assert_planned(system)

    try_all(count, broken(), whatever)


@st.composite
def short_budgets(draw: st.DrawFn) -> str:
    """A valid layout with frames, but for its budgets: around what the monitor's work takes of them."""
    document = draw(layouts().filter(lambda each: "schedule" in each))
    return text_of(short_budget(draw, document))


@amounts(60)
def test_a_budget_that_is_mostly_the_monitors_is_refused_by_the_check_or_by_nobody(count: int, folder: Path) -> None:
    def whatever(text: str) -> None:
        remember(text)
        system = checked(text, folder)
        if system is None:
            refused.append(
                {problem.code for problem in check(Path("generated.yaml"))[1] if problem.severity == "error"}
            )
            return
        passed.append(system)
        made = plans.planned(system)
        layout_model.assert_sound(system, made, layout_model.of_plan(made))

    refused: list[set[str]] = []
    passed: list[System] = []
    try_all(count, short_budgets(), whatever)
    assert refused and passed and set.union(*refused) == {"P128"}


def assert_planned(system: System) -> None:
    """The plan is sound, or says with codes and places why there is none."""
    try:
        made = plans.planned(system)
    except LayoutProblems as found:
        assert_placed(found.problems, system.path)
        assert {problem.code[:2] for problem in found.problems} == {"P3"}  # the others are the check's to find
        return
    layout_model.assert_sound(system, made, layout_model.of_plan(made))


@amounts(60)
def test_a_valid_layout_has_a_sound_plan(count: int, folder: Path) -> None:
    def every(document: Document) -> None:
        system = valid(document, folder)
        made = plans.planned(system)
        layout_model.assert_sound(system, made, layout_model.of_plan(made))

    try_all(count, layouts(), every)


def built(folder: Path) -> pipeline.BuildResult:
    """The layout in `folder`, built, and looked at by all that look at images."""
    started = time.monotonic()
    result = pipeline.build(Path("generated.yaml"), folder / "out")
    assert time.monotonic() - started < LONGEST_BUILD
    image = result.image.read_bytes()
    layout_model.assert_sound(result.system, result.plan, layout_model.of_plan(result.plan))
    layout_model.assert_sound(result.system, result.plan, layout_model.of_image(result.plan, image))
    found = inspect.read(result.image)
    assert found["disagreements"] == []
    assert all(each["right"] for each in found["checksums"])
    inspect.text(found)
    return result


def moved(plan: Plan, name: str, label: str, to: int) -> Plan:
    """The plan with one stretch of a partition on other memory."""
    return replace(
        plan,
        partitions=tuple(
            each
            if each.partition.name != name
            else replace(
                each,
                stretches=tuple(
                    replace(stretch, physical=to) if stretch.label == label else stretch for stretch in each.stretches
                ),
            )
            for each in plan.partitions
        ),
    )


@pytest.mark.parametrize("label", ["stack", "data", "call page", "channel feed", "region table", "clock page"])
@pytest.mark.parametrize("of", ["logger", "io", "manager", "a page table", "a context", "nobody"])
def test_the_model_finds_what_it_is_there_for(label: str, of: str) -> None:
    """Each kind of memory of one partition on somebody else's, or on nothing that was planned."""
    system = line()
    made = plans.planned(system)
    layout_model.assert_sound(system, made, layout_model.of_plan(made))
    places = {each.partition.name: each.physical for each in made.partitions}
    first = made.partitions[1]
    places |= {"a page table": first.root, "a context": first.context, "nobody": made.extents[-1].end + (64 << 20)}
    wrong = moved(made, "sensor", label, places[of])
    assert wrong != made
    with pytest.raises(AssertionError):
        layout_model.assert_sound(system, wrong, layout_model.of_plan(wrong))


def test_the_model_finds_extents_on_each_other() -> None:
    system = line()
    made = plans.planned(system)
    one, other = made.extents[-2:]
    wrong = replace(made, extents=(*made.extents[:-1], replace(other, physical=one.end - layout_model.PAGE)))
    with pytest.raises(AssertionError):
        layout_model.assert_sound(system, wrong, layout_model.of_plan(wrong))


@amounts(10)
def test_a_valid_layout_is_built_and_inspected(count: int, folder: Path) -> None:
    def every(document: Document) -> None:
        valid(document, folder)
        built(folder)

    try_all(count, layouts(), every)


@amounts(10)
def test_what_the_check_passes_of_the_broken_is_built_or_refused_with_a_reason(count: int, folder: Path) -> None:
    done = 0

    def whatever(text: str) -> None:
        nonlocal done
        remember(text)
        if (count and done >= count) or checked(text, folder) is None:
            return
        done += 1
        try:
            built(folder)
        except LayoutProblems as found:  # what only a finished program shows
            assert_placed(found.problems, folder / "generated.yaml")
            assert {problem.code[:2] for problem in found.problems} == {"P3"}
        except AuditError:
            raise
        except ParcloseError as refused:  # the compiler's answer to flags and macros
            assert refused.message

    try_all(8 * count, broken(), whatever)
    assert done > 0


@amounts(6)
def test_a_valid_layout_boots_and_every_guest_ends_well(count: int, folder: Path) -> None:
    require_qemu()

    def every(document: Document) -> None:
        system = valid(document, folder)
        result = built(folder)
        options = emulator.Options(state=folder / "machine", fresh=True)
        machine = RunningMachine(emulator.machine(system.board, result.image), options, LONGEST_RUN)
        try:
            machine.finish()
            guests = [each.name for each in system.partitions if each.role.value == "guest"]
            assert {name: machine.end(name).status for name in guests} == dict.fromkeys(guests, 0)
            assert {machine.end(name).lives for name in guests} == {1}
        except AssertionError:
            note(machine.story(4000))
            raise
        finally:
            machine.stop()

    try_all(count, layouts(least=3), every)

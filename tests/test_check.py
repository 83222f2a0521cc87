# SPDX-License-Identifier: Apache-2.0
"""The check: each bad layout with the whole text that it must say, good ones with silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from layout_corpus import BAD, GENERATED, GOOD, checked, inside, problems_of, text_of, write_generated
from parclose import render
from parclose.check import check
from parclose.errors import Problem, UsageError

SINGLE = sorted(path for path in BAD.glob("P*.yaml"))
ALL = sorted(BAD.glob("*.yaml"))


@pytest.mark.parametrize("layout", ALL, ids=lambda path: path.stem)
def test_whole_text(layout: Path) -> None:
    expected = layout.with_suffix(".expected").read_text(encoding="utf-8")
    assert text_of(layout) == expected


@pytest.mark.parametrize("layout", SINGLE, ids=lambda path: path.stem)
def test_one_defect_is_one_problem(layout: Path) -> None:
    assert [problem.code for problem in problems_of(layout)] == [layout.stem.split("-")[0]]


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_generated_layouts(name: str, tmp_path: Path) -> None:
    problems = problems_of(write_generated(name, tmp_path))
    assert [problem.code for problem in problems] == [name.split("-")[0]]
    for word in GENERATED[name].words:
        assert word in render.text(problems)


@pytest.mark.parametrize("layout", ALL, ids=lambda path: path.stem)
def test_errors_give_no_system_and_warnings_do(layout: Path) -> None:
    system, problems = checked(layout)
    assert (system is None) == any(problem.severity == "error" for problem in problems)


def test_ten_defects_ten_problems_twenty_places() -> None:
    problems = problems_of(BAD / "many-ten-defects.yaml")
    assert len({problem.code for problem in problems}) == len(problems) == 10
    assert sum(len(problem.labels) for problem in problems) == 20
    assert all(problem.help for problem in problems)


@pytest.mark.parametrize("layout", ALL, ids=lambda path: path.stem)
def test_every_place_is_in_its_file_and_every_problem_helps(layout: Path) -> None:
    for problem in problems_of(layout):
        assert problem.help or problem.code == "P101", problem
        assert problem.labels
        for label in problem.labels:
            path = layout.parent / label.span.file
            lines = path.read_bytes().decode("utf-8", "replace").split("\n")
            assert 1 <= label.span.line <= len(lines)
            assert 1 <= label.span.column < label.span.end


@pytest.mark.parametrize("layout", sorted(GOOD.glob("*.yaml")), ids=lambda path: path.stem)
def test_good_layouts_are_silent(layout: Path) -> None:
    system, problems = check(layout)
    assert problems == ()
    assert system is not None


@pytest.mark.parametrize(
    ("name", "much", "less"),
    [
        ("P151-nine-networks", ", net8: io.net8", ""),  # an endpoint without a channel is no switch
        ("P151-beside-a-card", ", net7: io.net7", ""),
        ("P152-console-channels", "count: 33", "count: 32"),
        ("P152-network-channels", "count: 26", "count: 25"),
    ],
)
def test_an_io_partition_serves_up_to_its_limits_and_another_program_what_it_likes(
    name: str, much: str, less: str, tmp_path: Path
) -> None:
    text = (BAD / f"{name}.yaml").read_text()
    (tmp_path / "files").symlink_to(BAD / "files")
    layouts = {"fewer": text.replace(much, less), "own": text.replace("{builtin: io}", "files/hello.c")}
    for which, changed in layouts.items():
        assert changed != text
        (tmp_path / f"{which}.yaml").write_text(changed)
        found = problems_of(tmp_path / f"{which}.yaml")
        assert not [problem for problem in found if problem.severity == "error"], which


@pytest.mark.parametrize("idle", ["d0", "d4"])
def test_a_device_too_many_that_no_channel_leads_to_may_come_last(idle: str, tmp_path: Path) -> None:
    """As layouts before P150 had it, with a warning; in front of the others it takes the place of one that is used."""
    path = write_generated("P150-five-disks", tmp_path)
    channel = f"{idle}: io.e{idle}"
    text = path.read_text().replace(f", {channel}", "").replace(f"{channel}, ", "")
    for first, last in (("d0", "d4"), ("d4", "d0")):
        changed = path.with_stem(f"last_{last}")  # what was found in a file is kept by its name
        changed.write_text(text.replace("devices: [d0, d1, d2, d3, d4]", f"devices: [{first}, d1, d2, d3, {last}]"))
        errors = {problem.code for problem in problems_of(changed) if problem.severity == "error"}
        assert errors == (set() if last == idle else {"P150"}), last


@pytest.mark.parametrize("one", ["P025-size-without-unit", "P043-stack", "P029-on-is-not-true", "P011-unknown-device"])
@pytest.mark.parametrize("other", ["P058-config-is-a-folder", "P093-after-itself", "P094-limit-of-stop"])
def test_one_defect_hides_no_other(one: str, other: str, tmp_path: Path) -> None:
    """Two single-defect layouts of one partition each, put together, have both problems and no third."""
    lines = [*(BAD / f"{one}.yaml").read_text().splitlines(), (BAD / f"{other}.yaml").read_text().splitlines()[5]]
    (tmp_path / "files").symlink_to(BAD / "files")
    layout = tmp_path / "both.yaml"
    layout.write_text("\n".join(lines) + "\n")
    assert sorted(problem.code for problem in problems_of(layout)) == sorted([one[:4], other[:4]])


def test_a_bad_board_does_not_hide_the_layouts_problems(tmp_path: Path) -> None:
    (tmp_path / "boards").symlink_to(BAD / "boards")
    text = (BAD / "P012-two-owners.yaml").read_text().replace("qemu-q35", "role-of-nothing")
    (tmp_path / "files").symlink_to(BAD / "files")
    (tmp_path / "both.yaml").write_text(text)
    assert sorted(problem.code for problem in problems_of(tmp_path / "both.yaml")) == ["P012", "P215"]


def test_json_holds_what_the_contract_says() -> None:
    problems = problems_of(BAD / "P012-two-owners.yaml")
    document = json.loads(json.dumps(render.as_json(problems)))
    assert set(document[0]) == {"code", "severity", "message", "spans", "rule", "help"}
    assert document[0]["code"] == "P012"
    assert document[0]["rule"] == "a physical device belongs to exactly one partition"
    first = document[0]["spans"][0]
    assert (first["file"], first["line"], first["column"], first["end"]) == ("P012-two-owners.yaml", 9, 15, 19)


def test_colour_is_only_added_where_asked_for() -> None:
    problems = problems_of(BAD / "P012-two-owners.yaml")
    with inside(BAD):
        plain, coloured = render.text(problems), render.text(problems, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[1;31merror[P012]" in coloured


def test_control_characters_do_not_reach_the_terminal() -> None:
    with inside(BAD):
        said = render.text(problems_of(BAD / "P107-control-character.yaml"))
    assert "\x07" not in said


def test_a_source_that_is_gone_still_gives_a_message() -> None:
    problem = Problem("P012", "message", problems_of(BAD / "P012-two-owners.yaml")[0].labels)
    assert "rule: a physical device" in render.text([problem], sources={"P012-two-owners.yaml": ""})


@pytest.mark.parametrize(
    ("path", "hint"),
    [("P012-two-owner.yaml", "P012-two-owners.yaml"), (".", "name the .yaml file"), ("nowhere/x.yaml", "parclose new")],
)
def test_no_layout_is_wrong_usage(path: str, hint: str) -> None:
    with inside(BAD), pytest.raises(UsageError) as raised:
        check(Path(path))
    assert hint in raised.value.hint


def test_board_of_the_command_line() -> None:
    with inside(BAD):
        system, problems = check(Path("P041-more-than-a-partition-may-have.yaml"), board="qemu-q35")
        assert [problem.code for problem in problems] == ["P041"]
        assert system is None
        with pytest.raises(UsageError) as raised:
            check(Path("P012-two-owners.yaml"), board="qemu-q53")
    assert "qemu-q35" in raised.value.hint

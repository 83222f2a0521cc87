# SPDX-License-Identifier: Apache-2.0
"""Our own C under gcc's analyser and cppcheck: no alarm without an answer, no answer without its alarm."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import analysis_kit
from analysis_kit import ANSWERS, GROUPS, ROOT, analyse, answered, units

TOOLS = ("gcc", "cppcheck")

# What each tool must see: file of the monitor, a piece of it, what stands there instead, and the alarm.
PLANTED = {
    "a status that nobody looks at": (
        "gcc",
        "serve.c",
        "status == STATUS_OK ? channel_release(end->target, count.raw) : status",
        "channel_release(end->target, count.raw)",
        "-Wmaybe-uninitialized",
    ),
    "a row that was not found": (
        "gcc",
        "call.c",
        "  *found = &context->descriptors[index.raw];\n",
        "  *found = index.raw < LIMIT_BATCH ? &context->descriptors[index.raw] : NULL;\n",
        "-Wanalyzer-null-dereference",
    ),
    "an array that is too short": (
        "cppcheck",
        "print.c",
        'char digits[19] = "0x0000000000000000";',
        'char digits[17] = "0x00000000000000";',
        "arrayIndexOutOfBounds",
    ),
    "a shift beyond the width": (
        "cppcheck",
        "channel.c",
        "(uint64_t)in_flight << 8",
        "(uint64_t)(in_flight << 32)",
        "shiftTooManyBits",
    ),
}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("tool", TOOLS)
def test_each_alarm_is_answered_and_each_answer_has_its_alarm(tool: str, group: str) -> None:
    found = set().union(*(analyse(tool, unit) for unit in units(group)))
    known = {alarm for alarm in answered() if alarm.tool == tool and alarm.file.startswith(f"{group}/")}
    assert sorted(alarm.row() for alarm in found - known) == [], f"not answered in one of {ANSWERS}"
    assert sorted(alarm.row() for alarm in known - found) == [], "these no longer occur: take their answers away"


def test_every_c_file_of_ours_and_every_answer_belongs_to_a_group() -> None:
    analysed = {unit.source for group in GROUPS for unit in units(group)}
    written = {file for folder in ("monitor_asm", "partitions") for file in (ROOT / folder).rglob("*.c")}
    assert analysed == written
    strays = [alarm for alarm in answered() if not alarm.file.startswith(tuple(f"{group}/" for group in GROUPS))]
    assert strays == []


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_raises_an_alarm(name: str, tmp_path: Path) -> None:
    tool, file, find, replace, expected = PLANTED[name]
    for folder in ("monitor_asm", "abi"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    place = tmp_path / "monitor_asm" / file
    text = place.read_text()
    assert text.count(find) == 1
    place.write_text(text.replace(find, replace))
    unit = next(unit for unit in units("monitor_asm", tmp_path / "monitor_asm") if unit.source == place)
    assert expected in {alarm.alarm for alarm in analyse(tool, unit) - answered().keys()}


def test_a_row_that_is_no_answer_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "analysis.md"
    file.write_text("| gcc | `monitor_asm/call.c` | `-Wanalyzer-x` | `a || b` | no |\n")
    with pytest.raises(AssertionError, match="not tool, file, alarm, line, answer"):
        analysis_kit.answered([str(file)])

# SPDX-License-Identifier: Apache-2.0
"""The report answers what each partition may touch and why, who has which memory, and the schedule's worst cases."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import systems
from parclose import report, report_time
from parclose.model import Frame, ProcessorSchedule, Slot

Document = dict[str, Any]
MILLISECOND = 1_000_000


@pytest.fixture(scope="module")
def made() -> Document:
    system = systems.reported()
    return report.make(system, systems.planned(system))


def partition(made: Document, name: str) -> Document:
    return next(one for one in made["partitions"] if one["name"] == name)


def test_it_is_plain_json_and_names_no_folder(made: Document) -> None:
    written = json.dumps(made)
    assert json.loads(written) == made
    for text in (written, report.text(made)):
        assert "/home" not in text
        assert "/opt" not in text


def test_every_stretch_has_a_reason_and_its_line(made: Document) -> None:
    because = {(one["what"], one["why"], one["source"]) for one in partition(made, "sensor")["memory"]}
    assert {
        ("channel disk", "its channel to io.records", "line.yaml:15"),
        ("channel feed", "its channel with logger", "line.yaml:17"),
        ("region table", "it writes the region table, shared with logger", "line.yaml:30"),
        ("configuration sensor.toml", "its configuration sensor.toml", "line.yaml:21"),
        ("call page", "every partition passes batches of arguments to the monitor in it", ""),
    } <= because
    assert {one["source"] for one in partition(made, "sensor")["memory"] if one["what"] == "stack"} == {"line.yaml:12"}
    for one in made["partitions"]:
        assert all(stretch["why"] for stretch in one["memory"])


def test_registers_and_ports_are_the_owners(made: Document) -> None:
    registers = [one for one in partition(made, "io")["memory"] if one["why"] == "it owns the device nvme0"]
    assert [(one["physical"], one["size"], one["source"]) for one in registers] == [
        (0xE0000000, 0x2000, "line.yaml:5"),
        (0xE0003000, 0x1000, "line.yaml:5"),
    ]
    assert partition(made, "io")["ports"] == [
        {"first": 0x3F8, "count": 8, "why": "it owns the device com1", "source": "line.yaml:5"}
    ]
    assert [one["first"] for one in partition(made, "manager")["ports"]] == [0x402, 0x604, 0xCF9]
    assert partition(made, "sensor")["ports"] == []


def test_a_channel_says_what_it_opens_of_the_disk(made: Document) -> None:
    disk = partition(made, "sensor")["channels"][0]
    assert disk["extent"] == {"device": "nvme0", "start": 0, "size": 8 << 20}
    assert [one["why"] for one in partition(made, "io")["channels"]] == [
        "it serves records to sensor",
        "it serves line to sensor",
        "it serves line to logger",
    ]


def test_who_is_trusted_with_dma_is_said_plainly(made: Document) -> None:
    assert made["dma"] == [{"partition": "io", "devices": ["nvme0"], "trusted": True, "source": "line.yaml:5"}]
    assert "Trusted with all memory, too: partition io (line.yaml:5)" in report.text(made)
    system = systems.reported()
    io = replace(system.partitions[1], devices=("com1",), dma_trusted=False)
    rest = replace(
        system,
        partitions=(system.partitions[0], io, *system.partitions[2:]),
        endpoints=system.endpoints[1:],
        channels=system.channels[1:],
    )
    without = report.make(rest, systems.planned(rest))
    assert without["dma"] == []
    assert without["unused_devices"] == ["nvme0", "com2"]
    assert "No partition drives a bus master." in report.text(without)


def test_the_memory_map_covers_every_byte_once(made: Document) -> None:
    rows = made["memory_map"]
    at = 0
    for row in rows:
        assert row["start"] == at, row
        assert row["size"] > 0
        at += row["size"]
    assert at == 0x1000000 + 0xDA00000
    assert rows[0]["kind"] == "not planned"
    assert rows[-1]["kind"] == "free"
    owners = {row["owner"] for row in rows if row["kind"] == "partition"}
    assert owners == {"manager", "io", "sensor", "logger"}


def test_two_ranges_of_memory_have_a_hole_between() -> None:
    system = systems.reported()
    first = system.board.memory[0]
    high = replace(first, start=0x100000000, size=0x1000000)
    split = replace(system, board=replace(system.board, memory=(high, first)))
    rows = report.make(split, systems.planned(split))["memory_map"]
    assert [row["kind"] for row in rows[-2:]] == ["not planned", "free"]
    assert rows[-1]["start"] == 0x100000000
    assert sum(row["size"] for row in rows) == 0x101000000


def test_the_drawing_fits_and_names_all(made: Document) -> None:
    drawing = report.memory_map(made)
    lines = drawing.splitlines()
    assert max(map(len, lines)) <= 100
    for name in (
        "monitor",
        "database",
        "partition io",
        "partition sensor",
        "region table",
        "channel sensor.feed",
        "free",
    ):
        assert any(name in line for line in lines), name
    assert len(lines) < len(made["memory_map"]), "the small pages are drawn together"


def test_worst_cases_of_the_schedule(made: Document) -> None:
    major = 3_050_000
    io, sensor, logger, manager = (partition(made, name)["time"] for name in ("io", "sensor", "logger", "manager"))
    assert sensor["sure_ns"] == 1_700_000
    assert sensor["most_ns"] == 2_000_000
    assert sensor["sure_share"] == round(1_700_000 / major, 6)
    assert sensor["longest_wait_ns"] == major - 1_700_000 + 300_000
    assert logger["longest_wait_ns"] == major - 700_000 + 300_000
    assert io["turns"] == 2
    assert io["longest_wait_ns"] == 2_000_000 - 300_000
    assert manager["longest_wait_ns"] == major - 50_000


def schedule(*frames: tuple[int, list[tuple[str, int]]]) -> ProcessorSchedule:
    made = tuple(Frame(length, tuple(Slot(*slot) for slot in slots), None) for length, slots in frames)
    return ProcessorSchedule("cpu0", made)


@pytest.mark.parametrize(
    ("frames", "sure", "wait"),
    [
        ([(MILLISECOND, [("a", 0)])], MILLISECOND, 0),
        ([(MILLISECOND, [("a", 250_000)])], 250_000, 750_000),
        ([(MILLISECOND, [("b", 0), ("a", 0)])], 0, None),
        ([(MILLISECOND, [("b", 600_000), ("c", 600_000), ("a", 0)])], 0, None),
        ([(MILLISECOND, [("b", 600_000), ("a", 100_000)])], 100_000, 1_500_000),
        ([(MILLISECOND, [("b", 0), ("a", 0)]), (MILLISECOND, [("a", 0)])], MILLISECOND, MILLISECOND),
        ([(MILLISECOND, [("b", 0)])], 0, None),
    ],
)
def test_a_partitions_sure_time_and_longest_wait(
    frames: list[tuple[int, list[tuple[str, int]]]], sure: int, wait: int | None
) -> None:
    found = report_time.figures((schedule(*frames),), "a")
    assert (found["sure_ns"], found["longest_wait_ns"]) == (sure, wait)


def test_the_longest_wait_is_the_worst_of_a_simulation() -> None:
    """Each microsecond the adversaries before it choose whether they are ready; `a` always is."""
    made = schedule((10_000, [("b", 3_000), ("a", 0)]), (5_000, [("c", 0)]), (8_000, [("c", 2_000), ("a", 4_000)]))
    worst = 0
    for choice in range(1 << 4):
        patterns = [bool(choice >> bit & 1) for bit in range(4)]
        worst = max(worst, _simulate(made, patterns))
    assert worst == report_time.longest_wait(made, "a")


def _simulate(made: ProcessorSchedule, late: list[bool]) -> int:
    """The longest time `a` does not run; `late[i]`: the entry before it in occurrence i takes its budget at the end."""
    running: list[bool] = []
    for occurrence, frame in enumerate([*made.frames, *made.frames]):
        held = late[occurrence % 4]
        before, own, seen = 0, 0, False
        for slot in frame.slots:
            if slot.partition == "a":
                own, seen = slot.budget or frame.length, True
                break
            before += slot.budget or frame.length
        before = min(before, frame.length)
        length = min(own, frame.length - before) if seen else 0
        idle = frame.length - before - length
        parts = [(length, True), (idle + before, False)] if held else [(before, False), (length, True), (idle, False)]
        running += [state for size, state in parts for _ in range(size // 1000)]
    longest = current = 0
    for state in running:
        current = 0 if state else current + 1000
        longest = max(longest, current)
    return longest


def test_the_text_has_all_parts(made: Document) -> None:
    text = report.text(made)
    assert text.endswith("\n")
    for part in ("What each partition may touch, and why", "Schedule", "Memory", "Defaults filled in", "waits at most"):
        assert part in text
    assert "partition sensor, guest (line.yaml:12)" in text
    assert "nvme0 bytes 0x0-0x7fffff, reads, writes" in text
    assert "characters to the debug port" in text
    assert "partition 'sensor': stack 64 KiB" in text


def test_the_same_layout_elsewhere_is_the_same_report(made: Document) -> None:
    there = systems.reported("/srv/elsewhere")
    assert there.partitions[1].span.file == "/srv/elsewhere/line.yaml"
    assert report.make(there, systems.planned(there)) == made

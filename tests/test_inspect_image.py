# SPDX-License-Identifier: Apache-2.0
"""What a build makes, read back: rows, page tables and report are three accounts of one plan, and they agree."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import systems
from image_kit import entry_of, file_offset, row_of
from parclose import inspect, paths, pipeline
from parclose.constants import constants
from parclose.errors import ParcloseError
from parclose.inspect import physical
from parclose.model import Program, System

Document = dict[str, Any]


def with_programs(system: System, folder: Path) -> System:
    """The hand-made layout with programs that compile."""
    (folder / "sensor.toml").write_text("rate = 100\n")
    hello = Program(sources=(paths.data("examples", "hello", "hello.c"),))
    programs = {"manager": Program(builtin="manager"), "io": Program(builtin="io")}
    partitions = tuple(
        replace(
            partition,
            memory=None,
            program=programs.get(partition.name, hello),
            config=tuple(replace(config, path=folder / config.name) for config in partition.config),
        )
        for partition in system.partitions
    )
    return replace(system, partitions=partitions)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    return pipeline.build_system(with_programs(systems.reported(), folder), folder / "out").image


@pytest.fixture(scope="module")
def found(built: Path) -> Document:
    return inspect.read(built)


def test_rows_and_tables_agree(found: Document) -> None:
    assert found["disagreements"] == []
    assert [partition["name"] for partition in found["partitions"]] == ["manager", "io", "sensor", "logger"]


def test_the_report_promised_just_what_the_tables_open(built: Path, found: Document) -> None:
    report = json.loads((built.parent / "report.json").read_text())
    for said, read in zip(report["partitions"], found["partitions"], strict=True):
        promised = {(one["address"], one["size"], one["physical"], one["rights"]) for one in said["memory"]}
        opened = {(one["address"], one["size"], one["physical"], one["rights"]) for one in joined(read["mappings"])}
        assert promised == opened, said["name"]
        ports = {(one["first"], one["first"] + one["count"] - 1) for one in said["ports"]}
        assert ports == {(one["first"], one["last"]) for one in read["ports"]}


def joined(mappings: list[Document]) -> list[Document]:
    """The resource database is two grants (rows, and room behind them) and one mapping."""
    first = [one for one in mappings if one["of"] == "resource database"]
    rest = [one for one in mappings if one["of"] != "resource database"]
    return [*rest, *([{**first[0], "size": sum(one["size"] for one in first)}] if first else [])]


def test_the_report_and_the_rows_tell_of_the_same_schedule(built: Path, found: Document) -> None:
    report = json.loads((built.parent / "report.json").read_text())
    said = [
        [(slot["partition"], slot["budget_ns"]) for slot in frame["slots"]] for frame in report["schedule"][0]["frames"]
    ]
    read = [
        [(slot["partition"], slot["budget_ns"]) for slot in frame["slots"]]
        for frame in found["processors"][0]["frames"]
    ]
    assert said == read


CHANGES = [
    ("partitions", 2, "role", b"\x01", "convert"),
    ("endpoints", 0, "size", b"\x00\x02", "bytes 0x0+0x800200"),
    ("channels", 0, "quota", b"\x05", "at most 5 in flight"),
    ("slots", 1, "budget_ns", bytes(8), "io, then sensor"),
    ("regions", 0, "physical", b"\x00\x10\x00\x05", "its row says 0x5001000"),
]


@pytest.mark.parametrize(("table", "row", "member", "data", "said"), CHANGES)
def test_changed_bytes_of_a_row_in_the_built_image(
    built: Path, tmp_path: Path, table: str, row: int, member: str, data: bytes, said: str
) -> None:
    content = bytearray(built.read_bytes())
    place = file_offset(content, row_of(physical.load(built), table, row, member))
    content[place : place + len(data)] = data
    changed = tmp_path / "changed.elf"
    changed.write_bytes(content)
    before, after = inspect.text(inspect.read(built)), inspect.text(inspect.read(changed))
    assert before.splitlines()[1:] != after.splitlines()[1:]
    assert said in after
    assert "will not start: checksum of resource database" in after and "will not start" not in before


def test_an_image_that_will_not_start_is_no_success(built: Path, tmp_path: Path) -> None:
    """One bit of a row that nothing contradicts: where a stack begins."""
    content = bytearray(built.read_bytes())
    content[file_offset(content, row_of(physical.load(built), "partitions", 2, "stack_top"))] ^= 8
    changed = tmp_path / "changed.elf"
    changed.write_bytes(content)
    assert inspect.read(changed)["disagreements"] == []
    for image, code in ((built, 0), (changed, 1)):
        words = [sys.executable, "-m", "parclose", "inspect", str(image)]
        assert subprocess.run(words, capture_output=True, timeout=60).returncode == code


def test_a_right_added_in_the_built_page_tables(built: Path, found: Document, tmp_path: Path) -> None:
    memory, content = physical.load(built), bytearray(built.read_bytes())
    root = found["partitions"][2]["root"]
    place = file_offset(content, entry_of(memory, root, constants()["PROGRAM_ADDRESS"]))
    content[place] |= constants()["PAGE_WRITABLE"]
    changed = tmp_path / "changed.elf"
    changed.write_bytes(content)
    said = [one["text"] for one in inspect.read(changed)["disagreements"] if one["partition"] == "sensor"]
    assert "region 'text' at 0x400000 is mapped rwx, its row says r-x" in said
    done = subprocess.run(
        [sys.executable, "-m", "parclose", "inspect", str(changed)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "is mapped rwx, its row says r-x" in done.stdout


def test_mutations_of_the_built_image(built: Path, tmp_path: Path) -> None:
    chance, whole, changed = random.Random(4), built.read_bytes(), tmp_path / "mutated.elf"
    start = file_offset(bytearray(whole), constants()["DATABASE_PHYSICAL"])
    for _ in range(40):
        content = bytearray(whole)
        for _ in range(chance.choice((1, 4, 32))):
            near = chance.random() < 0.6
            content[start + chance.randrange(8000) if near else chance.randrange(len(content))] = chance.randrange(256)
        changed.write_bytes(content)
        try:
            inspect.text(inspect.read(changed))
        except ParcloseError as refused:
            assert refused.message

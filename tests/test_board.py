# SPDX-License-Identifier: Apache-2.0
"""The shipped board says what QEMU's machine is, and any board file is read without a traceback."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layout_corpus import GOOD
from parclose import paths, render
from parclose.board import load_board
from parclose.board_checks import usable
from parclose.check import check
from parclose.constants import constants
from parclose.model import BarKind, Board
from parclose.problems import Collector

SHIPPED = paths.data("boards", "qemu-q35.yaml")
TEXT = SHIPPED.read_bytes()
MEMORY_END = 256 << 20
FIRMWARE = 22 << 20  # what UEFI firmware keeps at the top of low memory


def shipped() -> Board:
    problems = Collector()
    board, sound = load_board(SHIPPED, problems)
    assert problems.all() == ()
    assert board is not None and sound
    return board


def test_memory_leaves_firmware_its_own() -> None:
    (memory,) = shipped().memory
    assert memory.start == constants()["MONITOR_PHYSICAL"]
    assert memory.start + memory.size <= MEMORY_END - FIRMWARE
    assert usable(shipped())[0].start == constants()["PLAN_PHYSICAL"]


def test_features_stand_where_the_processor_reports_them() -> None:
    places = {feature.name: (feature.leaf, feature.output, feature.bit) for feature in shipped().features}
    assert places["NX"] == (0x80000001, 3, 20)
    assert places["FSGSBASE"] == (7, 1, 0)
    assert places["AVX"] == (1, 2, 28)


def test_reserved_ports_are_nobodys() -> None:
    board = shipped()
    ports = {
        port
        for device in board.devices
        for bar in device.bars
        if bar.address
        for port in range(bar.address, bar.address + bar.size)
    }
    assert not ports & {board.debug_port, board.report_port, 0xCF8, 0xCFC, 0x604, 0x20, 0xA0, 0x40, 0x64, 0x70}


def ask_qemu(board: Board, disk: Path, *commands: str) -> list[Any]:
    """What QEMU's monitor answers of the board's own machine, stopped before its first instruction."""
    assert board.qemu is not None
    arguments = [word.replace("{disk:nvme0}", str(disk)) for word in board.qemu.arguments]
    spoken = [{"execute": "qmp_capabilities"}, *({"execute": command} for command in commands), {"execute": "quit"}]
    done = subprocess.run(
        ["qemu-system-x86_64", *arguments, "-S", "-qmp", "stdio"],
        input="".join(json.dumps(command) + "\n" for command in spoken),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [answer["return"] for answer in answers if "return" in answer][1 : len(commands) + 1]


def test_qemu_has_the_devices_that_the_board_names(tmp_path: Path) -> None:
    board = shipped()
    disk = tmp_path / "disk"
    nvme = next(device for device in board.devices if device.name == "nvme0")
    with disk.open("wb") as stream:
        stream.truncate(nvme.capacity)
    pci, blocks, cpus = ask_qemu(board, disk, "query-pci", "query-block", "query-cpus-fast")
    slots = {
        (each["bus"] << 8) | (each["slot"] << 3) | each["function"]: each for bus in pci for each in bus["devices"]
    }
    found = slots[nvme.address]
    assert (found["id"]["device"] << 16) | found["id"]["vendor"] == nvme.identity
    assert found["class_info"]["class"] == nvme.class_code >> 8
    (bar,) = nvme.bars
    assert [(each["bar"], each["size"], each["mem_type_64"]) for each in found["regions"]] == [
        (bar.index, bar.size, bar.kind is BarKind.MEMORY_64)
    ]
    assert blocks[0]["inserted"]["image"]["virtual-size"] == nvme.capacity == dict(board.qemu.disks)["nvme0"]  # type: ignore[union-attr]
    assert len(cpus) == len(board.processors)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    start=st.integers(0, len(TEXT)),
    length=st.integers(0, 20),
    piece=st.one_of(st.binary(max_size=5), st.sampled_from([b"{}", b"[]", b"-1", b"x", b"~", b": ", b"0x1", b"4 MiB"])),
)
def test_a_board_with_a_piece_replaced(folder: Path, start: int, length: int, piece: bytes) -> None:
    (folder / "boards" / "qemu-q35.yaml").write_bytes(TEXT[:start] + piece + TEXT[start + length :])
    system, problems = check(folder / "hello.yaml")
    assert (system is not None) != any(problem.severity == "error" for problem in problems)
    assert all(problem.labels for problem in problems)
    render.text(problems)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("boards")
    (made / "boards").mkdir()
    (made / "files").symlink_to(GOOD / "files")
    (made / "hello.yaml").write_text((GOOD / "hello.yaml").read_text())
    return made

# SPDX-License-Identifier: Apache-2.0
"""Partitions of a disk by label: what is planned is compared with the disk at boot, and another disk is not served."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from parclose import gpt
from parclose.check import check

Boot = Callable[..., Any]

MIB, CAPACITY = 1 << 20, 64 << 20
LINUX = UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
TOUCHED = b"\x77" * 4096


def _partition(name: str, size: int) -> gpt.Partition:
    return gpt.Partition(name, LINUX, UUID(int=size + len(name)), b"\xee" * size)


def _disk(*partitions: tuple[str, int]) -> bytearray:
    """A disk of the board's size: our own writer's, with a gap, and its second table moved to where the disk ends."""
    made = gpt.disk(UUID(int=9), b"", [_partition(*each) for each in partitions])
    table, last = 128 * 128, CAPACITY // 512 - 1
    disk = bytearray(made.ljust(CAPACITY, b"\0"))
    old = len(made) - 512 - table
    disk[old : len(made)] = bytes(512 + table)
    for here, other, entries in (1, last, 2), (last, 1, last - 32):
        head = struct.pack(
            "<8sIIIIQQQQ16sQIII",
            b"EFI PART",
            0x10000,
            92,
            0,
            0,
            here,
            other,
            34,
            last - 33,
            bytes(16),
            entries,
            128,
            128,
            zlib.crc32(made[1024 : 1024 + table]),
        )
        head = head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:]
        disk[here * 512 : here * 512 + 512] = head.ljust(512, b"\0")
        disk[entries * 512 : entries * 512 + table] = made[1024 : 1024 + table]
    return disk


PLANNED = ("records", 8 * MIB), ("archive", 4 * MIB)


def _run(boot: Boot, folder: Path, disk: bytearray) -> tuple[str, bytes]:
    file = folder / "disk.img"
    file.write_bytes(disk)
    machine = boot("io/labels.yaml", timeout=60, disks={"nvme0": file})
    assert machine.finish().end("labels").status == 0, machine.log
    return machine.log, file.read_bytes()


def _answers(log: str) -> dict[str, str]:
    lines = [line.split("labels| ", 1)[1] for line in log.splitlines() if "labels| " in line]
    return dict(line.strip().split(": ", 1) for line in lines)


SERVED = {"records": "served, 16384 sectors", "archive": "served, 8192 sectors", "numbers": "served, 2048 sectors"}
ERRORS = "errors, 0 sectors"


def test_the_disk_that_was_planned(parclose_boot: Boot, tmp_path: Path) -> None:
    disk = _disk(*PLANNED)
    log, after = _run(parclose_boot, tmp_path, disk)
    assert _answers(log) == SERVED and "not served" not in log
    assert after[MIB : MIB + 4096] == after[9 * MIB - 4096 : 9 * MIB] == TOUCHED
    assert after[:MIB] == disk[:MIB] and after[9 * MIB : 32 * MIB] == disk[9 * MIB : 32 * MIB]


def test_a_broken_first_table(parclose_boot: Boot, tmp_path: Path) -> None:
    disk = _disk(*PLANNED)
    disk[512 + 60] ^= 1
    log, _ = _run(parclose_boot, tmp_path, disk)
    assert _answers(log) == SERVED
    assert "io| nvme0: the first partition table is broken, the one at the end is used" in log


WRONG = {
    "another-size": ((("records", 9 * MIB), ("archive", 4 * MIB)), ("records", "archive"), (
        "io| nvme0: partition records: not served: it is planned at 0x100000 with 0x800000 bytes,",
        "io| nvme0: and the disk has it at 0x100000 with 0x900000 bytes",
        "io| nvme0: and the disk has it at 0xa00000 with 0x400000 bytes",
    )),
    "another-label": ((("records", 8 * MIB), ("archives", 4 * MIB)), ("archive",), (
        "io| nvme0: partition archive: not served: the disk has no such partition",
    )),
    "the-label-twice": ((("records", 8 * MIB), ("archive", 4 * MIB), ("records", MIB)), ("records",), (
        "io| nvme0: partition records: not served: the disk has several of that name",
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_another_disk_is_not_served(parclose_boot: Boot, tmp_path: Path, name: str) -> None:
    """Its clients get errors and see no sectors; whatever is on it stays as it was, but for what others may write."""
    partitions, refused, words = WRONG[name]
    disk = _disk(*partitions)
    log, after = _run(parclose_boot, tmp_path, disk)
    assert _answers(log) == SERVED | dict.fromkeys(refused, ERRORS)
    for line in words:
        assert line in log
    first = 9 * MIB if "records" not in refused else 0
    assert after[first : 32 * MIB] == disk[first : 32 * MIB]


def test_a_disk_without_partitions(parclose_boot: Boot, tmp_path: Path) -> None:
    log, after = _run(parclose_boot, tmp_path, bytearray(b"\xee" * CAPACITY))
    assert _answers(log) == SERVED | {"records": ERRORS, "archive": ERRORS}
    assert "io| nvme0: partition records: not served: the disk has no whole GUID partition table" in log
    assert set(after[: 32 * MIB]) == {0xEE}


LAYOUT = """
layout: 1
board: qemu-q35
partitions:
  io:
    program: {builtin: io}
    devices: [nvme0, com1]
    dma: trusted
    endpoints:
      records: {block: nvme0, partition: records}
      line: {console: com1}
  sensor:
    program: sensor.c
    channels: {disk: io.records}
"""


def _board_with(folder: Path, partitions: str) -> Path:
    shipped = (Path(__file__).parent.parent / "boards" / "qemu-q35.yaml").read_text()
    place = "    class: 01:08:02\n    bars: {0: {memory64: 16 KiB}}\n    msix: {entries: 65"
    assert shipped.count(place) == 1
    board = folder / "qemu-q35.yaml"
    board.write_text(shipped.replace(place, place.replace("    bars", f"    partitions: {partitions}\n    bars")))
    (folder / "layout.yaml").write_text(LAYOUT)
    (folder / "sensor.c").write_text("int main(void) { return 0; }\n")
    return board


@pytest.mark.parametrize(
    ("partitions", "words"),
    [
        ("{records: {start: 1 MiB, size: 8 MiB}, b: {start: 8 MiB, size: 2 MiB}}", "shares blocks with 'records'"),
        ("{records: {start: 1 MiB, size: 0}}", "is empty"),
        ("{records: {start: 1 MiB, size: 700 B}}", "no number of whole blocks"),
        ("{records: {start: 700 B, size: 1 MiB}}", "no number of whole blocks"),
        ("{records: {start: 64 MiB, size: 512 B}}", "ends at"),
    ],
)
def test_partitions_that_cannot_be(tmp_path: Path, partitions: str, words: str) -> None:
    system, problems = check(tmp_path / "layout.yaml", str(_board_with(tmp_path, partitions)))
    found = [each.message for each in problems if each.code == "P223"]
    assert system is None and len(found) == 1 and words in found[0], problems


def test_the_board_may_say_the_place(tmp_path: Path) -> None:
    board = _board_with(tmp_path, "{records: {start: 3 MiB, size: 5 MiB}}")
    system, problems = check(tmp_path / "layout.yaml", str(board))
    assert system is not None, problems
    records = next(each for each in system.endpoints if each.name == "records")
    assert (records.label, records.start, records.size) == ("records", 3 * MIB, 5 * MIB)

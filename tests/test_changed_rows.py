# SPDX-License-Identifier: Apache-2.0
"""One byte of a row changed in the image changes both what `inspect` says and what the monitor enforces.

The image is sealed anew: with the checksums of before it would not start (test_seal.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from image_kit import file_offset, row_of
from parclose import dwarf, emulator, inspect, pipeline
from parclose.constants import constants
from parclose.emulator import Machine
from parclose.inspect import database, physical
from parclose.seal import seal
from parclose.testing.machine import RunningMachine
from promise_table import UNPROTECTED

Document = dict[str, Any]
LAYOUT = Path(__file__).parent / "guests" / "rows" / "layout.yaml"
MANAGER, IO, PROBE, OTHER = range(4)
WRITE, READ, LAST = "to write the first block", "to read the first block", "to read the last block"
CALL = "a manager's call"
BLOCK_OK, BLOCK_ERROR, STATUS_OK, NO_CALL = 0, 2, 0, 1
PIECE = 4096


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    result = pipeline.build(LAYOUT, tmp_path_factory.mktemp("rows") / "out")
    return emulator.machine(result.system.board, result.image)


@dataclass(frozen=True)
class Change:
    """Byte `byte` of a member of a row becomes `value`; `said` picks what inspect then says differently."""

    table: str
    row: int
    member: str
    byte: int
    value: int
    said: Callable[[Document], Any]
    then: Any


def changed(built: Machine, change: Change, folder: Path) -> Machine:
    """The machine of an image that differs from the built one in this byte alone."""
    content = bytearray(built.image.read_bytes())
    memory = physical.load(built.image)
    content[file_offset(content, row_of(memory, change.table, change.row, change.member)) + change.byte] = change.value
    image = folder / "changed.elf"
    assert sum(a != b for a, b in zip(content, built.image.read_bytes(), strict=True)) == 1
    image.write_bytes(seal(bytes(content)))
    before, after = inspect.read(built.image), inspect.read(image)
    assert change.said(before) != change.then
    assert change.said(after) == change.then
    return replace(built, image=image)


def attempts(machine: RunningMachine) -> dict[str, int]:
    """How each of the probe's attempts ended."""
    found = {}
    for what in (CALL, WRITE, READ, LAST):
        match = machine.expect(rf"probe\| attempting {what}: (?:status|result) (\d+)")
        found[what] = int(match[1])
    machine.expect(r"probe\| done")
    return found


@pytest.fixture
def boot(parclose_boot: Callable[..., RunningMachine]) -> Callable[[Machine], RunningMachine]:
    return lambda machine: parclose_boot(machine, timeout=40)


def test_unchanged_all_that_the_layout_grants_works(built: Machine, boot: Callable[[Machine], RunningMachine]) -> None:
    machine = boot(built)
    assert attempts(machine) == {CALL: NO_CALL, WRITE: BLOCK_OK, READ: BLOCK_OK, LAST: BLOCK_OK}
    machine.finish()
    assert "other| I had a turn" in machine.log
    assert disk(machine)[:PIECE] == b"p" * PIECE


def disk(machine: RunningMachine) -> bytes:
    return machine.options.state.joinpath("disks", "nvme0.img").read_bytes()


def endpoint(document: Document) -> Document:
    return next(one for one in document["endpoints"] if one["name"] == "records")


def test_a_smaller_extent(built: Machine, boot: Callable[[Machine], RunningMachine], tmp_path: Path) -> None:
    half = Change("endpoints", 0, "size", 2, 0x40, lambda d: endpoint(d)["size"], 4 << 20)
    machine = boot(changed(built, half, tmp_path))
    assert attempts(machine) == {CALL: NO_CALL, WRITE: BLOCK_OK, READ: BLOCK_OK, LAST: BLOCK_ERROR}


def test_an_extent_that_starts_elsewhere(
    built: Machine,
    boot: Callable[[Machine], RunningMachine],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    moved = Change("endpoints", 0, "start", 2, 0x10, lambda d: endpoint(d)["start"], 1 << 20)
    machine = boot(changed(built, moved, tmp_path))
    assert attempts(machine)[WRITE] == BLOCK_OK
    machine.finish()
    content = disk(machine)
    assert content[:PIECE] == bytes(PIECE)
    assert content[1 << 20 : (1 << 20) + PIECE] == b"p" * PIECE
    forged = "an image that somebody changed starts, if he made its checksums anew: nothing is signed"
    shown = "a row changed and sealed again: the client's first block is written 1 MiB from where the layout has it"
    record_property(UNPROTECTED, {"promise": forged, "guest": "test_changed_rows.py", "shown": shown})


def channel_row(document: Document) -> tuple[int, Document]:
    return next((place, one) for place, one in enumerate(document["channels"]) if one["name"] == "disk")


def test_a_channel_without_the_right_to_write(
    built: Machine, boot: Callable[[Machine], RunningMachine], tmp_path: Path
) -> None:
    place, _ = channel_row(inspect.read(built.image))
    only_read = constants()["RIGHT_WRITE"]  # of the buffers
    read_only = Change("channels", place, "buffer_rights", 0, only_read, lambda d: channel_row(d)[1]["rights"], "r--")
    machine = boot(changed(built, read_only, tmp_path))
    assert attempts(machine) == {CALL: NO_CALL, WRITE: BLOCK_ERROR, READ: BLOCK_OK, LAST: BLOCK_OK}


def test_a_region_that_no_longer_holds_the_buffer(
    built: Machine, boot: Callable[[Machine], RunningMachine], tmp_path: Path
) -> None:
    def data(document: Document) -> Document:
        return next(one for one in document["partitions"][PROBE]["regions"] if one["name"] == "data")

    document = inspect.read(built.image)
    whole = data(document)["size"]
    assert whole > 0x40000
    rows = database.read(physical.load(built.image), dwarf.layouts()).tables["regions"]
    place = next(i for i, row in enumerate(rows) if row["owner"] == PROBE and row["name"] == "data")
    smaller = Change("regions", place, "size", 2, 0, lambda d: data(d)["size"], whole & 0xFFFF)
    machine = boot(changed(built, smaller, tmp_path))
    assert attempts(machine) == {CALL: NO_CALL, WRITE: BLOCK_ERROR, READ: BLOCK_ERROR, LAST: BLOCK_ERROR}


def test_another_role_has_other_calls(
    built: Machine, boot: Callable[[Machine], RunningMachine], tmp_path: Path
) -> None:
    role = dwarf.layouts().number("ROLE_MANAGER")
    manager = Change("partitions", PROBE, "role", 0, role, lambda d: "state" in d["partitions"][PROBE]["calls"], True)
    assert attempts(boot(changed(built, manager, tmp_path)))[CALL] == STATUS_OK


def test_a_frame_without_its_guest(built: Machine, boot: Callable[[Machine], RunningMachine], tmp_path: Path) -> None:
    document = inspect.read(built.image)
    slots = database.read(physical.load(built.image), dwarf.layouts()).tables["slots"]
    place = next(i for i, slot in enumerate(slots) if slot["partition"] == OTHER)
    assert document["partitions"][OTHER]["frames"]
    gone = Change("slots", place, "partition", 0, PROBE, lambda d: d["partitions"][OTHER]["frames"], [])
    machine = boot(changed(built, gone, tmp_path))
    attempts(machine)
    machine.wait_event(event="ended", partition="probe")
    machine.wait_event(event="started", partition="other")
    with pytest.raises(AssertionError, match="other"):
        machine.expect(r"other\| I had a turn", timeout=1.5)

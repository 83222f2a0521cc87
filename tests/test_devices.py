# SPDX-License-Identifier: Apache-2.0
"""Devices of a board: what QEMU needs for them only when they are used, and their parameters."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parclose import paths
from parclose.check import check
from parclose.errors import Problem
from parclose.kinds import KINDS
from parclose.model import System

HERE = Path(__file__).parent / "devices"
SHIPPED = paths.data("boards", "qemu-q35.yaml").read_text()
VIRTIO_RNG = """devices:
  random:
    kind: other
    pci: "00:09.0"
    identity: 1af4:1044
    class: 00:ff:00
    bars: {1: {memory32: 4 KiB}, 4: {memory64: 16 KiB}}
    msix: {entries: 2, bar: 1, table: 0, pending: 0x800}
    parameters: {bar: 4, common: 0x0, notify: 0x3000, notify-multiplier: 4}
    qemu: [[-device, "virtio-rng-pci,addr=09.0,disable-legacy=on"]]
"""


def _folder(tmp_path: Path, devices: str = VIRTIO_RNG) -> Path:
    """A copy of the layout beside a board that has `devices` too."""
    made = Path(shutil.copytree(HERE, tmp_path / "devices"))
    text = SHIPPED.replace("name: qemu-q35", "name: board").replace("devices:\n", devices)
    (made / "board.yaml").write_text(text)
    return made


def _checked(folder: Path, layout: str = "owner.yaml") -> tuple[System | None, tuple[Problem, ...]]:
    return check(folder / layout)


def test_a_device_comes_with_its_arguments_only_where_it_is_used(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "none.yaml").write_text((HERE / "owner.yaml").read_text().replace("    devices: [random]\n", ""))
    owner, none = _checked(folder)[0], _checked(folder, "none.yaml")[0]
    assert owner and none and owner.board.qemu and none.board.qemu
    assert [word for word in none.board.qemu.arguments if "virtio" in word] == []
    added = owner.board.qemu.arguments[len(none.board.qemu.arguments) :]
    assert added == ("-device", "virtio-rng-pci,addr=09.0,disable-legacy=on")
    assert owner.board.qemu.disks == none.board.qemu.disks


def test_a_disk_of_its_own_has_its_capacity(tmp_path: Path) -> None:
    disk = VIRTIO_RNG.replace("qemu: [[", 'capacity: 3 MiB\n    qemu: [[-drive, "file={disk:random}"], [')
    system, problems = _checked(_folder(tmp_path, disk))
    assert system and system.board.qemu and dict(system.board.qemu.disks)["random"] == 3 << 20, problems


@pytest.mark.parametrize(
    ("before", "after", "code", "words"),
    [
        ("qemu: [[", "qemu: [['{disk:random}'], [", "P218", "'random'"),  # it has no capacity
        ("common: 0x0", "komon: 0x0", "P001", "'komon'"),
        ("common: 0x0", "common: -1", "P031", "common"),
        ("parameters: {bar: 4", "parameters: {bar: 4 KiB", "P030", "bar"),
        ("kind: other", "kind: 16550", "P001", "'bar'"),  # a serial port has none of these
    ],
)
def test_what_is_refused(before: str, after: str, code: str, words: str, tmp_path: Path) -> None:
    system, problems = _checked(_folder(tmp_path, VIRTIO_RNG.replace(before, after)))
    assert system is None
    assert any(problem.code == code and words in problem.message for problem in problems), problems


def test_parameters_reach_the_program(tmp_path: Path, parclose_boot: Callable[..., Any]) -> None:
    """The registers behind them are virtio's: a wrong offset would show other numbers."""
    machine = parclose_boot(_folder(tmp_path) / "owner.yaml", timeout=30)
    machine.expect(r"queues 1, size 8, status 3, notify 3000 by 4, port 0\r?\n")
    assert machine.finish().end("owner").status == 0


def test_builder_and_drivers_know_the_same_kinds() -> None:
    """A kind that the builder lets an endpoint stand on has a driver in the I/O partition, and the other way round."""
    table = paths.data("partitions", "io", "drivers", "table.h").read_text()
    drivers = re.findall(r"\bX\((\w+), MATCH_\w+, 0x[0-9a-f]+\)", table)
    assert sorted(drivers) == sorted(name.replace("-", "_").replace("16550", "uart16550") for name in KINDS)

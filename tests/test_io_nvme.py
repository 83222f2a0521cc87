# SPDX-License-Identifier: Apache-2.0
"""An NVMe disk on the machine with bad sectors, slow to die, or gone: who hears of it, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

Boot = Callable[..., Any]

LAYOUT = Path(__file__).parent / "io" / "places_nvme.yaml"
START = 1 << 20  # of the extent
PLACE = 65536
VIRTUAL = ("-icount", "shift=0,sleep=off")  # an idle machine's clock runs on: half a minute of patience takes a moment
LIMITS = dict.fromkeys(("bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"), 0)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A disk of the board's size."""
    disk = tmp_path / "disk.img"
    with open(disk, "wb") as file:
        file.truncate(64 << 20)
    return disk


def _booted(boot: Boot, what: Any = LAYOUT, **settings: Any) -> Any:
    machine = boot(what, timeout=60, **settings)
    machine.expect(r"disk\| ready")
    return machine


def _ask(machine: Any, command: str, answer: str) -> None:
    machine.send(f"{command}\r")
    machine.expect(rf"disk\| {command}: {answer}\r?\n")


def _end(machine: Any) -> None:
    machine.send("end\r")
    assert machine.finish().end("disk").status == 0


def _with_faults(build: Callable[..., Any], tmp_path: Path, fault: str) -> Any:
    """The machine with blkdebug between disk and image."""
    target = build(LAYOUT)
    config = tmp_path / "faults.ini"
    config.write_text(f"[inject-error]\n{fault}\n")
    plain, file = "file={disk:nvme0}", f"file.driver=blkdebug,file.config={config},file.image.filename={{disk:nvme0}}"
    assert any(plain in word for word in target.arguments)
    return replace(target, arguments=tuple(word.replace(plain, file) for word in target.arguments))


def test_what_is_written_is_there_in_the_next_boot(parclose_boot: Boot, image: Path) -> None:
    machine = _booted(parclose_boot, disks={"nvme0": image})
    _ask(machine, "w127", "written")
    _ask(machine, "w128", "error")  # beyond the extent
    _end(machine)
    content = image.read_bytes()
    assert any(content[START + 127 * PLACE : START + 128 * PLACE])
    assert not any(content[: START + 127 * PLACE]) and not any(content[START + 128 * PLACE :])
    again = _booted(parclose_boot, disks={"nvme0": image})
    _ask(again, "c127", "right")
    _end(again)


def test_one_bad_sector_among_sixteen_reads(
    parclose_build: Callable[..., Any], parclose_boot: Boot, image: Path, tmp_path: Path
) -> None:
    fault = f'event = "read_aio"\nerrno = "5"\nsector = "{(START + 5 * 4096) // 512 + 3}"\nonce = "off"'
    machine = _booted(parclose_boot, _with_faults(parclose_build, tmp_path, fault), disks={"nvme0": image})
    for _ in range(3):
        _ask(machine, "b0", r"\.{5}e\.{10}")
    assert machine.log.count("io| nvme0: read failed, status code type 0x2, code 0x81") == 3  # unrecovered read error
    _ask(machine, "b1", r"\.{16}")
    _end(machine)


@pytest.mark.parametrize(("event", "answer"), [("write_aio", "error"), ("flush_to_disk", "not flushed")])
def test_a_write_and_a_flush_that_fail(
    event: str, answer: str, parclose_build: Callable[..., Any], parclose_boot: Boot, image: Path, tmp_path: Path
) -> None:
    fault = f'event = "{event}"\nerrno = "5"\nonce = "on"'
    machine = _booted(parclose_boot, _with_faults(parclose_build, tmp_path, fault), disks={"nvme0": image})
    _ask(machine, "w1", answer)
    _ask(machine, "w1", "written")
    _ask(machine, "c1", "right")
    _end(machine)


def test_a_controller_that_was_reset_is_asked_again(parclose_boot: Boot) -> None:
    """What the reset took is done after it, and the client hears of nothing but the time."""
    machine = _booted(parclose_boot, extra=VIRTUAL)
    machine.qmp("block_set_io_throttle", device="nvme0", **(LIMITS | {"bps": 1}))
    machine.send("b1\r")
    machine.expect(r"io\| nvme0: does not answer: reset\r?\n")
    machine.qmp("block_set_io_throttle", device="nvme0", **LIMITS)
    machine.expect(r"disk\| b1: \.{16}\r?\n")
    _ask(machine, "b2", r"\.{16}")
    assert machine.log.count("does not answer") == 1 and "given up" not in machine.log
    _end(machine)


def test_a_medium_that_goes_away(parclose_boot: Boot) -> None:
    """Errors for those that ask, and the I/O partition lives: its console works."""
    machine = _booted(parclose_boot)
    _ask(machine, "w1", "written")
    machine.qmp("human-monitor-command", **{"command-line": "drive_del nvme0"})
    _ask(machine, "b1", "e{16}")
    _ask(machine, "c1", "error")
    _ask(machine, "w2", "error")
    assert "io| nvme0: read failed, status code type" in machine.log
    _end(machine)
    assert not machine.ends() or machine.end("io").lives == 1

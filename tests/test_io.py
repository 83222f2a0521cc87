# SPDX-License-Identifier: Apache-2.0
"""The I/O partition on the machine where the disk fails: errors, a silent controller, blocks of another size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Boot = Callable[..., Any]

BOARD = Path(__file__).parent.parent / "boards" / "qemu-q35.yaml"
LAYOUT = "io/asks.yaml"
VIRTUAL = ("-icount", "shift=0,sleep=off")  # an idle machine's clock runs on: half a minute of patience takes a moment


def _booted(boot: Boot, **settings: Any) -> Any:
    machine = boot(LAYOUT, timeout=60, **settings)
    machine.expect(r"asks\| ready")
    return machine


def _ask(machine: Any, place: str, answer: str) -> None:
    machine.send(f"{place}\r")
    machine.expect(rf"asks\| {place}: {answer}\r?\n")


def _end(machine: Any) -> None:
    machine.send("end\r")
    assert machine.finish().end("asks").status == 0


def test_a_disk_that_is_smaller_than_the_layout_says(parclose_boot: Boot, tmp_path: Path) -> None:
    """The device's own words are on the console, the client gets an error, and the rest of the disk is served."""
    disk = tmp_path / "small.img"
    disk.write_bytes(bytes(1 << 20))
    machine = _booted(parclose_boot, disks={"nvme0": disk})
    _ask(machine, "15", "read")
    machine.send("16\r")
    machine.expect(r"io\| nvme0: read failed, status code type 0x0, code 0x80\r?\n")
    machine.expect(r"asks\| 16: error")
    _ask(machine, "0", "read")
    _end(machine)


def test_blocks_larger_than_the_layout_says(parclose_boot: Boot) -> None:
    """Half a block would make a count of 65,536 of them: nothing is sent to the device."""
    sizes = ("-global", "nvme.logical_block_size=4096", "-global", "nvme.physical_block_size=4096")
    machine = _booted(parclose_boot, extra=sizes)
    assert "io| asks: the disk's blocks are larger than the layout says" in machine.log
    _ask(machine, "0s", "error")
    _ask(machine, "0", "read")
    _end(machine)


def test_a_disk_that_falls_silent(parclose_boot: Boot) -> None:
    """After its patience the controller is reset, what it had is answered with an error, and it works again."""
    machine = _booted(parclose_boot, extra=VIRTUAL)
    _ask(machine, "0", "read")
    limits = dict.fromkeys(("bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"), 0)
    machine.qmp("block_set_io_throttle", device="nvme0", **(limits | {"bps": 1}))
    machine.send("1\r2\r")  # the first passes on credit
    machine.expect(r"io\| nvme0: does not answer: reset\r?\n")
    machine.expect(r"io\| nvme0: read given up at a reset\r?\n")
    machine.expect(r"asks\| 2: error")
    machine.qmp("block_set_io_throttle", device="nvme0", **limits)
    _ask(machine, "3", "read")
    _end(machine)


MIB, PART = 1 << 20, 64 << 10


def _as_ranges_left_it(extent: bytes) -> bool:
    """What tests/io/ranges.c has written, and zeros from 4 MiB on."""
    kept = extent[2 * MIB : 2 * MIB + 9 * PART]
    ones, twos = b"\x11" * PART, b"\x22" * PART
    return (
        extent[:PART] == b"\x33" * PART
        and kept[: 6 * PART] == (ones + bytes(PART) + ones) * 2
        and (kept[6 * PART : 7 * PART], kept[8 * PART :]) == (twos, twos)
        and not any(extent[4 * MIB :])
    )


@pytest.mark.parametrize("block", [512, 4096])
def test_ranges_and_long_requests(parclose_boot: Boot, tmp_path: Path, block: int) -> None:
    """On an extent and on a whole disk, of both block sizes; what is beside the extent stays as it was."""
    disks = {name: tmp_path / name for name in ("nvme0", "vblk0")}
    for disk in disks.values():
        disk.write_bytes(b"\xee" * (64 * MIB))
    sizes = [word for name in ("nvme", "virtio-blk-pci") for word in ("-global", f"{name}.logical_block_size={block}")]
    sizes += [word for name in ("nvme", "virtio-blk-pci") for word in ("-global", f"{name}.physical_block_size=4096")]
    board = tmp_path / "qemu-q35.yaml"
    board.write_text(BOARD.read_text().replace("block-size: 512 B", f"block-size: {block} B"))
    machine = parclose_boot("io/ranges.yaml", board=str(board), timeout=60, disks=disks, extra=tuple(sizes))
    assert machine.finish().end("ranges").status == 0, machine.log
    offers = "discard 1, zeroes 1"
    assert f"ranges| nvme: 32768 sectors, blocks of {block}, writable, {offers}" in machine.log
    assert f"ranges| virtio: 131072 sectors, blocks of {block}, writable, {offers}" in machine.log
    assert f"ranges| archive: 16384 sectors, blocks of {block}, read only, discard 0, zeroes 0" in machine.log
    nvme, whole = disks["nvme0"].read_bytes(), disks["vblk0"].read_bytes()
    assert _as_ranges_left_it(nvme[8 * MIB : 24 * MIB]) and _as_ranges_left_it(whole)
    assert set(nvme[: 8 * MIB]) == {0xEE} == set(nvme[24 * MIB :])

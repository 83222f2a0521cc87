# SPDX-License-Identifier: Apache-2.0
"""An AHCI disk on the machine: what is written stays, and what fails, falls silent or dies hurts nobody else."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from parclose import emulator, paths, pipeline

Boot = Callable[..., Any]

LAYOUT = Path(__file__).parent / "io" / "places_ahci.yaml"
START = 1 << 20  # of the extent
PLACE = 65536
VIRTUAL = ("-icount", "shift=0,sleep=off")  # an idle machine's clock runs on: half a minute of patience takes a moment
# The server's first life ends when the device has begun with what was asked at once, and most is still to come.
_TAKEN = "  for (uint32_t i = 0; i < count; i++)\n    complete(server, &completion[i]);"
_DIES = (
    "  if (calls_life() == 1 && count && server->device->depth - server->device->free >= 8)\n    __builtin_trap();\n"
)


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


def test_what_is_written_is_there_in_the_next_boot(parclose_boot: Boot, image: Path) -> None:
    """And on the host: in its place of the extent, and nothing outside it."""
    machine = _booted(parclose_boot, disks={"ahci0": image})
    _ask(machine, "w0", "written")
    _ask(machine, "w127", "written")
    _ask(machine, "w128", "error")  # beyond the extent
    _ask(machine, "c0", "right")
    _end(machine)
    content = image.read_bytes()
    assert any(content[START : START + PLACE]) and any(content[START + 127 * PLACE : START + 128 * PLACE])
    assert not any(content[:START]) and not any(content[START + 128 * PLACE :])
    again = _booted(parclose_boot, disks={"ahci0": image})
    _ask(again, "c127", "right")
    _ask(again, "c1", "other")
    _ask(again, "b0", r"\.{16}")
    _end(again)


def _with_faults(build: Callable[..., Any], image: Path, tmp_path: Path, fault: str) -> Any:
    """The machine with blkdebug between disk and image."""
    target = build(LAYOUT)
    config = tmp_path / "faults.ini"
    config.write_text(f"[inject-error]\n{fault}\n")
    plain, file = "file={disk:ahci0}", f"file.driver=blkdebug,file.config={config},file.image.filename={{disk:ahci0}}"
    assert any(plain in word for word in target.arguments)
    return replace(target, arguments=tuple(word.replace(plain, file) for word in target.arguments))


def test_one_bad_sector_among_sixteen_reads(
    parclose_build: Callable[..., Any], parclose_boot: Boot, image: Path, tmp_path: Path
) -> None:
    """The device gives up all that is queued; only who asked for that sector hears of it, and the log has its words."""
    fault = f'event = "read_aio"\nerrno = "5"\nsector = "{(START + 5 * 4096) // 512 + 3}"\nonce = "off"'
    machine = _booted(parclose_boot, _with_faults(parclose_build, image, tmp_path, fault), disks={"ahci0": image})
    for _ in range(3):
        machine.send("b0\r")
        machine.expect(r"disk\| b0: \.{5}e\.{10}\r?\n")
    assert len(re.findall(r"io\| ahci0: read failed, status 0x[45]1, error 0x4", machine.log)) == 3
    _ask(machine, "b1", r"\.{16}")
    _ask(machine, "w3", "written")
    _end(machine)


def test_a_write_that_fails_alone(
    parclose_build: Callable[..., Any], parclose_boot: Boot, image: Path, tmp_path: Path
) -> None:
    """One command is to blame itself: its client hears of it, and the next is right."""
    fault = 'event = "write_aio"\nerrno = "5"\nonce = "on"'
    machine = _booted(parclose_boot, _with_faults(parclose_build, image, tmp_path, fault), disks={"ahci0": image})
    _ask(machine, "w1", "error")
    _ask(machine, "w1", "written")
    _ask(machine, "c1", "right")
    _end(machine)


def test_a_flush_that_fails(
    parclose_build: Callable[..., Any], parclose_boot: Boot, image: Path, tmp_path: Path
) -> None:
    fault = 'event = "flush_to_disk"\nerrno = "5"\nonce = "on"'
    machine = _booted(parclose_boot, _with_faults(parclose_build, image, tmp_path, fault), disks={"ahci0": image})
    _ask(machine, "w1", "not flushed")
    _ask(machine, "w2", "written")
    _ask(machine, "c1", "right")
    _end(machine)


def _patched(tmp_path: Path, file: str, before: str, after: str) -> Any:
    """The machine with an I/O partition in whose source `file` stands something else."""
    sources = Path(shutil.copytree(paths.data("partitions"), tmp_path / "partitions"))
    text = (sources / file).read_text()
    assert text.count(before) == 1
    (sources / file).write_text(text.replace(before, after))
    built = pipeline.build(LAYOUT, tmp_path / "out", partitions_sources=sources)
    return emulator.machine(built.system.board, built.image)


def test_commands_that_are_never_answered(parclose_boot: Boot, tmp_path: Path) -> None:
    """After its patience the server resets the controller, and the driver issues again what that took.

    The device is kept from them by the driver: QEMU itself waits for a disk that hangs, in the write to its reset bit.
    """
    issue = "    register_write32(ahci->port + PORT_CI, ahci->built);\n"
    forget = f"    static bool forgotten;\n    if (forgotten || (ahci->built & (ahci->built - 1)) == 0)\n  {issue}"
    forget += "    else\n      forgotten = true;\n"
    target = _patched(tmp_path, "io/drivers/ahci_io.c", issue, forget)
    machine = _booted(parclose_boot, target, extra=VIRTUAL)
    machine.send("b1\r")
    machine.expect(r"io\| ahci0: does not answer: reset\r?\n")
    machine.expect(r"disk\| b1: \.{16}\r?\n")
    _ask(machine, "w2", "written")
    _ask(machine, "c2", "right")
    assert machine.log.count("reset") == 1
    _end(machine)


def test_a_server_that_dies_with_requests_in_flight(parclose_boot: Boot, image: Path, tmp_path: Path) -> None:
    """The next life resets the device first: what the last one had asked for comes never, and what was there stays."""
    with open(image, "r+b") as disk:
        disk.seek(START)
        disk.write(b"\xee" * PLACE)
    slow = ("-set", "drive.ahci0.throttling.iops-read=30")
    target = _patched(tmp_path, "io/server/block_server.c", _TAKEN, _DIES + _TAKEN)
    machine = _booted(parclose_boot, target, disks={"ahci0": image}, extra=slow)
    machine.send("b0\r")
    machine.expect(r"disk\| b0: [.l]*l[.l]* none\r?\n")
    assert machine.wait_event(event="stopped", partition="io")["life"] == 1
    _ask(machine, "w0", "written")
    _ask(machine, "c0", "right")
    _ask(machine, "b1", r"\.{16}")
    _end(machine)


def test_a_board_that_names_another_capability_is_refused(parclose_boot: Boot, tmp_path: Path) -> None:
    """At 0xa8 is the SATA capability (0x12): its bytes are not written as a message's."""
    board = paths.data("boards", "qemu-q35.yaml").read_text()
    assert board.count("msi: {capability: 0x80}") == 1
    text = board.replace("msi: {capability: 0x80}", "msi: {capability: 0xa8}")
    (tmp_path / "other.yaml").write_text(text.replace("name: qemu-q35", "name: other"))
    built = pipeline.build(LAYOUT, tmp_path / "out", str(tmp_path / "other.yaml"))
    running = parclose_boot(emulator.machine(built.system.board, built.image), timeout=20)
    running.expect(r"MSI capability of ahci0: planned 0x0*5, found 0x0*12\r?\n  as said in \S*other.yaml:\d+")
    running.expect("nothing was started")
    assert "manager|" not in running.log


def test_a_device_that_is_gone_stops_nobody(parclose_boot: Boot, image: Path, tmp_path: Path) -> None:
    """Configuration space answers with ones when its interrupt is to be opened: it stays shut, the machine goes on."""
    sources = Path(shutil.copytree(paths.data("monitor_asm"), tmp_path / "monitor_asm"))
    shutil.copytree(paths.data("abi"), tmp_path / "abi")
    text = (sources / "pci.c").read_text()
    read = "uint32_t control = pci_read(device->address, row->number) &"
    assert text.count(read) == 1
    gone = "uint32_t control = (masked ? pci_read(device->address, row->number) : UINT32_MAX) &"
    (sources / "pci.c").write_text(text.replace(read, gone))
    built = pipeline.build(LAYOUT, tmp_path / "out", monitor_sources=sources)
    target = emulator.machine(built.system.board, built.image)
    machine = _booted(parclose_boot, target, disks={"ahci0": image})
    _ask(machine, "w0", "written")  # without interrupts: the server looks at a device that is busy
    _ask(machine, "c0", "right")
    _end(machine)

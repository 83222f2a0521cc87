# SPDX-License-Identifier: Apache-2.0
"""The virtio disk driver on the machine: data that stay, devices of many kinds, errors, silence, deaths at work."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parclose import emulator, paths, pipeline

HERE = Path(__file__).parent
Boot = Callable[..., Any]
PIECE = 128 << 10
LAYOUT = "io/virtio_disk.yaml"
VIRTUAL = ("-icount", "shift=0,sleep=off")  # an idle machine's clock runs on: half a minute of patience takes a moment
FORGIVING = "health: {fault: {do: restart, limit: 20, within: 1 min, then: stop}}"


def _settings(**properties: object) -> tuple[str, ...]:
    """QEMU's words that give the disk other properties."""
    given = [("-global", f"virtio-blk-pci.{name}={value}") for name, value in properties.items()]
    return tuple(word for pair in given for word in pair)


def _booted(boot: Boot, layout: str | Path = LAYOUT, **settings: Any) -> Any:
    machine = boot(layout, timeout=60, **settings)
    machine.expect(r"disk\| ready")
    return machine


def _ask(machine: Any, words: str, answer: str) -> None:
    machine.send(f"{words}\r")
    machine.expect(rf"disk\| {words}: {re.escape(answer)}\r?\n")


def _end(machine: Any) -> None:
    machine.send("end\r")
    assert machine.finish().end("disk").status == 0


def _on(folder: Path, drive: str) -> Path:
    """The layout beside a board whose drive has other words; {disk} in them is the file."""
    board = paths.data("boards", "qemu-q35.yaml").read_text().replace("name: qemu-q35", "name: board")
    before = "format=raw,file={disk:vblk0}"
    assert board.count(before) == 1
    words = drive.replace("{disk}", "{disk:vblk0}")
    (folder / "board.yaml").write_text(board.replace(before, words))
    for name in ("disk.c", "virtio_disk.yaml"):
        shutil.copy(HERE / "io" / name, folder)
    layout = folder / "virtio_disk.yaml"
    layout.write_text(layout.read_text().replace("board: qemu-q35", "board: ./board.yaml"))
    return layout


def _zeroed(folder: Path, size: int = 64 << 20) -> Path:
    disk = folder / "disk.img"
    with open(disk, "wb") as file:
        file.truncate(size)
    return disk


def test_what_was_written_stays(parclose_boot: Boot, tmp_path: Path) -> None:
    """It is read back, is in the file after a flush, and is there for the next boot; beside it nothing changes."""
    disk = _zeroed(tmp_path)
    machine = _booted(parclose_boot, disks={"vblk0": disk})
    for words, answer in (("w 3 a", "a"), ("w 5 b", "b"), ("r 3", "a"), ("r 4", "0"), ("r 5", "b"), ("f", "+")):
        _ask(machine, words, answer)
    written = disk.read_bytes()[: 8 * PIECE]
    assert written == b"".join(bytes([letter]) * PIECE for letter in b"\0\0\0a\0b\0\0")
    _end(machine)
    again = _booted(parclose_boot, disks={"vblk0": disk})
    for words, answer in (("r 3", "a"), ("w 3 c", "c"), ("r 5", "b"), ("r 63", "0")):
        _ask(again, words, answer)
    _end(again)
    assert disk.read_bytes()[3 * PIECE : 4 * PIECE] == b"c" * PIECE


@pytest.mark.parametrize(
    "properties",
    [
        {"indirect_desc": "off", "event_idx": "off"},
        {"iommu_platform": "off", "queue-size": 32, "seg-max-adjust": "off"},
        {"config-wce": "off", "write-cache": "off"},  # no flush: another command's answer stands for it
    ],
    ids=lambda properties: ", ".join(properties),
)
def test_other_devices(parclose_boot: Boot, properties: dict[str, object]) -> None:
    """They offer fewer features than the usual one."""
    machine = _booted(parclose_boot, extra=_settings(**properties))
    for words, answer in (("w 7 x", "x"), ("f", "+"), ("r 7", "x"), ("r 8", "0")):
        _ask(machine, words, answer)
    _end(machine)


def test_a_disk_that_is_smaller_than_the_layout_says(parclose_boot: Boot, tmp_path: Path) -> None:
    """The client gets an error, and the rest of the disk is served."""
    machine = _booted(parclose_boot, disks={"vblk0": _zeroed(tmp_path, 8 * PIECE)})
    _ask(machine, "w 7 x", "x")
    machine.send("r 8\r")
    machine.expect(r"io\| vblk0: read failed[^\n]*\r?\n")
    machine.expect(r"disk\| r 8: !")
    _ask(machine, "r 7", "x")
    _end(machine)


def test_a_bad_sector(parclose_boot: Boot, tmp_path: Path) -> None:
    """Reads and writes of one place fail in the device, once each; flushes fail as well; all else goes on."""
    rules = tmp_path / "rules.conf"
    place = 2 * PIECE // 512
    rules.write_text(
        "".join(
            f'[inject-error]\nevent = "{event}"\nerrno = "5"\n{where}once = "on"\n\n'
            for event, where in (
                ("read_aio", f'sector = "{place}"\n'),
                ("write_aio", f'sector = "{place}"\n'),
                ("flush_to_disk", ""),
            )
        )
    )
    layout = _on(tmp_path, f"format=raw,werror=report,rerror=report,file=blkdebug:{rules}:{{disk}}")
    machine = _booted(parclose_boot, layout)
    for words, answer in (("w 1 a", "a"), ("r 2", "!"), ("r 1", "a"), ("r 2", "0"), ("w 2 b", "!"), ("w 2 b", "b")):
        _ask(machine, words, answer)
    for words, answer in (("r 2", "b"), ("f", "!"), ("f", "+")):
        _ask(machine, words, answer)
    _end(machine)
    assert set(re.findall(r"io\| vblk0: (read|write|flush) failed", machine.log)) == {"read", "write", "flush"}


def test_a_disk_that_cannot_be_written(parclose_boot: Boot, tmp_path: Path) -> None:
    """Writes are refused without asking the device; reads work."""
    layout = _on(tmp_path, "format=raw,readonly=on,file={disk}")
    machine = _booted(parclose_boot, layout)
    for words, answer in (("r 1", "0"), ("w 1 a", "!"), ("f", "+"), ("r 1", "0")):
        _ask(machine, words, answer)
    _end(machine)


def test_blocks_larger_than_the_layout_says(parclose_boot: Boot) -> None:
    """What is made of whole blocks works."""
    machine = _booted(parclose_boot, extra=_settings(logical_block_size=4096, physical_block_size=4096))
    assert "io| disk: the disk's blocks are larger than the layout says" in machine.log
    for words, answer in (("w 1 a", "a"), ("r 1", "a"), ("r 0", "0")):
        _ask(machine, words, answer)
    _end(machine)


def test_a_disk_that_falls_silent(parclose_boot: Boot) -> None:
    """After its patience the device is reset, what it had is answered with an error, and it works again."""
    machine = _booted(parclose_boot, extra=VIRTUAL)
    _ask(machine, "w 1 a", "a")
    limits = dict.fromkeys(("bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"), 0)
    machine.qmp("block_set_io_throttle", device="vblk0", **(limits | {"bps": 1}))
    machine.send("r 1\rr 2\r")  # the first passes on credit
    machine.expect(r"io\| vblk0: does not answer: reset\r?\n")
    machine.expect(r"io\| vblk0: read given up at a reset\r?\n")
    machine.expect(r"disk\| r 2: !")
    machine.qmp("block_set_io_throttle", device="vblk0", **limits)
    _ask(machine, "r 1", "a")
    _end(machine)


def _on_virtio(folder: Path, layout: Path, *changes: tuple[str, str]) -> Path:
    """A copy of a layout's folder with vblk0 in the place of nvme0."""
    shutil.copytree(layout.parent, folder)
    text = layout.read_text().replace("data-disk", "vblk0").replace("nvme0", "vblk0")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    (folder / layout.name).write_text(text)
    return folder / layout.name


def test_a_death_with_the_disk_at_work(parclose_boot: Boot, tmp_path: Path) -> None:
    """A guest that dies with 32 reads under way is restarted, and none of them reaches its next life."""
    layout = _on_virtio(tmp_path / "careless", HERE / "runtime" / "careless.yaml")
    assert "vblk0" in layout.read_text()
    machine = parclose_boot(layout, timeout=60).finish()
    assert (machine.end("careless").status, machine.end("careless").lives) == (0, 6)


def test_guests_survive_their_io_partition(parclose_boot: Boot, tmp_path: Path) -> None:
    """It dies ten times, mostly with requests in the device: what guests write and read stays whole."""
    sources = tmp_path / "partitions"
    shutil.copytree(paths.data("partitions"), sources)
    loop = (sources / "io" / "main.c").read_text()
    dies = "static int turns; if (calls_life() <= 10 && ++turns == 40) __builtin_trap();\n    calls_wait(more"
    assert loop.count("calls_wait(more") == 1
    (sources / "io" / "main.c").write_text(loop.replace("calls_wait(more", dies))
    change = ("    dma: trusted", f"    {FORGIVING}\n    dma: trusted")
    layout = _on_virtio(tmp_path / "line", HERE.parent / "examples" / "line" / "layout.yaml", change)
    built = pipeline.build(layout, tmp_path / "build", partitions_sources=sources)
    machine = parclose_boot(emulator.machine(built.system.board, built.image), timeout=60)
    machine.wait_event(event="end", failed=1)
    machine.wait_exit()
    assert (machine.end("sensor").status, machine.end("logger").status) == (0, 0)
    assert machine.end("io").lives == 11

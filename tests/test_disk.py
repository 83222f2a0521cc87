# SPDX-License-Identifier: Apache-2.0
"""The raw disk: its tables, its bytes, and that it boots to the same guests by BIOS and by UEFI."""

from __future__ import annotations

import dataclasses
import shutil
import struct
import subprocess
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from parclose import cli, disk, emulator, gpt, grub
from parclose.emulator import Machine
from parclose.errors import MissingTool, ParcloseError
from test_monitor_gives_up import WRONG_MACHINES, large_line

ROOT = Path(__file__).resolve().parent.parent
LINE = ROOT / "examples" / "line" / "layout.yaml"
OVMF = Path("/usr/share/OVMF")
Boot = Callable[..., Any]

MISSING = [part.name for part in grub.parts() if not part.place]
needs_grub = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}")
needs_ovmf = pytest.mark.skipif(not OVMF.is_dir(), reason="the package ovmf is not installed")

# The controller that the disk hangs on.
DRIVES = {
    "virtio": ["-device", "virtio-blk-pci,drive=boot,bootindex=0"],
    "ahci": ["-device", "ide-hd,drive=boot,bootindex=0"],
    "usb": ["-device", "qemu-xhci", "-device", "usb-storage,drive=boot,bootindex=0"],
}


def build(layout: Path, out: Path, *words: str) -> int:
    return cli.main(["build", str(layout), "-o", str(out), *words])


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example's image and disk."""
    out = tmp_path_factory.mktemp("line") / "out"
    assert build(LINE, out, "--format", "disk") == 0
    return out


def firmware(name: str, folder: Path) -> list[str]:
    """QEMU's words for it. UEFI gets fresh variables each time: with those of an earlier run it may hang."""
    if name == "bios":
        return []
    shutil.copy(OVMF / "OVMF_VARS_4M.fd", folder / "variables.fd")
    flash = "if=pflash,format=raw,unit"
    code = ["-drive", f"{flash}=0,readonly=on,file={OVMF / 'OVMF_CODE_4M.fd'}"]
    return [*code, "-drive", f"{flash}=1,file={folder / 'variables.fd'}"]


@pytest.fixture
def boot_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, parclose_boot: Boot) -> Boot:
    """A function (machine, firmware, drive) that boots the disk beside the machine's image, and not that image."""
    with_kernel = emulator.command

    def boot(machine: Machine, by: str, drive: str) -> Any:
        def command(*given: Any) -> list[str]:
            words = with_kernel(*given)
            place = words.index("-kernel")
            image = f"if=none,id=boot,format=raw,snapshot=on,file={machine.image.with_name(gpt.NAME)}"
            return [*words[:place], *words[place + 2 :], *firmware(by, tmp_path), "-drive", image, *DRIVES[drive]]

        monkeypatch.setattr(emulator, "command", command)
        running = parclose_boot(machine, timeout=60)
        monkeypatch.setattr(emulator, "command", with_kernel)
        return running

    return boot


def told(running: Any) -> list[str]:
    """What the manager reported, in an order that does not depend on who was quicker."""
    return sorted(str(sorted(event.items())) for event in running.events())


@needs_grub
@pytest.mark.parametrize(
    ("by", "drive"),
    [
        ("bios", "usb"),
        pytest.param("uefi", "virtio", marks=needs_ovmf),
        pytest.param("bios", "virtio", marks=pytest.mark.slow),
        pytest.param("bios", "ahci", marks=pytest.mark.slow),
        pytest.param("uefi", "usb", marks=[needs_ovmf, pytest.mark.slow]),
        pytest.param("uefi", "ahci", marks=[needs_ovmf, pytest.mark.slow]),
    ],
)
def test_the_same_guests_run(by: str, drive: str, line: Path, boot_disk: Boot, parclose_boot: Boot) -> None:
    machine = emulator.load(line)
    usual, running = parclose_boot(machine).finish(), boot_disk(machine, by, drive).finish()
    assert told(running) == told(usual)
    assert "the machine is the planned one" in running.log
    assert ("BdsDxe" in running.log) == (by == "uefi")
    assert "sensor| 64 records written, read back and acknowledged by the logger" in running.log


@needs_grub
@pytest.mark.parametrize(
    ("by", "case"),
    [
        ("bios", "too little memory"),
        ("bios", "no disk"),
        pytest.param("uefi", "another device in its place", marks=[needs_ovmf, pytest.mark.slow]),
        pytest.param("uefi", "a processor without AVX", marks=[needs_ovmf, pytest.mark.slow]),
        pytest.param("bios", "registers of another size", marks=pytest.mark.slow),
    ],
)
def test_another_machine_is_refused(by: str, case: str, tmp_path: Path, boot_disk: Boot) -> None:
    change, said = WRONG_MACHINES[case]
    assert build(large_line(tmp_path), tmp_path / "out", "--format", "disk") == 0
    machine = emulator.load(tmp_path / "out")
    running = boot_disk(dataclasses.replace(machine, arguments=change(machine.arguments)), by, "virtio")
    running.expect("this machine is not the one the image was planned for")
    running.expect(said)
    running.expect("nothing was started")
    assert "manager|" not in running.log


@needs_grub
def test_the_same_bytes_in_another_folder_at_another_time(
    line: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time.sleep(2.1)  # two seconds are the step of a FAT file's time
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mtoolsrc").write_text("this is no setting\n")
    monkeypatch.setenv("MTOOLSRC", str(tmp_path / "mtoolsrc"))
    shutil.copytree(LINE.parent, tmp_path / "line")
    assert build(tmp_path / "line" / "layout.yaml", Path("out"), "--format", "disk") == 0
    assert (tmp_path / "out" / gpt.NAME).read_bytes() == (line / gpt.NAME).read_bytes()


@needs_grub
def test_another_image_gives_other_numbers(line: Path) -> None:
    image = (line / "image.elf").read_bytes()
    numbers = [table(disk.disk(content, 0)) for content in (image, image + b"\0")]
    assert numbers[0]["identity"] != numbers[1]["identity"]
    assert not {each["unique"] for each in numbers[0]["partitions"]} & {
        each["unique"] for each in numbers[1]["partitions"]
    }


def table(content: bytes, sector: int = 1) -> dict[str, Any]:
    """The partition table whose header is in `sector`, read with its checksums (UEFI 2.10, 5.3)."""
    head = content[sector * 512 : sector * 512 + 92]
    names = ("signature", "revision", "size", "sum", "zero", "here", "other", "first", "last", "identity")
    found = dict(zip(names, struct.unpack_from("<8sIIIIQQQQ16s", head), strict=True))
    place, count, size, entries_sum = struct.unpack_from("<QIII", head, 72)
    entries = content[place * 512 : place * 512 + count * size]
    assert found["signature"] == b"EFI PART" and found["here"] == sector and zlib.crc32(entries) == entries_sum
    assert zlib.crc32(head[:16] + bytes(4) + head[20:]) == found["sum"]
    partitions = []
    for kind, unique, start, end, _, name in struct.iter_unpack("<16s16sQQQ72s", entries):
        if any(kind):
            assert found["first"] <= start <= end <= found["last"] and start % gpt.ALIGNED == 0
            text = name.decode("utf-16-le").rstrip("\0")
            partitions.append({"kind": UUID(bytes_le=kind), "unique": unique, "at": (start, end), "name": text})
    return {**found, "partitions": partitions}


@needs_grub
def test_both_tables_say_the_same(line: Path) -> None:
    content = (line / gpt.NAME).read_bytes()
    first, last = table(content), len(content) // 512 - 1
    second = table(content, last)
    assert (first["other"], second["other"]) == (last, 1) and first["partitions"] == second["partitions"]
    assert [each["kind"] for each in first["partitions"]] == [gpt.BIOS_BOOT, gpt.SYSTEM]
    ends = [each["at"] for each in first["partitions"]]
    assert ends[0][1] < ends[1][0] and content[510:512] == b"\x55\xaa" and content[450] == 0xEE
    assert gpt.has_table(content[:1024]) and not gpt.has_table(bytes(1024))


@needs_grub
def test_sgdisk_finds_no_problem(line: Path) -> None:
    if shutil.which("sgdisk") is None:
        pytest.skip("sgdisk is not installed; the test above reads the tables too")
    done = subprocess.run(["sgdisk", "-v", line / gpt.NAME], capture_output=True, text=True, timeout=30)
    assert "No problems found" in done.stdout


@needs_grub
def test_the_file_system_holds_the_image(line: Path, tmp_path: Path) -> None:
    start = table((line / gpt.NAME).read_bytes())["partitions"][1]["at"][0]
    source = f"{line / gpt.NAME}@@{start * 512}"
    subprocess.run(["mcopy", "-i", source, "::parclose/image.elf", tmp_path / "copy"], check=True, timeout=30)
    assert (tmp_path / "copy").read_bytes() == (line / "image.elf").read_bytes()


@needs_grub
def test_a_disk_of_another_image_goes_with_the_next_build(line: Path, tmp_path: Path) -> None:
    place = shutil.copytree(LINE.parent, tmp_path / "line") / "layout.yaml"
    assert build(place, tmp_path / "out", "--format", "disk") == 0
    assert build(place, tmp_path / "out") == 0
    assert (tmp_path / "out" / gpt.NAME).exists()  # of the same image
    place.write_text(place.read_text().replace("limit: 2", "limit: 1"))
    assert build(place, tmp_path / "out") == 0
    assert (tmp_path / "out" / "image.elf").read_bytes() != (line / "image.elf").read_bytes()
    assert not (tmp_path / "out" / gpt.NAME).exists()


def test_without_grub_it_is_3_with_one_line_and_nothing_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(grub, "FOLDER", tmp_path)
    monkeypatch.setattr(grub, "_PROGRAMS", {"no-such-mkimage": "grub-common"})
    assert build(LINE, tmp_path / "out", "--format", "disk") == 3
    said = capsys.readouterr()
    line = "apt-get install --no-install-recommends -y grub-common grub-efi-amd64-bin grub-pc-bin"
    assert said.out == "" and said.err.count("apt-get") == 1 and line in said.err
    assert not (tmp_path / "out").exists()
    with pytest.raises(MissingTool):
        disk.disk(b"", 0)


@needs_grub
def test_an_image_that_grub_cannot_load_is_refused(line: Path) -> None:
    image = (line / "image.elf").read_bytes()
    assert struct.pack("<I", 0xE85250D6) in image[:32768]  # in the image that is made, where a loader finds it
    late = image[:4096] + bytes(32768) + image[4096:]
    with pytest.raises(ParcloseError, match="GRUB cannot load an image of"):
        disk.disk(late, 0)

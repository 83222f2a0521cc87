# SPDX-License-Identifier: Apache-2.0
"""What Linux says of a disk, read from folders as it makes them; and what the first bytes of a disk say."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from parclose import block_device, gpt

PART = gpt.Partition("x", gpt.SYSTEM, UUID(int=2), bytes(gpt.SECTOR))


def system(root: Path, usb: bool = True) -> Path:
    """A system's folders with the disk 8:16 (sdb), and its part 8:17."""
    disk = root / "sys/devices/pci0000:00" / ("usb1/1-1/1-1:1.0/host6" if usb else "host0") / "block/sdb"
    texts = {"dev": "8:16", "size": "8192", "removable": "0", "ro": "0", "queue/logical_block_size": "512"}
    texts |= {"device/vendor": "Maker   ", "device/model": "Stick 3.0  ", "sdb1/partition": "1", "sdb1/dev": "8:17"}
    texts |= {"sdb1/size": "4096", "sdb1/start": "2048", "sdb1/holders/none": "", "sdb1/ro": "0"}
    for name, text in texts.items():
        (disk / name).parent.mkdir(parents=True, exist_ok=True)
        (disk / name).write_text(text + "\n")
    (disk / "sdb1/holders/none").unlink()
    (root / "sys/dev/block").mkdir(parents=True)
    (root / "sys/dev/block/8:16").symlink_to(disk)
    (root / "sys/dev/block/8:17").symlink_to(disk / "sdb1")
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mountinfo").write_text("24 27 0:6 / /dev rw - devtmpfs devtmpfs rw\n")
    (root / "proc/swaps").write_text("Filename Type Size Used Priority\n")
    return disk


def test_a_stick(tmp_path: Path) -> None:
    disk = system(tmp_path)
    (disk.parents[3] / "busnum").write_text("1\n")
    (disk.parents[3] / "serial").write_text("0123ABC\n")
    facts = block_device.look_up("/dev/sdb", "8:16", tmp_path)
    assert (facts.whole, facts.removable, facts.read_only, facts.size) == (True, True, False, 4 << 20)
    assert (facts.model, facts.serial, facts.sector, facts.uses) == ("Maker Stick 3.0", "0123ABC", 512, ())


def test_a_part_and_a_fixed_disk_are_told_apart(tmp_path: Path) -> None:
    disk = system(tmp_path, usb=False)
    (disk / "device/vpd_pg80").write_bytes(b"\0\x80\0\x08  SN-77 ")
    whole = block_device.look_up("/dev/sdb", "8:16", tmp_path)
    part = block_device.look_up("/dev/sdb1", "8:17", tmp_path)
    assert (whole.whole, whole.removable, whole.serial) == (True, False, "SN-77")
    assert (part.whole, part.size) == (False, 2 << 20)
    (disk / "removable").write_text("1\n")
    assert block_device.look_up("/dev/sdb", "8:16", tmp_path).removable


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("proc/self/mountinfo", "9 8 8:17 / /my\\040stick rw - vfat /dev/sdb1 rw\n", "sdb1 is mounted at /my stick"),
        ("proc/self/mountinfo", "9 8 0:40 / /data rw shared:1 - btrfs /dev/sdb1 rw\n", "sdb1 is mounted at /data"),
        ("proc/self/mountinfo", "9 8 8:16 / /data rw - ext4 /dev/root rw\n", "sdb is mounted at /data"),
        ("proc/swaps", "Filename Type\n/dev/sdb1 partition 4 0 -2\n", "sdb1 is swap space"),
        ("sys/dev/block/8:17/holders/dm-0", "", "sdb1 is part of dm-0"),
    ],
)  # fmt: skip
def test_who_uses_it(tmp_path: Path, file: str, text: str, said: str) -> None:
    system(tmp_path)
    (tmp_path / file).write_text(text)
    assert block_device.look_up("/dev/sdb", "8:16", tmp_path).uses == (said,)


def test_what_stands_on_it(tmp_path: Path) -> None:
    assert block_device.signature(gpt.disk(UUID(int=1), b"", [PART])) == "a GUID partition table"
    assert block_device.signature(bytes(70000)) == "nothing, as far as its start says"
    assert block_device.signature(b"\1" + bytes(70000)) == "data of an unknown kind"
    assert block_device.signature(bytes(510) + b"\x55\xaa") == "an MBR partition table"
    assert block_device.signature(bytes(0x438) + b"\x53\xef") == "an ext file system"
    if shutil.which("mformat"):
        subprocess.run(["mformat", "-C", "-i", tmp_path / "fat", "-T", "2880", "-h", "2", "-s", "18", "::"], check=True)
        assert block_device.signature((tmp_path / "fat").read_bytes()) == "a FAT file system"

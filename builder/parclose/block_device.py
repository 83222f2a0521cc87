# SPDX-License-Identifier: Apache-2.0
"""Linux's block devices, and plain files, as targets of `flash`.

Source: Linux, Documentation/ABI/stable/sysfs-block; proc(5) for mountinfo and swaps; open(2) for O_EXCL on a block
device, which fails while anybody uses it or a part of it, in whatever namespace.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from parclose import gpt
from parclose.errors import DeviceRefused
from parclose.flash import Facts

_BLKFLSBUF = 0x1261  # linux/fs.h: forget the buffers of this device
_LOOKED_AT = 72 << 10  # bytes of a disk or a part that tell what it is

# where in it, which bytes, what they mean
_SIGNATURES = (
    (0x438, b"\x53\xef", "an ext file system"),
    (82, b"FAT32", "a FAT file system"),
    (54, b"FAT", "a FAT file system"),
    (3, b"NTFS", "an NTFS file system"),
    (3, b"EXFAT", "an exFAT file system"),
    (0, b"XFSB", "an XFS file system"),
    (0x10040, b"_BHRfS_M", "a Btrfs file system"),
    (0x8001, b"CD001", "an ISO 9660 file system"),
    (0, b"LUKS\xba\xbe", "an encrypted volume"),
    (512, b"LABELONE", "an LVM volume"),
    (4086, b"SWAPSPACE2", "swap space"),
)


class BlockDevice:
    """The device at `path`. What is not there raises `OSError`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = -1

    def facts(self) -> Facts:
        """What the system says of it, and what stands on it as far as it may be read."""
        found = os.stat(self.path)
        if not stat.S_ISBLK(found.st_mode):
            return Facts(str(self.path), "", found.st_size, block=False)
        number = f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
        facts = look_up(str(self.path), number)
        with suppress(OSError), open(self.path, "rb", buffering=0) as file:
            parts = [(name, start) for name, _, start in _parts(_place(Path("/"), number))]
            facts = replace(facts, contents=tuple(contents(lambda place: os.pread(file.fileno(), *place), parts)))
        return facts

    def open(self) -> None:
        """Raises `OSError` (EBUSY) while it is mounted or otherwise in use, whoever does it."""
        self._file = os.open(self.path, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC)

    def write(self, offset: int, data: bytes) -> int:
        """As `Target` says."""
        return os.pwrite(self._file, data, offset)

    def flush(self) -> None:
        """As `Target` says."""
        os.fsync(self._file)
        with suppress(OSError):  # for root only; the advice below does nearly the same
            fcntl.ioctl(self._file, _BLKFLSBUF)
        os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_DONTNEED)

    def read(self, offset: int, size: int) -> bytes:
        """As `Target` says."""
        return os.pread(self._file, size, offset)

    def close(self) -> None:
        """As `Target` says."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class PlainFile(BlockDevice):
    """A file, made where there is none; what was in it is lost."""

    def facts(self) -> Facts:
        """Raises `OSError` for a folder that is not there, and `DeviceRefused` for something else than a file."""
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            os.stat(self.path.parent)
            return Facts(str(self.path), str(self.path), 0, block=False, plain=True)
        if not stat.S_ISREG(found.st_mode):
            raise DeviceRefused(f"{self.path} is refused: it is no plain file", "for a device, leave --to-file out")
        return Facts(str(self.path), str(self.path), found.st_size, block=False, plain=True)

    def open(self) -> None:
        """As `Target` says."""
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)


def look_up(path: str, number: str, root: Path = Path("/")) -> Facts:
    """The facts of the block device `number` ("8:16") in the system below `root`; nothing of the device is read."""
    place = _place(root, number)
    parts = _parts(place)
    disk = place.parent if (place / "partition").exists() else place
    names = {place.name: number} | {name: _text(place / name / "dev") for name, _, _ in parts}
    serial = _serial(root, disk, _text(disk / "dev"))
    return Facts(
        path=path,
        identity=" ".join((number, str(place), serial, _text(place / "size"), _text(disk / "diskseq"))),
        size=int(_text(place / "size") or 0) * 512,  # in these units whatever the device's sectors are
        whole=disk == place,
        removable=_removable(disk),
        read_only=_text(place / "ro") == "1",
        sector=int(_text(disk / "queue" / "logical_block_size") or gpt.SECTOR),
        model=_model(disk),
        serial=serial,
        uses=tuple(dict.fromkeys(_uses(root, place, names))),
    )


def contents(read: Callable[[tuple[int, int]], bytes], parts: list[tuple[str, int]]) -> Iterator[str]:
    """What stands on a disk and on each of its parts (name, first byte). `read` takes (size, offset)."""
    yield signature(read((_LOOKED_AT, 0)))
    for name, start in parts:
        yield f"{name}: {signature(read((_LOOKED_AT, start)))}"


def signature(start: bytes) -> str:
    """What the first bytes of a disk or a part say that it is."""
    if gpt.has_table(start):
        return "a GUID partition table"
    for place, wanted, means in _SIGNATURES:
        if start[place : place + len(wanted)] == wanted:
            return means
    if start[510:512] == b"\x55\xaa":
        return "an MBR partition table"
    return "data of an unknown kind" if any(start) else "nothing, as far as its start says"


def _place(root: Path, number: str) -> Path:
    return (root / "sys/dev/block" / number).resolve()


def _parts(place: Path) -> list[tuple[str, int, int]]:
    """Name, size and first byte of each part of the disk at `place`."""
    found = [each.parent for each in place.glob("*/partition")]
    return sorted(
        (each.name, int(_text(each / "size") or 0) * 512, int(_text(each / "start") or 0) * 512) for each in found
    )


def _text(file: Path) -> str:
    return _content(file).decode("utf-8", "replace").replace("\0", " ").strip()


def _content(file: Path) -> bytes:
    """The bytes of `file`, none where it is not there or the device does not answer."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _removable(disk: Path) -> bool:
    """A medium that can be taken out, what hangs on USB, or a card."""
    usb = any(re.fullmatch(r"usb\d+", part) for part in disk.parts)
    return _text(disk / "removable") == "1" or usb or _text(disk / "device" / "type") == "SD"


def _model(disk: Path) -> str:
    backing = _text(disk / "loop" / "backing_file")
    if backing:
        return f"loop device over {backing}"
    words = (_text(disk / "device" / "vendor"), _text(disk / "device" / "model") or _text(disk / "device" / "name"))
    return " ".join(word for word in words if word and not word.startswith("0x"))  # virtio's vendor is a number


def _serial(root: Path, disk: Path, number: str) -> str:
    """As udev has it, and else where NVMe, cards, virtio, SCSI and USB say it."""
    udev = re.search(r"^E:ID_SERIAL_SHORT=(.+)$", _text(root / "run/udev/data" / f"b{number}"), re.MULTILINE)
    if udev:
        return udev[1].strip()
    page = _content(disk / "device" / "vpd_pg80")[4:].decode("ascii", "replace")  # SCSI: after a header of four bytes
    above = [parent / "serial" for parent in disk.parents if (parent / "busnum").exists()]  # the USB device
    found = [_text(disk / "device" / "serial"), _text(disk / "serial"), *map(_text, above), page.strip()]
    return next(filter(None, found), "")


def _uses(root: Path, place: Path, names: dict[str, str]) -> Iterator[str]:
    """Who uses the disk or one of its parts: `names` has the numbers of both."""
    numbers = {number: name for name, number in names.items()}
    for line in _text(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        words, source = before.split(), Path(after.split()[1] if len(after.split()) > 1 else "")
        # Btrfs gives a number of its own, and the device only by name
        name = numbers.get(words[2]) or (source.name if source.parent == Path("/dev") and source.name in names else "")
        if name:
            where = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), words[4])
            yield f"{name} is mounted at {where}"
    for line in _text(root / "proc/swaps").splitlines()[1:]:
        if Path(line.split()[0]).name in names:
            yield f"{Path(line.split()[0]).name} is swap space"
    for name in names:
        for holder in sorted(((place if name == place.name else place / name) / "holders").glob("*")):
            yield f"{name} is part of {holder.name}"

# SPDX-License-Identifier: Apache-2.0
"""Writes the image onto a raw disk that boots by BIOS and by UEFI: GRUB loads it by multiboot2 under both.

Two partitions: GRUB's core for BIOS, and a FAT one with GRUB for UEFI and the image. The same image and the same GRUB
give the same bytes: all that is to be unique comes from the image's hash.
"""

from __future__ import annotations

import hashlib
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from parclose import gpt, grub, tools
from parclose.errors import ParcloseError
from parclose.gpt import NAME, SECTOR

_MODULES = ("part_gpt", "fat", "multiboot2", "boot")
_IMAGE = "parclose/image.elf"
_LOADER = "EFI/BOOT/BOOTX64.EFI"  # UEFI 2.10, 3.5.1.1: what firmware starts from a disk that it does not know
_MEBIBYTE = 1 << 20
_SMALLEST = 36 * _MEBIBYTE  # FAT32, which all firmware reads, takes at least 65,525 clusters (Microsoft FAT 1.03, 3.5)
_SPARE = 2 * _MEBIBYTE  # for folders and the ends of files; the tables take one part in 64
# For mtools: FAT knows no day before 1980; and no settings of the user's own.
_SETTINGS = ("env", "SOURCE_DATE_EPOCH=315532800", "MTOOLSRC=/dev/null")
_SEARCHED = 32768  # bytes in which a loader looks for the header, which stands after the program headers
_HEADER_MAGIC = 0xE85250D6  # Multiboot2 Specification 2.0, 3.1.1

# i386-pc/boot.img and diskboot.img (GRUB 2.06, include/grub/i386/pc/boot.h and offsets.h)
_BOOT_SECTOR, _BOOT_DRIVE_CHECK = 0x5C, 0x66
_BLOCK_LIST = SECTOR - 12  # in the core's first sector: where the others begin


def forget(out: Path, image: bytes) -> None:
    """Remove the disk that an earlier build left in `out`, unless it is of the same image."""
    if (out / NAME).exists() and not ((out / "image.elf").exists() and (out / "image.elf").read_bytes() == image):
        (out / NAME).unlink()


def disk(image: bytes, port: int) -> bytes:
    """The disk that boots `image`; on BIOS, GRUB's messages go to the serial `port` too (0: there is none).

    Raises `MissingTool`, and `ParcloseError` for an image that GRUB cannot load.
    """
    grub.require()
    _check_header(image)
    numbers = _numbers(image)
    with tempfile.TemporaryDirectory(prefix="parclose-disk-") as folder:
        core = _grub(Path(folder), grub.BIOS, "(,gpt2)/parclose", ["biosdisk", *_SERIAL], _serial(port))
        loader = _grub(Path(folder), grub.UEFI, "/parclose", [], [])  # UEFI's console is what the firmware says it is
        system = _system(Path(folder), {_LOADER: loader, _IMAGE: image}, numbers[3].hex[:8])
    core_place = gpt.ALIGNED
    partitions = [
        gpt.Partition("parclose-bios", gpt.BIOS_BOOT, numbers[1], _core(core, core_place)),
        gpt.Partition("parclose-system", gpt.SYSTEM, numbers[2], system),
    ]
    assert gpt.places(partitions)[0] == core_place
    return gpt.disk(numbers[0], _boot_code(core_place), partitions)


def _check_header(image: bytes) -> None:
    """A layout of very many partitions has so many program headers that the loader's header comes too late."""
    if not any(word == _HEADER_MAGIC for (word,) in struct.iter_unpack("<I4x", image[:_SEARCHED].ljust(_SEARCHED))):
        (count,) = struct.unpack_from("<H", image, 56)  # e_phnum
        raise ParcloseError(
            f"GRUB cannot load an image of {count} segments: it looks at the first 32 KiB only",
            "use fewer partitions, or boot the image itself with QEMU's -kernel",
        )


def _numbers(image: bytes) -> list[UUID]:
    """Four numbers as unique as `image` is: the disk's, its partitions' and the file system's."""
    return [UUID(bytes=hashlib.sha256(b"%d" % place + image).digest()[:16], version=4) for place in range(4)]


_SERIAL = ("serial", "terminal")


def _serial(port: int) -> list[str]:
    return [f"serial --port={port:#x} --speed=115200", "terminal_output --append serial"] if port else []


def _grub(folder: Path, target: str, prefix: str, modules: Sequence[str], first: Sequence[str]) -> bytes:
    """GRUB with all that it needs inside; it asks nothing and shows no menu. `prefix` names the partition it reads.

    In the prefix "(," is the disk that the BIOS booted; without a partition it is the one that UEFI booted.
    """
    settings, made = folder / "grub.cfg", folder / target
    settings.write_text("\n".join([*first, f"multiboot2 /{_IMAGE}", "boot", ""]))
    words: list[str | Path] = ["-O", target, "-d", grub.FOLDER / target, "-p", prefix, "-c", settings, "-o", made]
    tools.run(["grub-mkimage", *words, *_MODULES, *modules])
    return made.read_bytes()


def _system(folder: Path, files: dict[str, bytes], serial: str) -> bytes:
    """A FAT32 file system with `files`."""
    made = folder / "system"
    needed = sum(len(content) for content in files.values()) * 33 // 32 + _SPARE
    size = max(_SMALLEST, -(-needed // _MEBIBYTE) * _MEBIBYTE)
    with open(made, "wb") as file:
        file.truncate(size)
    label = ["-v", "PARCLOSE", "-N", serial]
    geometry = ["-T", str(size // SECTOR), "-h", "64", "-s", "32", "-c", "1", "-H", str(2 * gpt.ALIGNED)]
    tools.run([*_SETTINGS, "mformat", "-i", made, "-F", *label, *geometry, "::"])
    folders = sorted({parent for name in files for parent in Path(name).parents if parent.name})
    tools.run([*_SETTINGS, "mmd", "-i", made, *(f"::{each}" for each in folders)])
    for name, content in files.items():
        (folder / "file").write_bytes(content)
        tools.run([*_SETTINGS, "mcopy", "-i", made, folder / "file", f"::{name}"])
    return made.read_bytes()


def _core(core: bytes, place: int) -> bytes:
    """GRUB's core as the partition that starts at the sector `place`: its first sector says where the others are."""
    changed = bytearray(core)
    struct.pack_into("<Q", changed, _BLOCK_LIST, place + 1)
    return bytes(changed).ljust(_MEBIBYTE, b"\0")


def _boot_code(place: int) -> bytes:
    """GRUB's first sector, which loads the sector `place`."""
    code = bytearray((grub.FOLDER / grub.BIOS / "boot.img").read_bytes()[: gpt.BOOT_CODE])
    struct.pack_into("<Q", code, _BOOT_SECTOR, place)
    # As grub-bios-setup does for a hard disk: some BIOSes name the drive wrongly, and two NOPs let GRUB correct it.
    struct.pack_into("<H", code, _BOOT_DRIVE_CHECK, 0x9090)
    return bytes(code)

# SPDX-License-Identifier: Apache-2.0
"""Writes a disk with a GUID partition table. Source: UEFI Specification 2.10, chapter 5."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

NAME = "disk.img"  # a disk in a build's directory
SECTOR = 512
ALIGNED = 2048  # sectors: partitions start at whole MiB
BOOT_CODE = 440  # bytes of the first sector before the disk's signature

SYSTEM = UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")  # EFI system partition
BIOS_BOOT = UUID("21686148-6449-6e6f-744e-656564454649")  # GRUB manual, "BIOS installation"

_ENTRIES, _ENTRY_SIZE = 128, 128  # the least that the specification allows
_TABLE = _ENTRIES * _ENTRY_SIZE // SECTOR  # sectors
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_SIGNATURE, _REVISION = b"EFI PART", 0x10000


@dataclass(frozen=True)
class Partition:
    """`content` is the whole partition, whole sectors; `kind` its type, `unique` its own number."""

    name: str
    kind: UUID
    unique: UUID
    content: bytes

    @property
    def sectors(self) -> int:
        return len(self.content) // SECTOR


def places(partitions: Sequence[Partition]) -> list[int]:
    """The first sector of each."""
    found, place = [], ALIGNED
    for partition in partitions:
        found.append(place)
        place = _up(place + partition.sectors)
    return found


def disk(identity: UUID, boot_code: bytes, partitions: Sequence[Partition]) -> bytes:
    """All bytes of a disk that ends where its second table does. `boot_code` is at most `BOOT_CODE` bytes."""
    starts = places(partitions)
    end = _up(starts[-1] + partitions[-1].sectors)  # the first sector after the last partition, aligned
    last = end + _TABLE
    entries = b"".join(map(_entry, partitions, starts)).ljust(_TABLE * SECTOR, b"\0")
    first = _header(identity, entries, 1, last, 2)
    second = _header(identity, entries, last, 1, end)
    body = bytearray((last + 1) * SECTOR)
    for sector, content in [
        (0, _protective(boot_code, last)),
        (1, first),
        (2, entries),
        *zip(starts, (partition.content for partition in partitions), strict=True),
        (end, entries),
        (last, second),
    ]:
        body[sector * SECTOR : sector * SECTOR + len(content)] = content
    return bytes(body)


def has_table(start: bytes) -> bool:
    """Whether the first two sectors in `start` are those of a disk with such a table."""
    return start[510:512] == b"\x55\xaa" and start[SECTOR : SECTOR + 8] == _SIGNATURE


def _up(sector: int) -> int:
    return -(-sector // ALIGNED) * ALIGNED


def _entry(partition: Partition, start: int) -> bytes:
    end = start + partition.sectors - 1
    return _ENTRY.pack(
        partition.kind.bytes_le, partition.unique.bytes_le, start, end, 0, partition.name.encode("utf-16-le")
    )


def _header(identity: UUID, entries: bytes, here: int, other: int, table: int) -> bytes:
    usable = 2 + _TABLE, max(here, other) - _TABLE - 1

    def pack(checksum: int) -> bytes:
        return _HEADER.pack(
            *(_SIGNATURE, _REVISION, _HEADER.size, checksum, 0, here, other, *usable, identity.bytes_le),
            *(table, _ENTRIES, _ENTRY_SIZE, zlib.crc32(entries)),
        )

    return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")


def _protective(boot_code: bytes, last: int) -> bytes:
    """The first sector: one entry of type 0xee over the whole disk (5.2.3), so that old tools leave it alone."""
    assert len(boot_code) <= BOOT_CODE
    entry = struct.pack("<B3sB3sII", 0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1, min(last, 0xFFFFFFFF))
    return boot_code.ljust(446, b"\0") + entry.ljust(64, b"\0") + b"\x55\xaa"

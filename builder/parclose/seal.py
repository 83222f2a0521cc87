# SPDX-License-Identifier: Apache-2.0
"""Checksums of an image. Which bytes they cover stands in its database; they are worked out on the finished file.

The monitor works them out again before it trusts any of those bytes (abi/database.h says how).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from parclose import dwarf
from parclose.constants import constants
from parclose.dwarf import Struct

_MASK = (1 << 64) - 1
_WORD = 8  # bytes that a step takes
_LOAD = 1  # PT_LOAD
_MOST = 32 << 20  # bytes covered, far above what a plan makes; a bound on the work that a foreign file can cause


@dataclass(frozen=True)
class Sum:
    """One checksum of an image: `said` stands in its database, `found` is that of the bytes."""

    name: str
    start: int
    size: int
    said: int
    found: int


def checksum(content: bytes, value: int | None = None) -> int:
    """The checksum of `content`, whose length is a multiple of 8; `value` is that of what precedes it."""
    known = constants()
    value = known["CHECKSUM_START"] if value is None else value
    prime, turn = known["CHECKSUM_PRIME"], known["CHECKSUM_TURN"]
    for (word,) in struct.iter_unpack("<Q", content):
        value = (value ^ word) * prime & _MASK
        value = (value << turn | value >> 64 - turn) & _MASK
    return value


def seal(image: bytes) -> bytes:
    """`image` with the checksums that its bytes have. Raises `KeyError` for bytes that it does not hold."""
    sealed = _File(bytearray(image))
    for place, _, start, size in _covered(sealed):
        sealed.write(place, checksum(sealed.read(start, size)))
    sealed.write(_database_sum(), _of_database(sealed))
    return bytes(sealed.content)


def sums(image: bytes) -> list[Sum]:
    """All checksums of `image`, that of the database first. Raises `KeyError` as `seal` does."""
    file = _File(bytearray(image))
    start = constants()["DATABASE_PHYSICAL"]
    size = file.number(start + _member("database", "size"), 4)
    found = [Sum("resource database", start, size, file.number(_database_sum()), _of_database(file))]
    for place, name, first, size in _covered(file):
        found.append(Sum(name, first, size, file.number(place), checksum(file.read(first, size))))
    return found


def _covered(file: _File) -> Iterator[tuple[int, str, int, int]]:
    """Of each row of `sums`: where its checksum stands, and the name, start and size of what it covers."""
    start, row = constants()["DATABASE_PHYSICAL"], _struct("sum_row")
    table = start + _member("database", "sums")
    offset, count = file.number(table, 4), file.number(table + 4, 4)
    total = 0
    for index in range(count):
        place = start + offset + index * row.size
        fields: dict[str, Any] = dwarf.layouts().decode("sum_row", file.read(place, row.size))
        total += fields["size"]
        if total > _MOST:
            raise KeyError(f"{total} bytes with checksums")
        yield place + _member("sum_row", "sum"), fields["name"], fields["start"], fields["size"]


def _of_database(file: _File) -> int:
    """The database's, in which its own field counts as 0."""
    start = constants()["DATABASE_PHYSICAL"]
    content = file.read(start, file.number(start + _member("database", "size"), 4))
    field = _member("database", "checksum")
    return checksum(content[:field] + bytes(_WORD) + content[field + _WORD :])


def _database_sum() -> int:
    return constants()["DATABASE_PHYSICAL"] + _member("database", "checksum")


def _struct(name: str) -> Struct:
    return dwarf.layouts().structs[name]


def _member(name: str, member: str) -> int:
    return _struct(name).field(member).offset


class _File:
    """An image file's bytes by physical address (System V ABI, ELF-64: program headers)."""

    def __init__(self, content: bytearray) -> None:
        self.content = content
        (table,) = struct.unpack_from("<Q", content, 32)
        width, count = struct.unpack_from("<HH", content, 54)
        self._segments = []
        for index in range(count):
            kind, _, offset, _, start, filled, size = struct.unpack_from("<IIQQQQQ", content, table + index * width)
            if kind == _LOAD:
                self._segments.append((start, filled, size, offset))

    def read(self, address: int, size: int) -> bytes:
        """The bytes at physical `address`; those beyond a segment's file part are zero, as the loader makes them."""
        for start, filled, whole, offset in self._segments:
            if start <= address and address + size <= start + whole:
                first = offset + address - start
                return bytes(self.content[first : max(first, min(first + size, offset + filled))]).ljust(size, b"\0")
        raise KeyError(hex(address))

    def number(self, address: int, size: int = _WORD) -> int:
        """The little-endian number of `size` bytes at physical `address`."""
        return int.from_bytes(self.read(address, size), "little")

    def write(self, address: int, value: int) -> None:
        """Replace the 8 bytes at physical `address`."""
        for start, filled, _, offset in self._segments:
            if start <= address and address + _WORD <= start + filled:
                first = offset + address - start
                self.content[first : first + _WORD] = value.to_bytes(_WORD, "little")
                return
        raise KeyError(hex(address))

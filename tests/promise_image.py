# SPDX-License-Identifier: Apache-2.0
"""Changes bytes of a finished image: page table entries, so that a control differs from its attack in nothing else."""

from __future__ import annotations

import struct
from pathlib import Path

from parclose.constants import constants
from parclose.seal import seal

_LEVELS = (39, 30, 21, 12)
_LOAD = 1  # PT_LOAD


class Image:
    """The bytes of an image by physical address (System V ABI, ELF-64: program headers)."""

    def __init__(self, path: Path) -> None:
        self._bytes = bytearray(path.read_bytes())
        (table,) = struct.unpack_from("<Q", self._bytes, 32)
        size, count = struct.unpack_from("<HH", self._bytes, 54)
        self._segments: list[tuple[int, int, int]] = []
        for number in range(count):
            kind, _, offset, _, physical, filled = struct.unpack_from("<IIQQQQ", self._bytes, table + number * size)
            if kind == _LOAD:
                self._segments.append((physical, filled, offset))

    def read(self, physical: int, size: int) -> bytes:
        """The bytes from `physical` on. Raises `KeyError` where the file holds none."""
        place = self._place(physical)
        return bytes(self._bytes[place : place + size])

    def write(self, physical: int, content: bytes) -> None:
        """Replace the bytes from `physical` on. Raises `KeyError` where the file holds none."""
        place = self._place(physical)
        self._bytes[place : place + len(content)] = content

    def entry(self, physical: int) -> int:
        """The page table entry at `physical`."""
        return int(struct.unpack("<Q", self.read(physical, 8))[0])

    def set_entry(self, physical: int, value: int) -> None:
        """Replace the page table entry at `physical`."""
        self.write(physical, struct.pack("<Q", value))

    def save(self, path: Path) -> None:
        """Write the image to `path`, with the checksums that it has now: the monitor is to believe the change."""
        path.write_bytes(seal(bytes(self._bytes)))

    def _place(self, physical: int) -> int:
        for start, filled, offset in self._segments:
            if start <= physical < start + filled:
                return offset + physical - start
        raise KeyError(hex(physical))


def present(image: Image, root: int, virtual: int) -> bool:
    """Whether the tables at `root` translate `virtual`, for whatever ring."""
    number = constants()
    table = root
    for shift in _LEVELS:
        entry = image.entry(table + 8 * (virtual >> shift & 511))
        if not entry & number["PAGE_PRESENT"]:
            return False
        if entry & number["PAGE_LARGE"]:
            return True
        table = entry & number["PAGE_ADDRESS_MASK"]
    return True


def grant(image: Image, root: int, virtual: int, physical: int, access: str) -> None:
    """Let ring 3 have `access` ("read", "write", "execute") at `virtual`; where nothing is mapped, map `physical`.

    What is mapped stays where it is and only gets the one right; a missing table becomes one large page.
    """
    number = constants()
    upper = number["PAGE_USER"] | number["PAGE_WRITABLE"]
    table = root
    for shift in _LEVELS:
        place = table + 8 * (virtual >> shift & 511)
        entry = image.entry(place)
        if not entry & number["PAGE_PRESENT"]:
            image.set_entry(place, _leaf(shift, physical))
            return
        if shift == _LEVELS[-1] or entry & number["PAGE_LARGE"]:
            image.set_entry(place, _with_right(entry, access))
            return
        image.set_entry(place, (entry | upper) & ~number["PAGE_NO_EXECUTE"])
        table = entry & number["PAGE_ADDRESS_MASK"]


def map_page(image: Image, root: int, virtual: int, physical: int) -> None:
    """Let the 4 KiB page that is mapped at `virtual` show `physical` instead."""
    number = constants()
    table = root
    for shift in _LEVELS[:-1]:
        table = image.entry(table + 8 * (virtual >> shift & 511)) & number["PAGE_ADDRESS_MASK"]
    place = table + 8 * (virtual >> _LEVELS[-1] & 511)
    image.set_entry(place, (image.entry(place) & ~number["PAGE_ADDRESS_MASK"]) | physical)


def _with_right(entry: int, access: str) -> int:
    number = constants()
    entry |= number["PAGE_USER"]
    if access == "write":
        entry |= number["PAGE_WRITABLE"]
    if access == "execute":
        entry &= ~number["PAGE_NO_EXECUTE"]
    return entry


def _leaf(shift: int, physical: int) -> int:
    number = constants()
    assert shift < _LEVELS[0], "a root entry cannot be a page"
    flags = ("PRESENT", "WRITABLE", "USER", "ACCESSED", "DIRTY", *(("LARGE",) if shift > _LEVELS[-1] else ()))
    return (physical >> shift << shift) | sum(number[f"PAGE_{flag}"] for flag in flags)

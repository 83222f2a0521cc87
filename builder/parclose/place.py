# SPDX-License-Identifier: Apache-2.0
"""Gives out addresses: the lowest free place that is aligned and large enough."""

from __future__ import annotations

from collections.abc import Iterable


def align_up(value: int, alignment: int) -> int:
    """The first multiple of `alignment` (a power of two) at or above `value`."""
    return (value + alignment - 1) & -alignment


class NoRoom(Exception):
    """Nothing free is large enough. `free` bytes are left altogether, `largest` in one piece."""

    def __init__(self, size: int, free: int, largest: int) -> None:
        super().__init__(f"{size} bytes wanted, {largest} free in one piece, {free} altogether")
        self.size = size
        self.free = free
        self.largest = largest


class Space:
    """Free ranges of addresses, each (start, end)."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._free = sorted((start, end) for start, end in ranges if end > start)

    def take(self, size: int, alignment: int) -> int:
        """The lowest free address for `size` bytes, no longer free afterwards. Raises `NoRoom`."""
        for position, (start, end) in enumerate(self._free):
            place = align_up(start, alignment)
            if place + size <= end:
                rest = ((start, place), (place + size, end))
                self._free[position : position + 1] = [(low, high) for low, high in rest if high > low]
                return place
        lengths = [end - start for start, end in self._free]
        raise NoRoom(size, sum(lengths), max(lengths, default=0))

    def free(self) -> int:
        """Bytes not given out."""
        return sum(end - start for start, end in self._free)

# SPDX-License-Identifier: Apache-2.0
"""Page tables as the processor reads them: from a root in the image's bytes to the list of what is mapped.

Intel SDM 3A, 4.5 (4-level paging) and 4.6 (access rights: the most restrictive of all levels counts).
"""

from __future__ import annotations

import bisect
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from parclose.constants import constants
from parclose.errors import ParcloseError
from parclose.inspect.physical import Physical

_ENTRIES = struct.Struct("<512Q")
_ROOT_LEVEL = 4
_LOWER_HALF = 1 << 47
_LARGE_PAT = 1 << 12  # of an entry for a large page (Intel SDM 3A, table 4-17)
_MOST_ENTRIES = 4_000_000  # in all roots together: a bound on the work that a foreign image can cause
_MOST_RANGES = 20_000  # after joining neighbours, in all roots together
_MOST_FAULTS = 20  # of one root


@dataclass(frozen=True, order=True)
class Mapping:
    """`size` bytes at virtual `address` reach `physical`. `rights` are RIGHT_* bits; `user`: ring 3 may use them."""

    address: int
    size: int
    physical: int
    rights: int
    user: bool
    uncached: bool
    shared: bool  # the global bit: the translation outlives a change of root

    def part(self, first: int, end: int) -> Mapping:
        """What of it lies between the virtual addresses `first` and `end`, which it must meet."""
        first, end = max(first, self.address), min(end, self.address + self.size)
        return replace(self, address=first, size=end - first, physical=self.physical + first - self.address)

    def continues(self, before: Mapping) -> bool:
        """Whether this one goes on where `before` ends, in both numberings and with the same rights."""
        return (
            before.address + before.size == self.address
            and before.physical + before.size == self.physical
            and (before.rights, before.user, before.uncached, before.shared)
            == (self.rights, self.user, self.uncached, self.shared)
        )


@dataclass(frozen=True)
class Space:
    """What one root maps: ranges in order of virtual addresses, and what is wrong with the tables themselves."""

    mappings: tuple[Mapping, ...]
    faults: tuple[str, ...]

    def at(self, address: int) -> Mapping | None:
        """The mapping that holds the virtual `address`."""
        place = bisect.bisect_right(self.mappings, address, key=lambda mapping: mapping.address) - 1
        if place < 0 or address >= self.mappings[place].address + self.mappings[place].size:
            return None
        return self.mappings[place]

    def physical(self, address: int) -> int | None:
        """The physical address behind the virtual `address`, or None."""
        found = self.at(address)
        return found.physical + address - found.address if found else None


class _Bits:
    """Bits of a page table entry (abi/page.h), looked up once."""

    def __init__(self) -> None:
        number = constants()
        self.present, self.writable, self.user = number["PAGE_PRESENT"], number["PAGE_WRITABLE"], number["PAGE_USER"]
        self.uncached, self.large, self.shared = number["PAGE_UNCACHED"], number["PAGE_LARGE"], number["PAGE_GLOBAL"]
        self.no_execute, self.address = number["PAGE_NO_EXECUTE"], number["PAGE_ADDRESS_MASK"]
        self.write, self.execute = number["RIGHT_WRITE"], number["RIGHT_EXECUTE"]
        self.every = number["RIGHT_READ"] | self.write | self.execute

    def narrow(self, entry: int, above: tuple[int, bool]) -> tuple[int, bool]:
        """What an entry leaves of what the levels above allow: rights, and whether to ring 3."""
        rights, user = above
        if not entry & self.writable:
            rights &= ~self.write
        if entry & self.no_execute:
            rights &= ~self.execute
        return rights, user and bool(entry & self.user)

    def leaf(self, entry: int, reach: int, address: int, allowed: tuple[int, bool]) -> Mapping:
        """The mapping of an entry that ends the walk."""
        physical = entry & self.address & ~(reach - 1)  # drops the PAT bit of a large page too
        uncached, shared = bool(entry & self.uncached), bool(entry & self.shared)
        return Mapping(_canonical(address), reach, physical, *allowed, uncached, shared)


class Walker:
    """Walks the tables in `memory`; entries are bounded over all roots, and no table is entered twice from one root."""

    def __init__(self, memory: Physical) -> None:
        self._memory = memory
        self._bits = _Bits()
        self._entries_left, self._ranges_left = _MOST_ENTRIES, _MOST_RANGES

    def space(self, root: int) -> Space:
        """All that `root` maps. Raises `ParcloseError` where the tables are larger than any plan makes them."""
        start = root & self._bits.address
        faults: list[str] = [] if root == start else [f"the root {root:#x} is no address of a page"]
        seen: set[int] = set()
        merged: list[Mapping] = []
        for mapping in self._table(start, _ROOT_LEVEL, 0, (self._bits.every, True), seen, faults):
            if merged and mapping.continues(merged[-1]):
                merged[-1] = replace(merged[-1], size=merged[-1].size + mapping.size)
            else:
                merged.append(mapping)
                self._ranges_left = self._bound(self._ranges_left)
        if len(faults) > _MOST_FAULTS:
            faults[_MOST_FAULTS:] = [f"and {len(faults) - _MOST_FAULTS} more faults of the tables"]
        return Space(tuple(merged), tuple(faults))

    def _bound(self, left: int) -> int:
        if left == 0:
            raise ParcloseError(f"the page tables in {self._memory.name} are larger than any plan makes them")
        return left - 1

    def _table(
        self, table: int, level: int, base: int, above: tuple[int, bool], seen: set[int], faults: list[str]
    ) -> Iterator[Mapping]:
        """The mappings below one table; `above` is what the levels above allow."""
        content = self._memory.read(table, _ENTRIES.size)
        if content is None or table in seen:
            reason = "is used twice" if content else "is not in the image"
            faults.append(f"the level {level} table at {table:#x}, for {_canonical(base):#x}, {reason}")
            return
        seen.add(table)
        bits, reach = self._bits, 1 << (12 + 9 * (level - 1))
        for index, entry in enumerate(_ENTRIES.unpack(content)):
            if not entry & bits.present:
                continue
            self._entries_left = self._bound(self._entries_left)
            allowed, address = bits.narrow(entry, above), base + index * reach
            if level > 1 and not entry & bits.large:
                yield from self._table(entry & bits.address, level - 1, address, allowed, seen, faults)
            elif level == _ROOT_LEVEL or (level > 1 and entry & bits.address & (reach - 1) & ~_LARGE_PAT):
                faults.append(f"entry {index} of the table at {table:#x} has reserved bits set: {entry:#x}")
            else:
                yield bits.leaf(entry, reach, address, allowed)


def _canonical(address: int) -> int:
    return address if address < _LOWER_HALF else address | 0xFFFF << 48

# SPDX-License-Identifier: Apache-2.0
"""What the rows and the fixed address map allow each partition to map: the counterpart of the page tables."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parclose.constants import constants
from parclose.dwarf import Layouts
from parclose.inspect.database import Database, Row
from parclose.inspect.physical import Physical
from parclose.inspect.walk import Mapping, Space

MONITOR, DATABASE = "the monitor", "the database"  # who has an extent that no row gives away
_MOST_REGISTERS = 10_000  # pieces of BARs that one root shows: a bound on the work that a foreign image can cause


@dataclass(frozen=True, order=True)
class Grant:
    """`what` may be mapped at `address`. `physical` is None where no row says it; `whole`: all of it must be mapped."""

    address: int
    size: int
    physical: int | None
    rights: int
    what: str
    whole: bool = True
    device: bool = False  # registers: uncached
    within: str = ""  # whose memory a page without a row of its own stands in


@dataclass(frozen=True, order=True)
class Extent:
    """Physical memory that a row gives to somebody."""

    start: int
    end: int
    what: str


class Extents:
    """Finds the extents that meet a range, however they overlap."""

    def __init__(self, extents: Sequence[Extent]) -> None:
        self._extents = sorted(extents)
        self._furthest: list[int] = []
        for extent in self._extents:
            self._furthest.append(max(extent.end, self._furthest[-1] if self._furthest else 0))

    def meeting(self, start: int, size: int) -> Iterator[Extent]:
        """Each extent that shares a byte with `size` bytes from `start` on."""
        place = bisect.bisect_left(self._extents, start + size, key=lambda extent: extent.start) - 1
        while place >= 0 and self._furthest[place] > start:
            if self._extents[place].end > start:
                yield self._extents[place]
            place -= 1


def pages(size: int) -> int:
    """`size` rounded up to whole pages."""
    page = constants()["PAGE_SIZE"]
    return (size + page - 1) // page * page


def of_partition(index: int, row: Row, database: Database, space: Space, configs: list[Row]) -> list[Grant]:
    """All that the partition may map for ring 3, in order of addresses."""
    grants = [*_fixed(index, database), *_described(row, database)]
    grants += [
        Grant(config["address"], pages(config["size"] or 1), None, constants()["RIGHT_READ"], _config(config))
        for config in configs
    ]
    grants += itertools.islice(_registers(index, database, space), _MOST_REGISTERS)
    return sorted(grants, key=lambda grant: (grant.address, grant.size))


def _config(row: Row) -> str:
    return f"config {row['name']!r}"


def _fixed(index: int, database: Database) -> Iterator[Grant]:
    known, page = constants(), constants()["PAGE_SIZE"]
    read, both = known["RIGHT_READ"], known["RIGHT_READ"] | known["RIGHT_WRITE"]
    descriptor = known["LIMIT_DESCRIPTOR_PAGES"] * page
    yield Grant(known["DESCRIPTOR_ADDRESS"], descriptor, None, read, "descriptor page", whole=False)
    yield Grant(known["CALL_PAGE_ADDRESS"], page, None, both, "call page")
    yield Grant(known["CLOCK_PAGE_ADDRESS"], page, None, read, "clock page", within=MONITOR)
    if index == database.header["manager"]:
        size, physical = pages(database.header["size"]), known["DATABASE_PHYSICAL"]
        yield Grant(known["DATABASE_USER_ADDRESS"], size, physical, read, "resource database")
        rest = known["DATABASE_SIZE"] - size
        address = known["DATABASE_USER_ADDRESS"] + size
        yield Grant(address, rest, physical + size, read, "resource database", whole=False)


def _described(row: Row, database: Database) -> Iterator[Grant]:
    """Regions and channel windows, by the partition's descriptors."""
    both = constants()["RIGHT_READ"] | constants()["RIGHT_WRITE"]
    number = database.layouts.number
    tables = {
        number("RESOURCE_REGION"): ("region", "regions"),
        number("RESOURCE_CHANNEL"): ("channel", "channels"),
    }
    for _, descriptor in database.descriptors(row):
        if descriptor["resource"] not in tables:
            continue
        word, table = tables[descriptor["resource"]]
        target = database.row(table, descriptor["target"])
        if target is None or not target["size"]:
            continue
        rights = descriptor["rights"] if word == "region" else both
        what = f"{word} {descriptor['name']!r}"
        yield Grant(descriptor["address"], pages(target["size"]), target["physical"], rights, what)


def _registers(index: int, database: Database, space: Space) -> Iterator[Grant]:
    """Memory BARs of the partition's devices, where the tables show them: rows say the physical place only."""
    first, end = constants()["DEVICE_ADDRESS"], constants()["USER_END_ADDRESS"]
    both = constants()["RIGHT_READ"] | constants()["RIGHT_WRITE"]
    shown = [mapping.part(first, end) for mapping in space.mappings if meets(mapping, first, end - first)]
    for start, stop, what in _memory_bars(index, database):
        for mapping in shown:
            low, high = max(start, mapping.physical), min(stop, mapping.physical + mapping.size)
            if low < high:
                address = mapping.address + low - mapping.physical
                yield Grant(address, high - low, low, both, what, whole=False, device=True)


def meets(mapping: Mapping, address: int, size: int) -> bool:
    """Whether `mapping` has a byte among the `size` bytes from `address` on."""
    return mapping.address < address + size and address < mapping.address + mapping.size


def _memory_bars(index: int, database: Database) -> Iterator[tuple[int, int, str]]:
    for device in database.tables["devices"]:
        if device["owner"] != index:
            continue
        for _, bar in database.bars(device):
            if bar["kind"] != database.layouts.number("BAR_PORTS"):
                what = f"device {device['name']!r} bar {bar['index']}"
                yield bar["address"], bar["address"] + pages(bar["size"]), what


def extents(database: Database) -> Extents:
    """All physical memory that the rows give away, and the monitor's own."""
    known = constants()
    found = [
        Extent(known["MONITOR_PHYSICAL"], known["MONITOR_PHYSICAL"] + known["MONITOR_SIZE"], MONITOR),
        Extent(known["DATABASE_PHYSICAL"], known["DATABASE_PHYSICAL"] + known["DATABASE_SIZE"], DATABASE),
    ]
    for region in database.tables["regions"]:
        owner = database.name("partitions", region["owner"])
        whose = f" of {owner!r}" if owner else ""
        what = f"region {region['name']!r}{whose}"
        found.append(Extent(region["physical"], region["physical"] + region["size"], what))
    for channel in database.tables["channels"]:
        client, server = (database.name("partitions", channel[end]) for end in ("client", "server"))
        what = f"channel {channel['name']!r} of {client!r} and {server!r}"
        found.append(Extent(channel["physical"], channel["physical"] + channel["size"], what))
    return Extents(found)


def descriptor_page(memory: Physical, layouts: Layouts, space: Space) -> tuple[Row | None, bytes]:
    """The head of the partition's descriptor page and all of its bytes. None where it cannot be read."""
    known = constants()
    content = _mapped(memory, space, known["DESCRIPTOR_ADDRESS"], known["LIMIT_DESCRIPTOR_PAGES"] * known["PAGE_SIZE"])
    if len(content) < layouts.structs["descriptor_page"].size:
        return None, content
    page: Row = layouts.decode("descriptor_page", content)
    return (page if page["magic"] == known["DESCRIPTOR_MAGIC"] else None), content


def configs(page: Row | None, content: bytes, layouts: Layouts) -> list[Row]:
    """The configuration blobs that the partition's descriptor page names. Empty where the page cannot be read."""
    if page is None:
        return []
    row = layouts.structs["config_descriptor"].size
    first, count = page["configs"]["offset"], page["configs"]["count"]
    if first + count * row > len(content):
        return []
    return [layouts.decode("config_descriptor", content, first + index * row) for index in range(count)]


def _mapped(memory: Physical, space: Space, address: int, most: int) -> bytes:
    """What ring 3 reads from `address` on, page by page, up to the first page that is not there."""
    page, content = constants()["PAGE_SIZE"], b""
    while len(content) < most:
        physical = space.physical(address + len(content))
        part = memory.read(physical, page) if physical is not None else None
        if part is None:
            break
        content += part
    return content

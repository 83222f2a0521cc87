# SPDX-License-Identifier: Apache-2.0
"""The resource database as it stands in the bytes of an image: rows as the compiler's layouts decode them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from parclose.constants import constants
from parclose.dwarf import Layouts
from parclose.errors import ParcloseError
from parclose.inspect.physical import Physical

Row = dict[str, Any]

# Which structure a table of `struct database` holds: the header says so in comments only.
ROW_OF = {
    "features": "feature_row",
    "memory": "memory_row",
    "processors": "processor_row",
    "frames": "frame_row",
    "slots": "slot_row",
    "partitions": "partition_row",
    "descriptors": "descriptor_row",
    "regions": "region_row",
    "devices": "device_row",
    "bars": "bar_row",
    "interrupts": "interrupt_row",
    "endpoints": "endpoint_row",
    "channels": "channel_row",
    "sums": "sum_row",
}
_MOST_BLOCKS = 16384  # descriptors of all blocks together: a bound on the work that a foreign image can cause
_INDEX_SIZE = 4  # of start_order, whose rows are plain uint32_t
_LIMITS = {
    "partitions": "LIMIT_PARTITIONS",
    "descriptors": "LIMIT_DESCRIPTORS",
    "channels": "LIMIT_CHANNELS",
    "devices": "LIMIT_DEVICES",
    "interrupts": "LIMIT_INTERRUPTS",
    "start_order": "LIMIT_PARTITIONS",
}


@dataclass(frozen=True)
class Database:
    """`header` holds the members of `struct database` that are no tables, `tables` all rows by the table's name and
    `places` the offsets of their first rows."""

    header: Row
    tables: Mapping[str, list[Row]]
    places: Mapping[str, int]
    start_order: list[int]
    layouts: Layouts

    def rows(self, table: str, first: int, count: int) -> list[tuple[int, Row]]:
        """Rows `first` to `first + count - 1` with their indexes, as far as they exist."""
        rows = self.tables[table]
        return [(index, rows[index]) for index in range(min(first, len(rows)), min(first + count, len(rows)))]

    def bars(self, device: Row) -> list[tuple[int, Row]]:
        """The BARs of a device's row with their indexes; no more than a function can have."""
        return self.rows("bars", device["first_bar"], min(device["bar_count"], constants()["LIMIT_BARS"]))

    def descriptors(self, partition: Row) -> list[tuple[int, Row]]:
        """The descriptors in a partition's block with their indexes."""
        return self.rows("descriptors", partition["first_descriptor"], partition["descriptor_count"])

    def row(self, table: str, index: int) -> Row | None:
        """Row `index`, or None where there is none."""
        rows = self.tables[table]
        return rows[index] if index < len(rows) else None

    def address(self, table: str, index: int) -> int:
        """Where the monitor sees row `index`, whether it is there or not."""
        size = self.layouts.structs[ROW_OF[table]].size
        return constants()["DATABASE_ADDRESS"] + self.places[table] + index * size

    def name(self, table: str, index: int) -> str | None:
        """The name of row `index`; None for the index that means "none", and what is wrong for one out of range."""
        if index == constants()["NONE"]:
            return None
        row = self.row(table, index)
        return row["name"] if row else f"no row {index} in {table}"


def read(memory: Physical, layouts: Layouts) -> Database:
    """The database at its fixed physical address. Raises `ParcloseError` when there is none or it is not whole."""
    place, most = constants()["DATABASE_PHYSICAL"], constants()["DATABASE_SIZE"]
    smallest = layouts.structs["database"].size
    start = memory.read(place, smallest)
    if start is None:
        raise ParcloseError(f"{memory.name} has no resource database: nothing is loaded at {place:#x}")
    header: Row = layouts.decode("database", start)
    if header["magic"] != constants()["DATABASE_MAGIC"]:
        raise ParcloseError(f"{memory.name} has no resource database: what stands at {place:#x} is another thing")
    if header["version"] != constants()["DATABASE_VERSION"]:
        raise ParcloseError(
            f"{memory.name} has a resource database of version {header['version']}, this tool reads"
            f" version {constants()['DATABASE_VERSION']}",
            "inspect it with the parclose that built it",
        )
    size = header["size"]
    content = memory.read(place, size) if smallest <= size <= most else None
    if content is None:
        raise ParcloseError(f"the resource database of {memory.name} is damaged: it says that it has {size} bytes")
    return _decode(header, content, layouts, memory.name)


def _decode(header: Row, content: bytes, layouts: Layouts, name: str) -> Database:
    places = {table: header[table]["offset"] for table in ROW_OF}
    tables: dict[str, list[Row]] = {
        table: [
            layouts.decode(row, content, offset)
            for offset in _offsets(table, header.pop(table), layouts.structs[row].size, content, name)
        ]
        for table, row in ROW_OF.items()
    }
    offsets = _offsets("start_order", header.pop("start_order"), _INDEX_SIZE, content, name)
    order = [int.from_bytes(content[offset : offset + _INDEX_SIZE], "little") for offset in offsets]
    blocks = sum(min(row["descriptor_count"], len(tables["descriptors"])) for row in tables["partitions"])
    if blocks > _MOST_BLOCKS:
        raise ParcloseError(f"the resource database of {name} is damaged: its blocks of descriptors overlap")
    return Database(header, tables, places, order, layouts)


def _offsets(table: str, place: Row, size: int, content: bytes, name: str) -> range:
    """Where the rows of a table stand. Raises `ParcloseError` where they leave the database or its limits."""
    first, count = place["offset"], place["count"]
    most = constants()[_LIMITS[table]] if table in _LIMITS else len(content)
    if first + count * size > len(content) or count > most:
        raise ParcloseError(
            f"the resource database of {name} is damaged: its table of {table} says {count} rows at {first:#x}"
        )
    return range(first, first + count * size, size)

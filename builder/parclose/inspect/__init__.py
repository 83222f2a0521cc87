# SPDX-License-Identifier: Apache-2.0
"""`parclose inspect`: what an image says of itself, from its bytes alone, and where its parts disagree.

The rows of the resource database are decoded, and so are the page tables and
I/O bitmaps that the processor will use; what one allows and the other does not
is listed under `disagreements`. Nothing of a build folder is needed.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parclose import dwarf, seal
from parclose.constants import constants
from parclose.inspect import compare, consoles, database, describe, grants, names, physical, ports, rows, walk
from parclose.inspect.text import text

__all__ = ["read", "text"]

_MOST_DISAGREEMENTS = 100  # of one partition, and of the rows among themselves


def read(image: Path) -> dict[str, Any]:
    """The document that `inspect --json` prints: addresses and sizes in bytes, times in nanoseconds.

    `disagreements` is empty for an image that the builder made and nobody changed, and all `checksums` are right.
    Raises `ParcloseError` for what is no image, is cut off or is damaged beyond reading, `MissingTool` where
    neither a compiler nor a cached copy can say how the structures are laid out.
    """
    memory = physical.load(image)
    found = database.read(memory, dwarf.layouts())
    walker = walk.Walker(memory)
    spaces = [walker.space(row["root"]) for row in found.tables["partitions"]]
    document = {"image": image.name, **describe.machine(found), "processors": describe.processors(found)}
    view = _View(memory, found, spaces)
    document["partitions"] = [view.partition(index) for index in range(len(spaces))]
    document |= {name: getattr(describe, name)(found) for name in ("devices", "endpoints", "channels")}
    document["checksums"] = _checksums(image)
    disagreements = [_disagreement(None, text) for text in _some(rows.contradictions(found))]
    document["disagreements"] = disagreements + view.disagreements
    return document


def _checksums(image: Path) -> list[dict[str, Any]]:
    """What the monitor compares before it trusts it; without `right` it refuses to start."""
    try:
        return [{**vars(each), "right": each.said == each.found} for each in seal.sums(image.read_bytes())]
    except (
        KeyError,
        ValueError,
        OSError,
        struct.error,
    ):  # rows that lead out of the file: told as contradictions elsewhere
        return []


def _some(found: Iterator[str]) -> Iterator[str]:
    """As many as one reads; the rest is not even worked out."""
    yield from itertools.islice(found, _MOST_DISAGREEMENTS)
    if next(found, None) is not None:
        yield "and more"


def _disagreement(partition: str | None, text: str) -> dict[str, str | None]:
    return {"partition": partition, "text": text}


class _View:
    """One look at all partitions; collects what disagrees."""

    def __init__(self, memory: physical.Physical, found: database.Database, spaces: list[walk.Space]) -> None:
        self._memory, self._database, self._spaces = memory, found, spaces
        self._extents = grants.extents(found)
        self._private: dict[int, str] = {}
        self.disagreements: list[dict[str, str | None]] = []

    def partition(self, index: int) -> dict[str, Any]:
        """The document of one partition, with what its page tables and I/O bitmap really open."""
        row, space = self._database.tables["partitions"][index], self._spaces[index]
        layouts = self._database.layouts
        page, content = grants.descriptor_page(self._memory, layouts, space)
        configs = grants.configs(page, content, layouts)
        granted = grants.of_partition(index, row, self._database, space, configs)
        pieces = compare.cut([mapping for mapping in space.mappings if mapping.user], granted)
        opened, faults = compare.open_ports(self._memory, space)
        complaints = itertools.chain(
            space.faults,
            compare.overlapping(granted),
            compare.memory(pieces, granted, self._extents),
            compare.ring0(space, self._extents, self._msix(space)),
            faults,
            compare.ports(opened, compare.granted_ports(index, self._database)),
            self._shared(index),
        )
        self.disagreements += [_disagreement(row["name"], complaint) for complaint in _some(complaints)]
        described = describe.partition(index, self._database)
        found = ports.ports(page, content, layouts)
        lines = consoles.consoles(page, content, layouts)
        for channel in described["channels"]:
            place = channel["descriptor"] - row["first_descriptor"]
            if (port := found.get(place)) is not None:
                channel["port"] = port
            if (line := lines.get(place)) is not None:
                channel["console"] = line
        return {
            **described,
            "configs": configs,
            "ports": [{"first": first, "last": last} for first, last in opened],
            "mappings": [_mapping(piece.mapping, piece.grant) for piece in pieces],
            "monitor_mappings": [_mapping(mapping, None) for mapping in space.mappings if not mapping.user],
        }

    def _msix(self, space: walk.Space) -> list[int]:
        """Physical addresses of the MSI-X tables: rows hold the ring-0 addresses."""
        addresses = [row["msix_table"] for row in self._database.tables["devices"] if row["msix_table"]]
        return [place for address in addresses if (place := space.physical(address)) is not None]

    def _shared(self, index: int) -> Iterator[str]:
        """Pages that must be one partition's alone, and the call page, which ring 0 must see as the same page."""
        name, space = self._database.tables["partitions"][index]["name"], self._spaces[index]
        for what in ("CALL_PAGE_ADDRESS", "DESCRIPTOR_ADDRESS", "LOCAL_CONTEXT"):
            place = space.physical(constants()[what])
            if place is None:
                yield f"there is no page at {what}, {constants()[what]:#x}"
            elif place in self._private:
                yield f"its page at {what}, physical {place:#x}, is one of {self._private[place]!r} too"
            else:
                self._private[place] = name
        seen = [space.physical(constants()[what]) for what in ("CALL_PAGE_ADDRESS", "LOCAL_CALL_PAGE")]
        if seen[0] != seen[1]:
            yield "the call page of ring 3 and the one of ring 0 are different pages"
        clock = constants()["CLOCK_PAGE_ADDRESS"]
        if space.physical(clock) != self._spaces[0].physical(clock):
            yield "its clock page is not the one of the first partition"


def _mapping(mapping: walk.Mapping, grant: grants.Grant | None) -> dict[str, Any]:
    return {
        "address": mapping.address,
        "size": mapping.size,
        "physical": mapping.physical,
        "rights": names.rights(mapping.rights),
        "uncached": mapping.uncached,
        "of": grant.what if grant else None,
    }

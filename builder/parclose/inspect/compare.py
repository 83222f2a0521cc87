# SPDX-License-Identifier: Apache-2.0
"""Where the rows of the database and the finished tables (pages, ports) say different things, and rows each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from parclose.constants import constants
from parclose.inspect import names
from parclose.inspect.database import Database, Row
from parclose.inspect.grants import DATABASE, MONITOR, Extents, Grant, meets
from parclose.inspect.physical import Physical
from parclose.inspect.walk import Mapping, Space

_PORTS = 65536


@dataclass(frozen=True)
class Piece:
    """A part of a mapping that one grant covers, or that none does."""

    mapping: Mapping
    grant: Grant | None


def cut(mappings: Sequence[Mapping], grants: Sequence[Grant]) -> list[Piece]:
    """`mappings` cut where a grant begins or ends, both in order of addresses; of overlapping ones the first counts."""
    pieces, place = [], 0
    for mapping in mappings:
        at, end = mapping.address, mapping.address + mapping.size
        while at < end:
            while place < len(grants) and grants[place].address + grants[place].size <= at:
                place += 1
            grant = grants[place] if place < len(grants) and grants[place].address < end else None
            if grant is None or grant.address > at:
                until, covered = (grant.address if grant else end), None
            else:
                until, covered = min(end, grant.address + grant.size), grant
            pieces.append(Piece(mapping.part(at, until), covered))
            at = until
    return pieces


def memory(pieces: Sequence[Piece], grants: Sequence[Grant], extents: Extents) -> Iterator[str]:
    """What the page tables let ring 3 reach and the rows do not, or the other way round."""
    for piece in pieces:
        if piece.grant is None:
            yield f"{_mapping(piece.mapping)} is mapped and no row grants it{_whose(piece.mapping, extents)}"
        else:
            yield from _piece(piece.mapping, piece.grant, extents)
    covered: dict[Grant, int] = {}
    for piece in pieces:
        if piece.grant is not None:
            covered[piece.grant] = covered.get(piece.grant, 0) + piece.mapping.size
    for grant in grants:
        missing = grant.size - covered.get(grant, 0)
        if grant.whole and missing:
            yield f"{grant.what} at {grant.address:#x}: {missing:#x} of its {grant.size:#x} bytes are not mapped"


def _piece(mapping: Mapping, grant: Grant, extents: Extents) -> Iterator[str]:
    if grant.physical is None:
        for extent in extents.meeting(mapping.physical, mapping.size):
            if extent.what != grant.within:
                yield f"{grant.what} at {mapping.address:#x} is mapped to {mapping.physical:#x}, which is {extent.what}"
    elif mapping.physical != grant.physical + mapping.address - grant.address:
        wanted = grant.physical + mapping.address - grant.address
        where = f"{grant.what} at {mapping.address:#x} is mapped to {mapping.physical:#x}"
        yield f"{where}, its row says {wanted:#x}{_whose(mapping, extents)}"
    if mapping.rights != grant.rights:
        tables, row = names.rights(mapping.rights), names.rights(grant.rights)
        yield f"{grant.what} at {mapping.address:#x} is mapped {tables}, its row says {row}"
    if mapping.uncached != grant.device:
        how = "uncached" if mapping.uncached else "cached"
        yield f"{grant.what} at {mapping.address:#x} is mapped {how}"


def _mapping(mapping: Mapping) -> str:
    rights = names.rights(mapping.rights)
    return f"{mapping.size:#x} bytes at {mapping.address:#x} ({rights}, physical {mapping.physical:#x})"


def _whose(mapping: Mapping, extents: Extents) -> str:
    found = next(extents.meeting(mapping.physical, mapping.size), None)
    return f": it reaches {found.what}" if found else ""


def overlapping(grants: Sequence[Grant]) -> Iterator[str]:
    """Rows of one partition that claim the same addresses."""
    for before, after in pairwise(grants):
        if before.device or after.device:
            continue
        if after.address < before.address + before.size:
            yield f"{before.what} and {after.what} both stand at {after.address:#x}"


def ring0(space: Space, extents: Extents, msix: Sequence[int]) -> Iterator[str]:
    """What the monitor's half may not be: reach partitions' memory, be writable code, be global where it differs."""
    known = constants()
    both = known["RIGHT_WRITE"] | known["RIGHT_EXECUTE"]
    local, local_size = known["LOCAL_ADDRESS"], known["REGISTERS_ADDRESS"] - known["LOCAL_ADDRESS"]
    for mapping in space.mappings:
        if mapping.rights & both == both:
            yield f"{_mapping(mapping)} is both writable and executable"
        if mapping.user:
            if mapping.address >= known["USER_END_ADDRESS"]:
                yield f"{_mapping(mapping)} is open to ring 3 above the partition's own addresses"
            for page in msix:
                if mapping.physical <= page < mapping.physical + mapping.size:
                    yield f"{_mapping(mapping)} opens the MSI-X table at {page:#x} to ring 3"
            continue
        if mapping.shared and meets(mapping, local, local_size):
            yield f"{_mapping(mapping)} differs with each root and is global"
        for extent in extents.meeting(mapping.physical, mapping.size):
            if extent.what not in (MONITOR, DATABASE):
                yield f"ring 0 maps {_mapping(mapping)}, which is {extent.what}"


def open_ports(image: Physical, space: Space) -> tuple[list[tuple[int, int]], list[str]]:
    """The ports that the I/O permission bitmap opens (a bit that is 0), as ranges, and what is wrong with it.

    Intel SDM 1, 19.5.2: the bitmap stands behind the TSS, and the byte after it must be all ones.
    """
    page = constants()["PAGE_SIZE"]
    faults, content = [], b""
    for offset in range(0, _PORTS // 8 + page, page):
        physical = space.physical(constants()["LOCAL_IO_BITMAP"] + offset)
        part = image.read(physical, page) if physical is not None else None
        if part is None:
            faults.append(f"the page of the I/O bitmap for ports from {offset * 8:#x} on is not there")
        content += b"\xff" * page if part is None else part
    if content[_PORTS // 8] != 0xFF:
        faults.append("the byte behind the I/O bitmap is not all ones")
    bitmap = int.from_bytes(content[: _PORTS // 8], "little")
    closed = (1 << _PORTS) - 1
    return names.ranges(_ones(bitmap ^ closed)), faults


def _ones(bits: int) -> Iterator[int]:
    text = f"{bits:b}"[::-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)


def granted_ports(index: int, database: Database) -> dict[int, str]:
    """The ports that rows give to the partition, each with what it belongs to."""
    found: dict[int, str] = {}
    for device in database.tables["devices"]:
        if device["owner"] != index:
            continue
        for _, bar in database.bars(device):
            if bar["kind"] == database.layouts.number("BAR_PORTS"):
                last = min(bar["address"] + bar["size"], _PORTS)
                found |= dict.fromkeys(range(min(bar["address"], _PORTS), last), f"device {device['name']!r}")
    if index == database.header["manager"]:
        found |= _board_ports(database.header)
    return found


def _board_ports(header: Row) -> dict[int, str]:
    found = {header["report_port"]: "report port"} if header["report_port"] else {}
    for name in ("poweroff", "reboot"):
        first, width = header[name]["port"], header[name]["width"]
        found |= dict.fromkeys(range(first, min(first + width, _PORTS)), f"{name} port")
    return found


def ports(opened: Sequence[tuple[int, int]], granted: dict[int, str]) -> Iterator[str]:
    """Ports that the bitmap opens and no row grants, or the other way round."""
    shown = {port for first, last in opened for port in range(first, last + 1)}
    for first, last in names.ranges(shown - granted.keys()):
        yield f"the I/O bitmap opens {_port_range(first, last)}, which no row grants"
    for first, last in names.ranges(granted.keys() - shown):
        yield f"the I/O bitmap closes {_port_range(first, last)}, of {granted[first]}"


def _port_range(first: int, last: int) -> str:
    return f"port {first:#x}" if first == last else f"ports {first:#x} to {last:#x}"

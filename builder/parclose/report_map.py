# SPDX-License-Identifier: Apache-2.0
"""Who has which physical memory, and what is free: as rows, and drawn."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from parclose.constants import constants
from parclose.model import System
from parclose.planned import Extent, ExtentKind, Plan
from parclose.report_touch import line

Document = dict[str, Any]

FREE, OUTSIDE = "free", "not planned"
_SMALL = {
    kind.value
    for kind in (
        ExtentKind.DESCRIPTORS,
        ExtentKind.CALL_PAGE,
        ExtentKind.CONTEXT,
        ExtentKind.IO_BITMAP,
        ExtentKind.TABLES,
    )
}
_BAR = 18  # columns for the largest extent of a machine of 512 MiB
_WIDTH = 100


def extents(system: System, plan: Plan) -> list[Document]:
    """Everything from the first to the last byte of the board's memory, in order: planned extents and gaps."""
    found: list[Document] = []
    for memory in sorted(system.board.memory, key=lambda memory: memory.start):
        end, at = memory.start + memory.size, memory.start
        for extent in plan.extents:
            if not memory.start <= extent.physical < end:
                continue
            found += _gap(at, extent.physical, FREE, line(memory.span))
            found.append(_row(extent))
            at = extent.end
        found += _gap(at, end, FREE, line(memory.span))
    return [row for index, row in enumerate(found) for row in (*_before(found, index), row)]


def _before(found: list[Document], index: int) -> list[Document]:
    """What lies between a row and the one before it: no memory of the board's."""
    at = found[index - 1]["start"] + found[index - 1]["size"] if index else 0
    return _gap(at, found[index]["start"], OUTSIDE, "")


def _gap(start: int, end: int, kind: str, source: str) -> list[Document]:
    if start >= end:
        return []
    return [{"start": start, "size": end - start, "kind": kind, "name": kind, "owner": "", "source": source}]


def _row(extent: Extent) -> Document:
    return {
        "start": extent.physical,
        "size": extent.size,
        "kind": extent.kind.value,
        "name": extent.name,
        "owner": extent.owner,
        "source": line(extent.span),
    }


def memory_map(report: Document) -> str:
    """The drawing, at most 100 columns wide. Bars are logarithmic: one column more is twice the size."""
    rows = [_line(*entry) for entry in _joined(report["memory_map"])]
    head = f"{'physical':<17} {'size':>10}  {'':<{_BAR}}  what"
    return "\n".join([head, *rows])


def _joined(rows: list[Document]) -> Iterator[tuple[int, int, str, str]]:
    """(start, size, kind, what) of each line; the monitor's small pages beside each other are one."""
    for small, group in groupby(rows, key=lambda row: row["kind"] in _SMALL):
        members = list(group)
        if not small:
            for row in members:
                yield row["start"], row["size"], row["kind"], _what(row)
            continue
        start, end = members[0]["start"], members[-1]["start"] + members[-1]["size"]
        yield start, end - start, "small", "page tables, and the monitor's pages for each partition"


def _what(row: Document) -> str:
    if row["kind"] == OUTSIDE:
        return "left to firmware, or no memory"
    return f"{row['name']} ({row['source']})" if row["source"] and row["kind"] != FREE else str(row["name"])


def _line(start: int, size: int, kind: str, what: str) -> str:
    mark = {FREE: "·", OUTSIDE: " "}.get(kind, "█" if kind == "partition" else "▒")
    columns = min(_BAR, max(1, (size // constants()["PAGE_SIZE"]).bit_length()))
    text = f"{start:08x}-{start + size - 1:08x} {size_text(size):>10}  {mark * columns:<{_BAR}}  {what}"
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def size_text(size: int) -> str:
    """`size` bytes as a reader says it: 4 MiB, 20 KiB, 1.5 MiB."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    return f"{size} bytes"

# SPDX-License-Identifier: Apache-2.0
"""Fills the templates: C files whose designated initialisers the compiler lays out. No offset is computed here."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

from parclose import paths
from parclose.descriptor_pages import descriptor_pages
from parclose.model import System
from parclose.planned import ADDRESS_ROW, ROW_MOST, Plan, Table
from parclose.rows import TYPES, database_rows, text


@dataclass(frozen=True)
class _Bitmap:
    """An I/O permission bitmap; `bytes` holds those that are not all ones (Intel SDM 1, 19.5.2: clear allows)."""

    name: str
    index: int
    ports: tuple[tuple[int, int], ...]
    bytes: dict[int, int]


def generate(system: System, plan: Plan, tables: tuple[Table, ...]) -> dict[str, str]:
    """The generated C files, by name."""
    fill = _environment(system.path.name)
    head = {
        "on_end": f"ON_END_{system.on_end.name}",
        "xcr0": system.board.xcr0,
        "io_apic": system.board.io_apic,
        "monitor_port": system.board.monitor_port,
        "debug_port": system.board.debug_port,
        "report_port": system.board.report_port,
        "poweroff": system.board.poweroff,
        "reboot": system.board.reboot,
        "layout": system.path.name,
        "board": system.board.name,
    }
    rows = database_rows(system, plan)
    first = tables[0].physical
    bitmaps = [_bitmap(each.partition.name, each.index, each.ports) for each in plan.partitions if each.ports]
    return {
        "database.c": fill.get_template("database.c.j2").render(head=head, types=TYPES, rows=rows),
        "descriptors.c": fill.get_template("descriptors.c.j2").render(
            row_most=ROW_MOST, address_row=ADDRESS_ROW, pages=descriptor_pages(system, plan)
        ),
        "pagetables.c": fill.get_template("pagetables.c.j2").render(tables=tables, first=first),
        "iobitmap.c": fill.get_template("iobitmap.c.j2").render(bitmaps=bitmaps),
    }


def _environment(layout: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(paths.data("templates")),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        bytecode_cache=_compiled_templates(),
    )
    environment.filters |= {"text": text, "hex": hex, "bytes": _bytes}
    environment.globals |= {"layout": layout.replace("*/", "* /")}
    return environment


def _bytes(value: bytes) -> str:
    return "{" + ", ".join(f"{byte:#04x}" for byte in value) + "}"


def _compiled_templates() -> FileSystemBytecodeCache | None:
    """Where templates are kept in compiled form; a cache that cannot be written only costs time."""
    folder = paths.cache() / "templates"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return FileSystemBytecodeCache(str(folder))


def _bitmap(name: str, index: int, ports: tuple[tuple[int, int], ...]) -> _Bitmap:
    found: dict[int, int] = {}
    for first, count in ports:
        for port in range(first, first + count):
            found[port // 8] = found.get(port // 8, 0xFF) & ~(1 << port % 8)
    return _Bitmap(name, index, ports, dict(sorted(found.items())))

# SPDX-License-Identifier: Apache-2.0
"""Nodes → `RawLayout`: the keys of the language, each read as what it is."""

from __future__ import annotations

from pathlib import Path

from parclose.errors import Span
from parclose.expand import Named, expand
from parclose.layout import RawAlias, RawLayout, RawPartition, RawRegion, RawSchedule
from parclose.partition_reader import read_partition, texts
from parclose.problems import at
from parclose.schedule_reader import read_schedule
from parclose.source import Entry, Mapping, Node
from parclose.values import Fields, Reader

LAYOUT_VERSION = 1
RESERVED_NAMES = ("manager", "monitor")
_KEYS = ["layout", "board", "partitions", "regions", "schedule", "aliases", "on_end"]
_LATER = {"schedules": "several schedules come later: 'schedule' holds the one there is now"}
_ON_END = ("poweroff", "reboot", "halt", "stay")


def read_layout(node: Node, path: Path, reader: Reader) -> RawLayout | None:
    """The layout in `node`, or None when it is no mapping. Problems are noted in `reader`."""
    top = Span(node.span.file, node.span.line, node.span.column, node.span.column + 1)
    fields = reader.fields(node, "the layout", top, _KEYS, _LATER)
    if fields is None:
        return None
    _version(fields)
    return RawLayout(
        path=path,
        span=top,
        board=fields.need("board", reader.text, "write board: qemu-q35"),
        partitions=_partitions(fields, reader),
        regions=_regions(fields, reader),
        schedule=_schedule(fields, reader),
        aliases=_aliases(fields, reader),
        on_end=fields.get("on_end", lambda node, what: reader.choice(node, what, _ON_END)),
        broken=frozenset(fields.unreadable(Mapping)),
    )


def _version(fields: Fields) -> None:
    reader = fields.reader
    version = fields.need(
        "layout", lambda node, what: reader.integer(node, what, 0, 1 << 31), "write layout: 1 as its first line"
    )
    if version.value not in (None, LAYOUT_VERSION):
        text = f"layouts of version {version.value} are not known"
        help = f"this tool reads layout: {LAYOUT_VERSION}"
        reader.problems.error("P007", text, at(version.span, "unknown version"), help=help)


def _partitions(fields: Fields, reader: Reader) -> tuple[RawPartition, ...]:
    entry = fields.entry("partitions")
    if entry is None:
        fields.missing("partitions", "a layout needs at least one, as in partitions: {hello: {program: hello.c}}")
        return ()
    mapping = reader.mapping(entry.value, "'partitions'")
    if mapping is not None and not mapping.entries:
        text, help = "the layout has no partition", "add one, as in hello: {program: hello.c}"
        reader.problems.error("P008", text, at(entry.key.span, "nothing follows"), help=help)
    found = expand(mapping, reader, "the partition") if mapping else []
    for named in found:
        _partition_name(named, reader)
    return tuple(read_partition(named, reader) for named in found)


def _partition_name(named: Named, reader: Reader) -> None:
    """A name must be legal, and not one that the tool gives: P009."""
    if reader.legal_name(named.name, named.span, "a partition") and (
        named.group in RESERVED_NAMES or named.group.startswith("_")
    ):
        kept = "names that begin with _ are" if named.group.startswith("_") else f"'{named.group}' is"
        text = f"the partition name '{named.group}' is reserved"
        help = f"for example '{named.group.lstrip('_') or 'x'}1'"
        reader.problems.error("P009", text, at(named.span, f"{kept} the tool's own"), help=help)


def _regions(fields: Fields, reader: Reader) -> tuple[RawRegion, ...]:
    entry = fields.entry("regions")
    mapping = reader.mapping(entry.value, "'regions'") if entry else None
    regions = [_region(named, reader) for named in expand(mapping, reader, "the region")] if mapping else []
    return tuple(region for region in regions if region is not None)


def _region(named: Named, reader: Reader) -> RawRegion | None:
    reader.legal_name(named.name, named.span, "a region")
    keys = ["size", "from", "write", "read", "like", "count"]
    fields = reader.fields(named.node, f"the region '{named.name}'", named.span, keys)
    if fields is None:
        return None
    return RawRegion(
        name=named.name,
        span=named.span,
        size=fields.get("size", reader.size),
        source=fields.get("from", reader.text),
        write=texts(fields, "write"),
        read=texts(fields, "read"),
    )


def _schedule(fields: Fields, reader: Reader) -> RawSchedule | None:
    entry = fields.entry("schedule")
    return read_schedule(entry, reader) if entry else None


def _aliases(fields: Fields, reader: Reader) -> tuple[RawAlias, ...]:
    entry = fields.entry("aliases")
    mapping = reader.mapping(entry.value, "'aliases'") if entry else None
    return tuple(_alias(each, reader) for each in mapping.entries) if mapping else ()


def _alias(entry: Entry, reader: Reader) -> RawAlias:
    reader.name(entry.key, "an alias")
    return RawAlias(entry.key.text, entry.key.span, reader.text(entry.value, f"the device of alias '{entry.key.text}'"))

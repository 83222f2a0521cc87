# SPDX-License-Identifier: Apache-2.0
"""The schedule of a layout: frames with ordered lists of partitions and budgets."""

from __future__ import annotations

import re

from parclose.layout import RawFrame, RawProcessor, RawSchedule, RawSlot
from parclose.problems import at
from parclose.source import Entry, Mapping, Node, Scalar
from parclose.values import Given, Reader
from parclose.wording import format_time

_PROCESSOR = re.compile(r"cpu[0-9]+")


def read_schedule(entry: Entry, reader: Reader) -> RawSchedule:
    """The value of the key `schedule`; `broken` where it could not be read whole."""
    mapping = reader.mapping(entry.value, "'schedule'")
    if mapping is None:
        return RawSchedule(entry.key.span, None, (), True)
    manager = mapping.get("manager")
    slot = reader.time(manager.value, "the manager's slot") if manager else None
    processors = tuple(_processor(each, reader, entry) for each in mapping.entries if each.key.text != "manager")
    good = tuple(each for each in processors if each is not None)
    return RawSchedule(entry.key.span, slot, good, len(good) < len(processors))


def _processor(entry: Entry, reader: Reader, schedule: Entry) -> RawProcessor | None:
    name, span = entry.key.text, entry.key.span
    if not _PROCESSOR.fullmatch(name):
        text, help = f"unknown key '{name[:40]}' in the schedule", "known here: manager, cpu0"
        reader.problems.error("P001", text, at(span, "unknown"), at(schedule.key.span, "in the schedule"), help=help)
        return None
    if isinstance(entry.value, Mapping):
        reader.items(entry.value, f"'{name}' of the schedule")
        return RawProcessor(name, span, (), True)
    items = reader.items(entry.value, f"'{name}' of the schedule")
    frames = tuple(_frame(item, reader, entry) for item in items or ())
    return RawProcessor(name, span, frames, items is None)


def _frame(node: Node, reader: Reader, processor: Entry) -> RawFrame:
    fields = reader.fields(node, f"a frame of {processor.key.text}", node.span, ("for", "run"))
    if fields is None:
        return RawFrame(node.span, Given(None, node.span), (), True)
    length = fields.need("for", reader.time, "write for: 1 ms")
    run = fields.entry("run")
    if run is None:
        fields.missing("run", "write run: [NAME]")
    if run is not None and isinstance(run.value, Mapping):  # `run: {io: 300 us}` is a list of one
        slots: tuple[RawSlot, ...] | None = tuple(_budgeted(each, reader) for each in run.value.entries)
    else:
        items = reader.items(run.value, "'run' of a frame") if run else None
        slots = tuple(_slot(item, reader) for item in items) if items is not None else None
    return RawFrame(node.span, length, slots or (), slots is None)


def _slot(node: Node, reader: Reader) -> RawSlot:
    if isinstance(node, Scalar):
        return RawSlot(reader.text(node, "a partition of a frame"))
    if isinstance(node, Mapping) and len(node.entries) == 1:
        return _budgeted(node.entries[0], reader)
    text = "an entry of 'run' is a partition, or one with its budget"
    example = f"as in {{io: {format_time(300_000)}}}"
    reader.problems.error("P003", text, at(node.span, "neither"), help=example)
    return RawSlot(Given(None, node.span))


def _budgeted(entry: Entry, reader: Reader) -> RawSlot:
    name = Given(entry.key.text, entry.key.span)
    return RawSlot(name, reader.time(entry.value, f"the budget of '{entry.key.text}'"))

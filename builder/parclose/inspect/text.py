# SPDX-License-Identifier: Apache-2.0
"""The document of `inspect` for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from parclose.inspect.consoles import text as console_text
from parclose.inspect.ports import text as port_text

Document = dict[str, Any]


def text(document: Document) -> str:
    """What `parclose inspect IMAGE` prints, without the last line's end."""
    return "\n".join(_lines(document))


def _lines(document: Document) -> Iterator[str]:
    yield f"{document['image']}: layout {document['layout']} on board {document['board']}"
    order = ", ".join(str(name) for name in document["start_order"]) or "nothing"
    yield f"  {document['manager']} starts {order}; when all that end have ended: {document['on_end']}"
    for number, processor in enumerate(document["processors"]):
        yield from _processor(number, processor)
    for partition in document["partitions"]:
        yield from _partition(partition)
    yield from _unowned(document)
    yield ""
    yield from _checksums(document["checksums"])
    yield from _disagreements(document["disagreements"])


def _checksums(checksums: list[Document]) -> Iterator[str]:
    """Only those that are wrong: with one of them the image does not start."""
    for each in checksums:
        if not each["right"]:
            yield f"will not start: checksum of {each['name']} is {each['found']:#018x}, not {each['said']:#018x}"


def _processor(number: int, processor: Document) -> Iterator[str]:
    total = sum(frame["length_ns"] for frame in processor["frames"])
    yield ""
    yield f"cpu{number}: major frame of {_time(total)}"
    for place, frame in enumerate(processor["frames"]):
        entries = ", then ".join(_slot(slot) for slot in frame["slots"])
        yield f"  frame {place:<3} {_time(frame['length_ns']):>10}  {entries}"


def _slot(slot: Document) -> str:
    budget = f" (at most {_time(slot['budget_ns'])})" if slot["budget_ns"] else ""
    return f"{slot['partition']}{budget}"


def _partition(partition: Document) -> Iterator[str]:
    yield ""
    yield f"partition {partition['name']}: {partition['role']}"
    yield f"  calls     {' '.join(partition['calls']) or 'none'}"
    for name, line in (
        ("regions", _region),
        ("channels", _channel),
        ("devices", _device),
        ("endpoints", _endpoint),
        ("frames", _frame),
        ("ports", _ports),
        ("events", _event),
        ("mappings", _mapping),
    ):
        label = name
        for entry in partition[name]:
            yield f"  {label:<9} {line(entry) if 'fault' not in entry else entry['fault']}"
            label = ""
    yield f"  health    {_health(partition['health'])}"


def _region(entry: Document) -> str:
    required = "" if entry["required"] else " (optional)"
    return f"{entry['name']:<16} {_range(entry)} {entry['rights']} {_size(entry['size'])} {entry['kind']}{required}"


def _channel(entry: Document) -> str:
    if entry["endpoint"] is None:
        way = f"with {entry['peer']}"
    elif entry["end"] == "client":
        way = f"to endpoint {entry['endpoint']} of {entry['peer']}"
    else:
        way = f"from {entry['peer']} to its endpoint {entry['endpoint']}"
    converted = f", {entry['rights']}, at most {entry['quota']} in flight" if entry["quota"] else ""
    if entry.get("port"):
        converted = f", {port_text(entry['port'])}{converted}"
    if entry.get("console"):
        converted = console_text(entry["console"])
    return f"{entry['name']:<16} {_range(entry)} {entry['class']} {way}{converted}, event {entry['event']}"


def _device(entry: Document) -> str:
    place = f" {entry['address']} [{entry['identity']}]" if entry["address"] else ""
    interrupts = ", ".join(f"{one['kind']} {one['number']} → event {one['event']}" for one in entry["interrupts"])
    bars = ", ".join(_bar(bar) for bar in entry["bars"])
    master = ", bus master" if entry["bus_master"] else ""
    return f"{entry['name']:<16} {entry['bus']}{place} {bars}{master}; {interrupts or 'no interrupts'}"


def _bar(bar: Document) -> str:
    if bar["kind"] == "ports":
        return f"ports {bar['address']:#x}+{bar['size']:#x}"
    return f"bar {bar['index']} {bar['address']:#x}+{bar['size']:#x}"


def _endpoint(entry: Document) -> str:
    extent = f" bytes {entry['start']:#x}+{entry['size']:#x}" if entry["class"] == "block" else ""
    shared = ", shared" if entry["shared"] else ""
    device = entry["device"] or "no device"
    return f"{entry['name']:<16} {entry['class']} on {device}{extent}, {entry['rights']}{shared}"


def _frame(entry: Document) -> str:
    budget = f"at most {_time(entry['budget_ns'])}" if entry["budget_ns"] else "what is left"
    return f"cpu{entry['processor']} frame {entry['frame']}, place {entry['position']}: {budget}"


def _ports(entry: Document) -> str:
    return f"{entry['first']:#x}" + (f" to {entry['last']:#x}" if entry["last"] != entry["first"] else "")


def _event(entry: Document) -> str:
    if "channel" in entry:
        return f"{entry['event']:<3} channel {entry['channel']}"
    return f"{entry['event']:<3} device {entry['device']}, interrupt {entry['interrupt']}"


def _mapping(entry: Document) -> str:
    cached = " uncached" if entry["uncached"] else ""
    whose = entry["of"] or "NO ROW GRANTS IT"
    return f"{_range(entry)} {entry['rights']} {_size(entry['size'])} {whose}{cached}"


def _health(entry: Document) -> str:
    if entry["fault"] != "restart":
        return f"fault: {entry['fault']}"
    limit = f", {entry['limit']} times within {_time(entry['within_ns'])}, then {entry['then']}"
    return f"fault: restart{limit if entry['limit'] else ''}"


def _unowned(document: Document) -> Iterator[str]:
    spare = [device["name"] for device in document["devices"] if device["owner"] is None]
    if spare:
        yield ""
        yield f"devices of no partition: {', '.join(spare)}"


def _disagreements(found: list[Document]) -> Iterator[str]:
    if not found:
        yield "rows and finished tables agree"
        return
    yield f"{len(found)} disagreements:"
    for entry in found:
        yield f"  {entry['partition'] or 'rows'}: {entry['text']}"


def _range(entry: Document) -> str:
    return f"{entry['address']:010x}-{entry['address'] + entry['size'] - 1:010x} → {entry['physical']:010x}"


def _size(size: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} bytes"


def _time(nanoseconds: int) -> str:
    for unit, name in ((10**9, "s"), (10**6, "ms"), (10**3, "us")):
        if nanoseconds >= unit and nanoseconds % unit == 0:
            return f"{nanoseconds // unit} {name}"
    return f"{nanoseconds} ns"

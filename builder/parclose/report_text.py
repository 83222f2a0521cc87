# SPDX-License-Identifier: Apache-2.0
"""The report for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from parclose.report_map import memory_map, size_text

Document = dict[str, Any]


def text(report: Document) -> str:
    """`report.txt`; ends with a newline."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Document) -> Iterator[str]:
    yield f"{report['layout']} on board {report['board']}"
    yield ""
    yield from _trust(report)
    yield ""
    yield "What each partition may touch, and why"
    for partition in report["partitions"]:
        yield ""
        yield from _partition(partition)
    yield ""
    yield "Schedule (times without the switches themselves)"
    for schedule in report["schedule"]:
        yield from _schedule(schedule)
    yield from _worst(report["partitions"])
    yield ""
    yield "Memory"
    yield memory_map(report)
    yield ""
    yield "Defaults filled in"
    yield from (f"  {default}" for default in report["defaults"] or ["none"])


def _trust(report: Document) -> Iterator[str]:
    yield "Trusted: the monitor, and the manager with what starts and stops."
    for entry in report["dma"]:
        devices = " and ".join(entry["devices"])
        yield f"Trusted with all memory, too: partition {entry['partition']} ({entry['source']})."
        yield f"  It drives {devices}, and no IOMMU confines what a bus master reads and writes."
    if not report["dma"]:
        yield "No partition drives a bus master."
    if report["unused_devices"]:
        yield f"Devices of no partition, left off: {', '.join(report['unused_devices'])}"


def _partition(partition: Document) -> Iterator[str]:
    place = f" ({partition['source']})" if partition["source"] else ""
    yield f"partition {partition['name']}, {partition['role']}{place}"
    for entry in partition["memory"]:
        last = entry["address"] + entry["size"] - 1
        where = f"{entry['address']:08x}-{last:08x} {entry['rights']} {size_text(entry['size']):>10}"
        yield f"  {where}  {entry['what']:<26} {_because(entry)}"
    for entry in partition["ports"]:
        last = entry["first"] + entry["count"] - 1
        where = f"ports {entry['first']:#x}" + (f"-{last:#x}" if last > entry["first"] else "")
        yield f"  {where:<33}  {'':<26} {_because(entry)}"
    for entry in partition["channels"]:
        if entry["extent"] and entry["end"] == "client":
            yield f"  {_extent(entry):<60}  {_because(entry)}"
    for entry in partition["channels"]:
        if entry["network"] and entry["end"] == "client":
            yield f"  {_network(entry['network']):<60}  {_because(entry)}"
    if partition["debug"]:
        yield "  characters to the debug port"
    if fetched := partition["fetched"]:
        yield f"  compiled in: {len(fetched['sources'])} files of {fetched['archive']}, {fetched['licence']}"


def _because(entry: Document) -> str:
    return f"{entry['why']} ({entry['source']})" if entry["source"] else str(entry["why"])


def _extent(entry: Document) -> str:
    extent = entry["extent"]
    end = extent["start"] + extent["size"]
    access = "reads" if entry["access"] == "read" else "reads, writes"
    return f"{extent['device']} bytes {extent['start']:#x}-{end - 1:#x}, {access}"


def _network(port: Document) -> str:
    vlan = f", vlan {port['vlan']}" if port["vlan"] else ""
    groups = f", hears {', '.join(port['groups'])}" if port["groups"] else ""
    talks = ", ".join(port["talks_to"]) or "no one"
    return f"frames as {port['mac']}{vlan} to {talks}{groups}; received: {port['receive']}: {port['receive_why']}"


def _schedule(schedule: Document) -> Iterator[str]:
    yield f"  {schedule['processor']}: major frame {_time(schedule['length_ns'])}"
    for number, frame in enumerate(schedule["frames"]):
        entries = ", then ".join(
            slot["partition"] + (_budget(slot) if slot["budget_ns"] else "") for slot in frame["slots"]
        )
        yield f"    {number:>3}  from {_time(frame['start_ns']):>10} for {_time(frame['length_ns']):>10}  {entries}"


def _budget(slot: Document) -> str:
    return f" at most {_time(slot['budget_ns'])} ({_time(slot['monitor_ns'])} of it for the monitor)"


def _worst(partitions: list[Document]) -> Iterator[str]:
    yield f"  {'partition':<16} {'sure of':>22} {'at most':>22}  {'waits at most':>14}"
    for partition in partitions:
        time = partition["time"]
        if time["processor"] is None:
            yield f"  {partition['name']:<16} {'in no frame':>22}"
            continue
        sure = f"{_time(time['sure_ns'])} = {time['sure_share']:.1%}"
        most = f"{_time(time['most_ns'])} = {time['most_share']:.1%}"
        wait = "no bound" if time["longest_wait_ns"] is None else _time(time["longest_wait_ns"])
        yield f"  {partition['name']:<16} {sure:>22} {most:>22}  {wait:>14}"


def _time(nanoseconds: int) -> str:
    for unit, name in ((10**9, "s"), (10**6, "ms"), (10**3, "us")):
        if nanoseconds >= unit:
            return f"{nanoseconds / unit:.6g} {name}"
    return f"{nanoseconds} ns"

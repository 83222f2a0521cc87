# SPDX-License-Identifier: Apache-2.0
"""What the servers of a running machine count of each channel (abi/counters.h), read out of the machine's memory.

A server copies its counts into the channel's window, where the client may read them at any time: on a machine that is
not emulated that is the only way. Here QEMU reads the same place, which the image names. The client can write there
too, so a hostile one spoils its own row, until the server's next copy, and no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parclose import dwarf, inspect
from parclose.emulator import Emulator
from parclose.errors import ParcloseError

PATIENCE = 10.0  # seconds for QEMU to answer
_PREFIX = "COUNT_"
_PLAIN = ("REQUESTS", "BYTES", "RECEIVED", "RECEIVED_BYTES", "ERRORS")


@dataclass(frozen=True)
class Place:
    """A channel that ends at an endpoint, and the physical address of its counters."""

    client: str
    channel: str
    server: str
    endpoint: str
    channel_class: str
    physical: int


@dataclass(frozen=True)
class Counted:
    """What was counted of one channel. `worst_ns`: nanoseconds; refusals and losses by reason, those that happened."""

    place: Place
    counts: Mapping[str, int]
    worst_ns: int
    refused: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        of = self.place
        names = {"client": of.client, "channel": of.channel, "server": of.server, "endpoint": of.endpoint}
        counts = {"worst_ns": self.worst_ns, "refused": dict(self.refused), "dropped": dict(self.dropped)}
        return names | {"class": of.channel_class} | dict(self.counts) | counts


def read(running: Emulator, image: Path) -> list[Counted]:
    """What the servers have counted so far. Raises `ParcloseError` where the machine does not answer."""
    places, clock = _places(image)
    layouts = dwarf.layouts()
    size = layouts.structs["channel_counters"].size
    dialogue = _Qmp(running)
    frequency = int.from_bytes(dialogue.memory(clock, 8), "little")
    return [_counted(layouts, place, dialogue.memory(place.physical, size), frequency) for place in places]


def _places(image: Path) -> tuple[list[Place], int]:
    """The channels of `image` that a server counts for, and the physical address of the clock page."""
    found = inspect.read(image)
    offset = dwarf.layouts().structs["channel_window"].field("counters").offset
    places = [
        Place(
            client=each["client"],
            channel=each["name"],
            server=each["server"],
            endpoint=each["endpoint"],
            channel_class=each["class"],
            physical=each["physical"] + offset,
        )
        for each in found["channels"]
        if each["endpoint"]
    ]
    clocks = [each["physical"] for each in found["partitions"][0]["mappings"] if each["of"] == "clock page"]
    if not clocks:
        raise ParcloseError(f"{image}: the manager has no clock page")
    return places, clocks[0]


def _counted(layouts: dwarf.Layouts, place: Place, data: bytes, frequency: int) -> Counted:
    numbers = layouts.decode("channel_counters", data)["count"]
    assert isinstance(numbers, list)
    counters = layouts.enums["counter"]
    by_name = {name.removeprefix(_PREFIX): numbers[at] for name, at in counters.items() if name.startswith(_PREFIX)}
    reasons = sorted((at, name) for name, at in counters.items() if at >= counters["COUNT_BAD_RING"])
    words = [(at, name.removeprefix(_PREFIX)) for at, name in reasons if name.startswith(_PREFIX)]
    split = counters["COUNT_NO_BUFFER"]
    return Counted(
        place,
        {name.lower(): by_name[name] for name in _PLAIN},
        by_name["WORST_TICKS"] * 1_000_000_000 // frequency if frequency else 0,
        {name.lower(): by_name[name] for at, name in words if at < split and by_name[name]},
        {name.lower(): by_name[name] for at, name in words if at >= split and by_name[name]},
    )


class _Qmp:
    """The little of QEMU's machine protocol that reads memory."""

    def __init__(self, running: Emulator) -> None:
        if running.qmp is None:
            raise ParcloseError("this machine was started without a monitor of QEMU's")
        self._socket, self._file = running.qmp, running.options.file("memory.bin").resolve()
        self._socket.settimeout(PATIENCE)
        self._lines = self._receive()
        try:
            next(self._lines)  # its greeting
            self._ask("qmp_capabilities")
        except (OSError, StopIteration) as gone:
            raise ParcloseError("QEMU ended before its memory was read") from gone

    def memory(self, physical: int, size: int) -> bytes:
        """`size` bytes of the machine's memory. Raises `ParcloseError`."""
        try:
            self._ask("pmemsave", val=physical, size=size, filename=str(self._file))
            return self._file.read_bytes()
        except (OSError, StopIteration) as gone:
            raise ParcloseError("QEMU ended while its memory was read") from gone

    def _ask(self, command: str, **arguments: object) -> None:
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        for answer in self._lines:
            if "return" in answer:
                return
            if "error" in answer:
                raise ParcloseError(f"QEMU refuses {command}: {answer['error'].get('desc', '')}")
        raise StopIteration

    def _receive(self) -> Iterator[dict[str, Any]]:
        with self._socket.makefile("r", encoding="utf-8") as stream:
            for line in stream:
                yield json.loads(line)


def text(found: Sequence[Counted]) -> str:
    """A table: one line for each channel, and under it why requests were refused or frames dropped."""
    rows: list[tuple[str, ...]] = [("channel", "endpoint", "requests", "bytes", "refused", "errors", "worst")]
    notes: list[list[str]] = [[]]
    for each in found:
        of = each.place
        numbers = [each.counts["requests"], each.counts["bytes"], sum(each.refused.values()), each.counts["errors"]]
        worst = f"{each.worst_ns / 1000:,.1f} us" if each.worst_ns else "-"
        cells = (f"{number:,}" for number in numbers)
        rows.append((f"{of.client}.{of.channel}", f"{of.server}.{of.endpoint}", *cells, worst))
        notes.append(_notes(each))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row, remarks in zip(rows, notes, strict=True):
        cells = (_cell(column, row[column], widths[column]) for column in range(len(row)))
        lines.append(f"  {'  '.join(cells)}".rstrip())
        lines += [f"    {remark}" for remark in remarks]
    return "\n".join(lines)


def _notes(each: Counted) -> list[str]:
    received, size = each.counts["received"], each.counts["received_bytes"]
    found = [f"received: {received:,}, {size:,} bytes"] if received else []
    for what, reasons in (("refused", each.refused), ("dropped", each.dropped)):
        if reasons:
            found.append(f"{what}: " + ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in reasons.items()))
    return found


def _cell(column: int, cell: str, width: int) -> str:
    return cell.ljust(width) if column < 2 else cell.rjust(width)

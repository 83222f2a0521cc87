# SPDX-License-Identifier: Apache-2.0
"""The manager's report: who ended, and how. One JSON object a line, on a port that only the manager has."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

# Intel SDM 3A, table 6-1.
_EXCEPTIONS = {
    0: "divide error",
    1: "debug exception",
    3: "breakpoint",
    4: "overflow",
    5: "bound range exceeded",
    6: "invalid opcode",
    7: "no x87 or vector unit",
    10: "invalid TSS",
    11: "segment not present",
    12: "stack fault",
    13: "general protection fault",
    14: "page fault",
    16: "x87 error",
    17: "alignment check",
    19: "vector error",
}
_GIVEN_UP = ("panic", "refused-machine")


@dataclass(frozen=True)
class End:
    """How one partition stands at the end of a run.

    `state` is "ended" (then `status` is its exit status), "stopped", "refused" or "running"; `lives` counts its
    starts, `faults` how often an exception stopped it; `last` is the manager's last word on an end of it,
    `last_fault` on such a stop.
    """

    partition: str
    state: str
    lives: int
    status: int | None
    faults: int
    last: dict[str, Any]
    last_fault: dict[str, Any]

    def text(self) -> str:
        """One line for a reader, without the partition's name."""
        if self.state == "ended":
            what = f"ended with {self.status}"
        elif self.state == "stopped":
            what = f"stopped: {stop_text(self.last)}"
        elif self.state == "refused":
            what = f"could not start: {self.last.get('status_name', self.last.get('status'))}"
        else:
            what = "still running"
        notes = [f"life {self.lives}"] if self.lives > 1 else []
        if self.faults and self.state != "stopped":
            notes.append(
                f"stopped {self.faults} time{'s' if self.faults > 1 else ''}, last by {stop_text(self.last_fault)}"
            )
        return f"{what} ({', '.join(notes)})" if notes else what


def stop_text(event: dict[str, Any]) -> str:
    """What a "stopped" event says, for a reader: `page fault (error 0x5) at 0x400000, rip 0x400123`."""
    if event.get("reason") != "exception":
        return f"by the {event.get('reason', 'manager')}"
    vector = event.get("vector")
    name = _EXCEPTIONS.get(vector, f"exception {vector}") if isinstance(vector, int) else "exception"
    error = event.get("error", 0)
    words = name + (f" (error {error:#x})" if isinstance(error, int) and error else "")
    place = f" at {event.get('address', '?')}" if vector == 14 else ""
    return f"{words}{place}, rip {event.get('rip', '?')}"


@dataclass
class Report:
    """The report of one run, fed piece by piece as it arrives. Later lines that are no JSON are `broken`."""

    events: list[dict[str, Any]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    _rest: bytes = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the report; a line counts once its end has arrived."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line.decode("utf-8", "replace").strip())

    def _take(self, line: str) -> None:
        if not line:
            return
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if isinstance(event, dict):
            self.events.append(event)
        elif self.events:  # SeaBIOS writes its first lines to port 0x402 before anything of ours runs
            self.broken.append(line)

    @property
    def finished(self) -> bool:
        """Whether the manager said that all partitions that end have ended, or the monitor gave up."""
        return bool(self.monitor) or any(event.get("event") == "end" for event in self.events)

    @property
    def monitor(self) -> str:
        """What the monitor said as it gave up ("panic", "refused-machine"; why stands on the console), or ""."""
        return next((str(event["event"]) for event in self.events if event.get("event") in _GIVEN_UP), "")

    @property
    def failed(self) -> bool:
        """Whether some partition did not end with 0, was stopped by a fault (in any life), or could not start."""
        counted = any(event.get("event") == "end" and event.get("failed") for event in self.events)
        return counted or bool(self.monitor or self.broken) or any(_is_failure(event) for event in self.events)

    def ends(self) -> list[End]:
        """How each partition stands now, in the order in which they were first heard of."""
        names = dict.fromkeys(event["partition"] for event in self.events if isinstance(event.get("partition"), str))
        return [_end(name, [event for event in self.events if event.get("partition") == name]) for name in names]


def _is_failure(event: dict[str, Any]) -> bool:
    kind = event.get("event")
    if kind == "ended":
        return event.get("status") != 0
    return kind == "refused" or (kind == "stopped" and event.get("reason") == "exception")


def _end(name: str, events: list[dict[str, Any]]) -> End:
    lives, faults, state, status = 0, 0, "running", None
    last: dict[str, Any] = {}
    fault: dict[str, Any] = {}
    for event in events:
        kind = event.get("event")
        if kind == "started":
            lives, state = lives + 1, "running"
        elif kind in ("ended", "stopped", "refused"):
            state, last = str(kind), event
            status = event.get("status") if kind == "ended" else None
            if kind == "stopped" and event.get("reason") == "exception":
                faults, fault = faults + 1, event
    return End(name, state, lives, status, faults, last, fault)

# SPDX-License-Identifier: Apache-2.0
"""One running machine under test: its console, the manager's report, and QEMU's control channel."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from parclose.emulator import Emulator, Machine, Options, failure
from parclose.outcome import End, Report
from parclose.testing.console import Console

if TYPE_CHECKING:
    from qemu.qmp.legacy import QEMUMonitorProtocol

STEP = 0.02  # seconds between two looks at the report


class MachineFailure(AssertionError):
    """The machine did not do what the test expects: the message says which way, the log follows in the report."""


class RunningMachine:
    """A machine in QEMU, with `timeout` seconds to live. All waiting methods raise `MachineFailure`."""

    def __init__(self, target: Machine, options: Options, timeout: float) -> None:
        self.target, self.options = target, options
        self.report = Report()
        self._limit = time.monotonic() + timeout
        self._timeout, self._read = timeout, 0
        self._control: QEMUMonitorProtocol | None = None
        self._emulator = Emulator(target, options, qmp=True)
        self._console = Console(self._emulator.console)
        self.reason = "running"

    @property
    def process(self) -> int:
        """QEMU's process number."""
        return self._emulator.process.pid

    @property
    def log(self) -> str:
        """All that the console has shown so far."""
        self._console.poll()
        return self._console.log()

    @property
    def debug(self) -> str:
        """All that was written to the debug port so far."""
        return self.options.file("debug.log").read_text(errors="replace")

    def expect(self, pattern: str, timeout: float | None = None) -> re.Match[str]:
        """Wait until the console shows `pattern` (a regular expression, after what was matched before); its match.

        `timeout` in seconds, bounded by what is left of the machine's life.
        """
        patience = self._left() if timeout is None else min(timeout, self._left())
        problem, found = self._console.expect(pattern, patience)
        if found is None:
            raise self._failed(f"{problem} while waiting for {pattern!r}")
        return found

    def expect_lines(self, *patterns: str, timeout: float | None = None) -> list[re.Match[str]]:
        """`expect` each of `patterns` in this order, in `timeout` seconds together."""
        limit = time.monotonic() + (self._left() if timeout is None else timeout)
        return [self.expect(pattern, max(0.0, limit - time.monotonic())) for pattern in patterns]

    def send(self, text: str) -> None:
        """Type `text` on the console, as far as the machine takes it within its life."""
        if not self._console.send(text, self._left()):
            raise self._failed(f"the console took no more input while sending {text!r}")

    def qmp(self, command: str, **arguments: Any) -> Any:
        """Execute a QMP command, e.g. `qmp("system_reset")`, and return what QEMU answers. Raises QEMU's own errors."""
        return self._qmp().cmd(command, **arguments)

    def qmp_events(self) -> Sequence[dict[str, Any]]:
        """The QMP events that arrived since the last look, e.g. RESET or SHUTDOWN."""
        control = self._qmp()
        events = control.get_events()
        control.clear_events()
        return [dict(event) for event in events]

    def events(self) -> list[dict[str, Any]]:
        """What the manager has reported so far, one dictionary a line."""
        data = self.options.file("report.log").read_bytes()
        self.report.feed(data[self._read :])
        self._read = len(data)
        return self.report.events

    def wait_event(self, timeout: float | None = None, **wanted: Any) -> dict[str, Any]:
        """Wait for a report line that has these values, e.g. `wait_event(event="stopped", partition="intruder")`."""
        limit = time.monotonic() + (self._left() if timeout is None else min(timeout, self._left()))
        while True:
            over = not self._alive()
            for event in self.events():
                if all(event.get(key) == value for key, value in wanted.items()):
                    return event
            if over or self.report.monitor or time.monotonic() >= limit:
                raise self._failed(f"{self._how(over)} while waiting for the report of {wanted}")
            time.sleep(STEP)

    def finish(self, timeout: float | None = None) -> RunningMachine:
        """Wait until the manager reports that all partitions that end have ended; then end QEMU. Returns itself."""
        self.wait_event(timeout, event="end")
        self._console.drain()
        self.stop()
        self.reason = "all partitions that end have ended"
        return self

    def wait_exit(self, timeout: float | None = None) -> int:
        """Wait until QEMU ends by itself (the machine turned itself off, or reset), and return its exit status."""
        limit = time.monotonic() + (self._left() if timeout is None else min(timeout, self._left()))
        while self._alive():
            if time.monotonic() >= limit:
                raise self._failed(f"{self._how(False)} while waiting for the machine to turn itself off")
            time.sleep(STEP)
        self.events()
        return int(self._emulator.process.returncode)

    def end(self, partition: str) -> End:
        """How `partition` stands now. Raises `MachineFailure` for one that the manager has not mentioned."""
        ends = {end.partition: end for end in self.ends()}
        if partition not in ends:
            raise self._failed(f"the manager has not mentioned '{partition}', only {', '.join(ends) or 'nobody'}")
        return ends[partition]

    def ends(self) -> list[End]:
        """How each partition stands now."""
        self.events()
        return self.report.ends()

    def stop(self) -> None:
        """End QEMU. Any number of times."""
        if self._control is not None:
            with suppress(EOFError, OSError):  # QEMU has ended already
                self._control.close()
            self._control = None
        if self.reason == "running":
            self.reason = "ended by the test"
        self._console.poll()
        self.events()
        self._emulator.stop()

    def story(self, shown: int) -> str:
        """For a failed test: the reason, who stands how, the serial log (last `shown` characters), the command."""
        from parclose.testing.fixtures import printable

        log = printable(self._console.log())
        cut = f"[{len(log) - shown} characters before]\n" if len(log) > shown else ""
        lines = [f"machine: {self.reason}"]
        lines += [f"  {end.partition}: {end.text()}" for end in self.report.ends()]
        lines += [f"QEMU says: {self._emulator.log()}"] if self._emulator.log() else []
        lines += ["serial log:", cut + (log[-shown:] or "[nothing]"), "run it by hand:"]
        return "\n".join([*lines, f"  {shlex.join(self._emulator.words)}"])

    def _qmp(self) -> QEMUMonitorProtocol:
        if self._control is None:
            from qemu.qmp.legacy import QEMUMonitorProtocol

            assert self._emulator.qmp is not None
            self._control = QEMUMonitorProtocol(self._emulator.qmp)
            self._control.settimeout(10)
            self._control.connect()
        return self._control

    def _left(self) -> float:
        return max(0.0, self._limit - time.monotonic())

    def _alive(self) -> bool:
        self._console.poll()
        return self._emulator.process.poll() is None

    def _how(self, over: bool) -> str:
        if self.report.monitor:
            return f"the monitor gave up ({self.report.monitor})"
        if over:
            return "QEMU ended by itself"
        return f"the deadline of {self._timeout:g} s passed" if not self._left() else "the time given passed"

    def _failed(self, reason: str) -> MachineFailure:
        self.reason = reason
        self.events()
        code = self._emulator.process.poll()
        if code:  # a complaint of QEMU's own explains everything else
            reason += f"; {failure(self._emulator).message}"
        return MachineFailure(reason)

# SPDX-License-Identifier: Apache-2.0
"""One run in QEMU: the serial console on our standard streams, until report, text or deadline."""

from __future__ import annotations

import os
import selectors
import socket
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from parclose.emulator import Emulator, failure
from parclose.outcome import Report

STEP = 0.02  # seconds between two looks at the report
QUIET = 0.15  # seconds without a character after which a finished run's console counts as drained
DRAIN = 2.0  # seconds that draining may take at most
EXIT_CODES = {"until": 0, "ended": 0, "monitor": 1, "qemu": 1, "deadline": 4}


class Sink(Protocol):
    """Where the console's bytes go: a binary file, or what stands before one."""

    def write(self, data: bytes, /) -> object:
        """Take all of `data`."""

    def flush(self) -> object:
        """Hand on what was taken."""


@dataclass(frozen=True)
class Ending:
    """When a run ends: `timeout` in seconds (None: never), `until` a text on the console ("": none)."""

    timeout: float | None
    until: str = ""


@dataclass
class Outcome:
    """How a run ended. `cause`: "ended", "monitor" (it gave up), "until", "deadline" or "qemu" (it ended by itself)."""

    cause: str
    seconds: float
    report: Report = field(repr=False)
    midline: bool = False  # whether the console's last line is unfinished

    @property
    def exit_code(self) -> int:
        """The exit code of `parclose run`."""
        return 1 if self.cause == "ended" and self.report.failed else EXIT_CODES[self.cause]

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        partitions = [
            {"partition": end.partition, "state": end.state, "lives": end.lives, "status": end.status, "last": end.last}
            for end in self.report.ends()
        ]
        return {"cause": self.cause, "exit": self.exit_code, "seconds": self.seconds, "partitions": partitions}

    def text(self) -> str:
        """Lines for a reader: each partition, then the whole."""
        ends = self.report.ends()
        width = max((len(end.partition) for end in ends), default=0)
        lines = [f"  {end.partition:<{width}}  {end.text()}" for end in ends]
        lines += [f"  the report has a line that is no JSON: {line[:100]}" for line in self.report.broken]
        return "\n".join([self._headline(), *lines])

    def _headline(self) -> str:
        what = {
            "until": "the text of --until was seen",
            "ended": "all partitions that end have ended",
            "monitor": f"the monitor gave up ({self.report.monitor}); the console says why",
            "deadline": "the deadline passed",
            "qemu": "the machine ended before the manager reported that all partitions have ended",
        }[self.cause]
        return f"run: {what}, after {self.seconds:.1f} s"


def follow(running: Emulator, ending: Ending, sinks: Sequence[Sink], keyboard: int | None) -> Outcome:
    """Copy the console to `sinks` and `keyboard` (a descriptor) to the console until the run ends.

    Raises `ParcloseError` when QEMU refuses to start, and `OSError` when a sink cannot be written.
    """
    started = time.monotonic()
    cause = ""
    with open(running.options.file("report.log"), "rb") as report:
        watch = _Watch(running, report, ending.until.encode(), sinks, keyboard)
        while not cause:
            watch.turn(STEP)
            late = ending.timeout is not None and time.monotonic() - started >= ending.timeout
            cause = watch.cause() or ("deadline" if late else "")
        if cause in ("ended", "monitor"):
            watch.drain()
    if cause == "qemu" and running.process.wait(5) != 0:
        raise failure(running)
    return Outcome(cause, round(time.monotonic() - started, 3), watch.report, watch.midline)


class _Watch:
    """The descriptors of a run, looked at in turns."""

    def __init__(
        self, running: Emulator, report: BinaryIO, until: bytes, sinks: Sequence[Sink], keyboard: int | None
    ) -> None:
        self.report = Report()
        self._console, self._report_file, self._until, self._sinks = running.console, report, until, sinks
        self._keyboard, self._typed = keyboard, b""
        self._tail, self._seen, self._closed, self.midline = b"", False, False, False
        self._last_character = time.monotonic()
        self._selector = selectors.PollSelector()  # epoll refuses regular files, which standard input may be
        self._selector.register(self._console, selectors.EVENT_READ, self._from_console)

    def turn(self, patience: float) -> None:
        """Wait `patience` seconds at most for something to do, and do it."""
        listening = self._keyboard is not None and not self._typed
        if listening:
            self._selector.register(self._keyboard or 0, selectors.EVENT_READ, self._from_keyboard)
        ready = self._selector.select(patience)
        if listening:
            self._selector.unregister(self._keyboard or 0)
        for key, _ in ready:
            key.data()
        self._type()
        self.report.feed(self._report_file.read())

    def cause(self) -> str:
        """Why the run is over, or ""."""
        if self._seen:
            return "until"
        if self.report.finished:
            return "monitor" if self.report.monitor else "ended"
        return "qemu" if self._closed else ""

    def drain(self) -> None:
        """What the guests wrote last may still be on its way through the I/O partition when the manager reports."""
        limit = time.monotonic() + DRAIN
        self._last_character = time.monotonic()
        while not self._closed and time.monotonic() < min(limit, self._last_character + QUIET):
            self.turn(STEP)

    def _from_console(self) -> None:
        try:
            data = self._console.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self._closed = True
            self._selector.unregister(self._console)
            return
        self._last_character = time.monotonic()
        self.midline = not data.endswith(b"\n")
        for sink in self._sinks:
            sink.write(data)
            sink.flush()
        if self._until:
            self._tail += data
            self._seen = self._seen or self._until in self._tail
            self._tail = self._tail[-len(self._until) :]

    def _from_keyboard(self) -> None:
        self._typed = os.read(self._keyboard or 0, 4096)
        if not self._typed:
            self._keyboard = None

    def _type(self) -> None:
        """Hand on what was typed, as far as the machine takes it: a guest that reads nothing must not hold us up."""
        if self._typed:
            try:
                self._typed = self._typed[self._console.send(self._typed, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                return
            except ConnectionError:
                self._typed, self._keyboard = b"", None


def interactive() -> bool:
    """Whether a person sits at our standard streams, and we are in the terminal's foreground."""
    try:
        return sys.stdin.isatty() and sys.stdout.isatty() and os.tcgetpgrp(0) == os.getpgrp()
    except (OSError, ValueError, AttributeError):
        return False


@contextmanager
def raw_terminal() -> Iterator[None]:
    """Each key goes to the machine at once and is not echoed here; Ctrl-C still comes to us."""
    before = termios.tcgetattr(0)
    raw = termios.tcgetattr(0)
    raw[0] &= ~(termios.ICRNL | termios.IXON)
    raw[3] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
    termios.tcsetattr(0, termios.TCSADRAIN, raw)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def open_copy(path: Path | None) -> list[BinaryIO]:
    """The file of `--serial`, opened before anything starts. Raises `OSError`."""
    return [open(path, "wb")] if path else []

# SPDX-License-Identifier: Apache-2.0
"""The serial console of a machine under test, over pexpect. What it shows is bounded: a guest may flood it."""

from __future__ import annotations

import re
import select
import socket
import time

import pexpect
from pexpect.fdpexpect import fdspawn

FLOOD = 1 << 20  # characters that may come without a match before a wait gives up
WINDOW = 1 << 18  # characters, back from the newest, in which a match is looked for
KEPT = 8 << 20  # characters of the log that are kept, from its end
QUIET, DRAIN = 0.15, 2.0  # seconds without a character that count as drained; seconds that draining may take


class _Flood(Exception):
    pass


class _Log:
    """What pexpect read, kept from its end, and how much came since the last `expect` began.

    Its error at a flood leaves pexpect before the text reaches pexpect's own buffer, which so stays bounded too.
    """

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.size = self.since = 0

    def write(self, text: str) -> None:
        self.parts.append(text)
        self.size += len(text)
        self.since += len(text)
        if self.size > 2 * KEPT:
            kept = "".join(self.parts)[-KEPT:]
            self.parts, self.size = [kept], len(kept)
        if self.since > FLOOD:
            raise _Flood

    def flush(self) -> None:
        """pexpect calls it after each write."""


class Console:
    """Both ways of a console whose other end is `connection`."""

    def __init__(self, connection: socket.socket) -> None:
        self._log, self._socket, self._closed = _Log(), connection, False
        # not socket_pexpect: it hands on bytes undecoded and unlogged (pexpect 4.9)
        self._spawn = fdspawn(
            connection.fileno(), maxread=65536, searchwindowsize=WINDOW, encoding="utf-8", codec_errors="replace"
        )
        self._spawn.logfile_read = self._log

    def expect(self, pattern: str, patience: float) -> tuple[str, re.Match[str] | None]:
        """Wait `patience` seconds for `pattern`: ("", its match), or (why not, None)."""
        self._log.since = 0
        try:
            place = self._spawn.expect([pattern, pexpect.EOF, pexpect.TIMEOUT], timeout=patience)
        except _Flood:
            return f"the console was flooded ({FLOOD} characters without a match)", None
        except ConnectionError:  # QEMU ended with input of ours unread
            place = 1
        self._closed = self._closed or place == 1
        if place:
            return ("the machine ended" if place == 1 else f"{patience:.3g} s passed"), None
        found = self._spawn.match
        assert isinstance(found, re.Match)
        return "", found

    def send(self, text: str, patience: float) -> bool:
        """Hand `text` to the machine; whether it took all of it in `patience` seconds."""
        rest, limit = text.encode(), time.monotonic() + patience
        while rest:
            if not select.select([], [self._socket], [], max(0.0, limit - time.monotonic()))[1]:
                return False
            try:
                rest = rest[self._socket.send(rest, socket.MSG_DONTWAIT) :]
            except ConnectionError:
                return False
        return True

    def poll(self, patience: float = 0.0) -> bool:
        """Read what has arrived, so that the machine is not held up; whether something had."""
        if self._closed or self._socket.fileno() < 0:
            return False
        before = self._log.since
        try:
            self._spawn.expect([r"(?!)"], timeout=patience)  # matches nothing: all that comes goes to the buffer
        except (pexpect.TIMEOUT, _Flood):
            return self._log.since > before
        except (pexpect.EOF, ConnectionError):
            self._closed = True
        return False

    def drain(self) -> None:
        """Read on until the console is quiet."""
        limit = time.monotonic() + DRAIN
        while self.poll(QUIET) and time.monotonic() < limit:
            continue

    def log(self) -> str:
        """All that was read, or the last part of it."""
        return "".join(self._log.parts)

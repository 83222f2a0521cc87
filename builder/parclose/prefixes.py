# SPDX-License-Identifier: Apache-2.0
"""Colours for the console's prefixes, put on where the terminal is.

The server on the machine sends no colours: what is recorded stays plain, and it need not know whether a terminal is at
the other end of its line. Nor can a guest send any: whatever it writes, no escape character of it reaches the line. So
what is coloured here is the prefix that the server wrote, and nothing that imitates one further on in a line.
"""

from __future__ import annotations

import re
from typing import BinaryIO
from zlib import crc32

_PREFIX = re.compile(rb"[A-Za-z_][A-Za-z0-9_.-]{0,30}(\| |< )")
_LONGEST = 33  # bytes of a prefix
_COLOURS = (31, 32, 33, 34, 35, 36, 91, 92, 93, 94, 95, 96)  # ECMA-48, 8.3.117, and the bright ones of terminals


class Painted:
    """`sink` with each line's prefix in a colour that its name decides."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._start = b""  # of the line, as far as it may be a prefix and is shown already
        self._looking = True  # nothing of the line rules a prefix out yet

    def write(self, data: bytes) -> None:
        """Show `data` at once, whole: a prefix that comes in two pieces is written over."""
        for line in data.splitlines(keepends=True) if b"\n" in data or b"\r" in data else [data]:
            self._sink.write(self._painted(line))

    def flush(self) -> None:
        """Flush the sink."""
        self._sink.flush()

    def _painted(self, piece: bytes) -> bytes:
        if self._looking:
            line = self._start + piece
            found = _PREFIX.match(line)
            if found is not None:
                again = b"\r" if self._start else b""
                piece = again + _paint(found[0]) + line[found.end() :]
            self._looking = found is None and len(line) < _LONGEST
            self._start = line if self._looking else b""
        if piece.endswith((b"\n", b"\r")):
            self._looking, self._start = True, b""
        return piece


def _paint(prefix: bytes) -> bytes:
    colour = _COLOURS[crc32(prefix[:-2]) % len(_COLOURS)]
    return b"\x1b[%dm%b\x1b[0m" % (colour, prefix)

# SPDX-License-Identifier: Apache-2.0
"""The far end of a card's wire as a Python program: QEMU's `-netdev dgram` on a pair of sockets."""

from __future__ import annotations

import shutil
import socket
import tempfile
import time
from pathlib import Path

PATIENCE = 30.0  # seconds for a card to take a frame
LONGEST = 65536  # bytes of a datagram


class Wire:
    """Use as a context manager, and give `netdev` to a machine: `networks={"nic0": wire.netdev}`.

    A frame is the bytes from the destination address to the end of the data, without a check sequence.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="wire"))  # a socket's name has 107 bytes: pytest's are too long
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
        self._socket.bind(str(self._folder / "far"))

    @property
    def netdev(self) -> str:
        """The value of QEMU's -netdev for the card at this wire."""
        near, far = self._folder / "near", self._folder / "far"
        return f"dgram,local.type=unix,local.path={near},remote.type=unix,remote.path={far}"

    def send(self, *frames: bytes) -> None:
        """Put frames on the wire, in this order; waits for the card's side. Raises `OSError` where that stays full."""
        self._socket.settimeout(PATIENCE)
        for frame in frames:
            self._socket.sendto(frame, str(self._folder / "near"))

    def receive(self, timeout: float = 10.0) -> bytes | None:
        """The next frame that the card sends; None when none came in `timeout` seconds."""
        self._socket.settimeout(timeout)
        try:
            return self._socket.recv(LONGEST)
        except TimeoutError:
            return None

    def receive_many(self, count: int, timeout: float = 10.0) -> list[bytes]:
        """The next frames, `count` of them or as many as came in `timeout` seconds."""
        limit, frames = time.monotonic() + timeout, list[bytes]()
        while len(frames) < count and (frame := self.receive(max(0.001, limit - time.monotonic()))) is not None:
            frames.append(frame)
        return frames

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)

# SPDX-License-Identifier: Apache-2.0
"""The far end of a card's wire: sends every frame back to where it came from."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from pathlib import Path

FRAMES = 512  # of a round, and the rounds: as in guests/network/talker.c
ROUNDS = 5
LONGEST = 2048  # bytes of a frame


class Mirror:
    """Use as a context manager, and give `netdev` to the machine."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="wire"))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._folder / "far"))
        self._thread = threading.Thread(target=self._work, daemon=True)

    @property
    def netdev(self) -> str:
        """The value of QEMU's -netdev for the card."""
        near, far = self._folder / "near", self._folder / "far"
        return f"dgram,local.type=unix,local.path={near},remote.type=unix,remote.path={far}"

    def _work(self) -> None:
        near = str(self._folder / "near")
        while frame := self._socket.recv(LONGEST):
            try:
                self._socket.sendto(frame[6:12] + frame[:6] + frame[12:], near)
            except OSError:  # the machine has ended
                continue

    def __enter__(self) -> Mirror:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", str(self._folder / "far"))  # an empty one ends the thread
        self._thread.join(5)
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)

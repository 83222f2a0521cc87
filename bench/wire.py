# SPDX-License-Identifier: Apache-2.0
"""The far end of a card's wire: sends every frame back to where it came from."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

FRAMES = 512  # of a round, and the rounds: as in guests/network/talker.c
ROUNDS = 5
LONGEST = 2048  # bytes of a frame
HERE = "127.0.0.1"


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((HERE, 0))
    return made


class Mirror:
    """Use as a context manager, and give `netdev` to the machine.

    Datagrams of UDP: of Unix sockets the kernel keeps ten under way, which would be a wire of its own kind.
    """

    def __init__(self) -> None:
        self._far = _socket()
        with _socket() as free:
            self._near = free.getsockname()
        self._thread = threading.Thread(target=self._work, daemon=True)

    @property
    def netdev(self) -> str:
        """The value of QEMU's -netdev for the card."""
        ends = (("local", self._near), ("remote", self._far.getsockname()))
        return ",".join(["dgram", *(f"{end}.type=inet,{end}.host={HERE},{end}.port={at[1]}" for end, at in ends)])

    def _work(self) -> None:
        while frames := self._arrived():
            with suppress(OSError):  # the machine has ended
                for frame in frames:
                    self._far.sendto(frame[6:12] + frame[:6] + frame[12:], self._near)

    def _arrived(self) -> list[bytes]:
        """All that is there, one at least; nothing after an empty one."""
        frames = [self._far.recv(LONGEST)]
        with suppress(BlockingIOError):
            while True:
                frames.append(self._far.recv(LONGEST, socket.MSG_DONTWAIT))
        return frames if all(frames) else []

    def __enter__(self) -> Mirror:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with _socket() as last:
            last.sendto(b"", self._far.getsockname())  # ends the thread
        self._thread.join(5)
        self._far.close()

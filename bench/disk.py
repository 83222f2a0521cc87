# SPDX-License-Identifier: Apache-2.0
"""The disk that guests/block/reader.c reads and compares."""

from __future__ import annotations

import struct
from pathlib import Path

from bench import guest

REQUESTS = 512  # of a round, and the rounds: as in guests/block/reader.c
ROUNDS = 5
DISK_SIZE = 64 << 20
FACTOR = 0x9E3779B97F4A7C15


def disk() -> Path:
    """A disk whose every 8 bytes are a function of their place, made once."""
    made = guest.OUT / "disk.img"
    if made.exists() and made.stat().st_size == DISK_SIZE:
        return made
    guest.OUT.mkdir(parents=True, exist_ok=True)
    beside = made.with_suffix(".new")
    with open(beside, "wb") as file:
        for start in range(0, DISK_SIZE, 1 << 20):
            words = [place * FACTOR & (1 << 64) - 1 for place in range(start, start + (1 << 20), 8)]
            file.write(struct.pack(f"<{len(words)}Q", *words))
    beside.replace(made)
    return made

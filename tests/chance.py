# SPDX-License-Identifier: Apache-2.0
"""Random choices of a test run that anybody can repeat: the seed comes from the commit, and is printed."""

from __future__ import annotations

import functools
import os
import random
import subprocess
from pathlib import Path


@functools.cache
def seed() -> int:
    """The run's seed: the environment's PARCLOSE_SEED, else the first digits of the commit, else 1."""
    given = os.environ.get("PARCLOSE_SEED")
    if given:
        return int(given, 0)
    words = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=15", "HEAD"]
    try:
        return int(subprocess.run(words, capture_output=True, text=True, check=True, timeout=20).stdout, 16)
    except (OSError, subprocess.SubprocessError, ValueError):
        return 1


def chance(what: str) -> random.Random:
    """Random numbers for the test `what`, the same for the same commit."""
    print(f"seed of {what}: PARCLOSE_SEED={seed():#x}")
    return random.Random(f"{seed():#x} {what}")

# SPDX-License-Identifier: Apache-2.0
"""In place of QEMU while the whole suite runs under the isolation oracle: the same machine, with the oracle added.

Usage: qemu.py REAL WORDS...; oracle_everywhere.py puts it on the PATH and reads what it leaves in PARCLOSE_ORACLE_RUNS.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "builder")]

import oracle_kit  # noqa: E402
from parclose import gpt  # noqa: E402


def main() -> None:
    """Add the oracle where there is a whole image of ours and no reason against it, write down which, and run QEMU."""
    real, *words = sys.argv[1:]
    disk = re.search(rf"file=(\S+/){re.escape(gpt.NAME)}", " ".join(words))
    image = Path(disk[1], "image.elf") if disk else kernel(words)
    if image is not None:
        folder = Path(os.environ["PARCLOSE_ORACLE_RUNS"], f"{time.time_ns()}-{os.getpid()}")
        folder.mkdir(parents=True)
        reason = os.environ.get(oracle_kit.LEAVE) or against(image, words)
        if not reason:
            words += oracle_kit.arguments(image, folder, from_disk=disk is not None)
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
        (folder / "run").write_text(json.dumps({"test": test, "image": str(image), "reason": reason}))
    os.execv(real, [real, *words])


def kernel(words: list[str]) -> Path | None:
    """The image that QEMU itself loads, or None where there is none."""
    return Path(words[words.index("-kernel") + 1]) if "-kernel" in words else None


def against(image: Path, words: list[str]) -> str:
    """Why this run goes without."""
    if any("oracle.so" in word for word in words):
        return "its test asks the oracle itself"
    if not oracle_kit.has_build(image):
        return "an image that was changed on purpose"
    return ""


main()

# SPDX-License-Identifier: Apache-2.0
"""The instructions of the monitor and of each program as text. What did not change comes from the cache."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

from parclose import objects, paths, tools

_COMMAND = ("objdump", "--disassemble", "--no-show-raw-insn")


def disassemble(programs: Mapping[str, Path]) -> dict[str, bytes]:
    """The listing of each of `programs`, by the same names. Raises `MissingTool`."""
    with ThreadPoolExecutor(cpu_count()) as pool:
        return dict(zip(programs, pool.map(_listing, programs.values()), strict=True))


def _listing(program: Path) -> bytes:
    words = [*_COMMAND, objects.tool("objdump"), objects.digest(program.read_bytes())]
    key = objects.digest(json.dumps(words).encode())
    found = paths.cache() / "listings" / key
    if not found.is_file():
        text = tools.run([*_COMMAND, program])
        # The head names the file, and so the folder that it was made in.
        objects.keep("listings", key, text.partition("\n\n\n")[2].encode())
    return found.read_bytes()

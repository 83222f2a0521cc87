# SPDX-License-Identifier: Apache-2.0
"""Links programs: the linker script goes through the preprocessor, so that it shares the addresses in `abi/`."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from parclose import objects, paths, tools
from parclose.objects import Unit

_FLAGS = ("-static", "-nostdlib", "--build-id=none", "-z", "noexecstack", "-z", "max-page-size=4096")


def script_unit(script: Path) -> Unit:
    """The run of the preprocessor that makes a linker script of `script`."""
    flags = ("-E", "-P", "-x", "c", f"-I{paths.data('abi')}", "-I", str(paths.data("monitor_asm")))
    return Unit(script, flags, script.parent)


def link(parts: Sequence[Path], script: Path, libraries: Sequence[Path] = ()) -> Path:
    """Link the objects `parts` (files of the cache) by the finished `script`; the program is a file of the cache.

    Raises `ParcloseError` with the linker's message.
    """
    names = [part.name for part in parts]
    key = objects.digest(json.dumps([_linker(), *_FLAGS, script.name, *names, *map(str, libraries)]).encode())
    found = paths.cache() / "linked" / key
    if found.is_file():
        return found
    with tempfile.TemporaryDirectory(prefix="parclose-") as folder:
        result = Path(folder) / "program"
        tools.run(["ld", *_FLAGS, "-T", script, "-o", result, *parts, *libraries])
        return objects.keep("linked", key, result.read_bytes())


@functools.cache
def _linker() -> str:
    return tools.run(["ld", "--version"]).splitlines()[0]


@functools.cache
def support_library() -> Path:
    """The compiler's own library, for what the processor has no instruction for (128-bit division)."""
    return Path(tools.run(["gcc", "-print-libgcc-file-name"]).strip())

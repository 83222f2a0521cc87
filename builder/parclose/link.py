# SPDX-License-Identifier: Apache-2.0
"""Links the monitor and each partition's program from their objects. What did not change comes from the cache."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path

from parclose import objects, paths, tools
from parclose.errors import ParcloseError

FLAGS = ("-static", "-nostdlib", "--build-id=none", "-z", "noexecstack", "-z", "max-page-size=4096")


@dataclass(frozen=True)
class Parts:
    """What one program is linked from: objects and a finished linker script, or a program that is ready."""

    objects: tuple[Path, ...] = ()
    script: Path = Path()
    ready: Path | None = None


@dataclass(frozen=True)
class Programs:
    """Program files: the monitor, and the partitions' by name."""

    monitor: Path
    partitions: Mapping[str, Path]


def link(monitor: Parts, partitions: Mapping[str, Parts]) -> Programs:
    """Link everything. Raises `ParcloseError` with the linker's message and the partition's name, and `MissingTool`."""
    with ThreadPoolExecutor(cpu_count()) as pool:
        linked = pool.submit(_link, monitor, support_library=False)
        programs = list(pool.map(_link_partition, partitions.items()))
        return Programs(linked.result(), dict(programs))


def _link_partition(item: tuple[str, Parts]) -> tuple[str, Path]:
    name, parts = item
    if parts.ready is not None:
        return name, parts.ready
    try:
        return name, _link(parts, support_library=True)
    except ParcloseError as problem:
        raise type(problem)(f"partition '{name}': {problem.message}", problem.hint) from problem


def _link(parts: Parts, support_library: bool) -> Path:
    names = [part.name for part in parts.objects]
    words = [objects.tool("ld"), objects.tool("gcc"), *FLAGS, parts.script.name, *names, str(support_library)]
    key = objects.digest(json.dumps(words).encode())
    found = paths.cache() / "linked" / key
    if found.is_file():
        return found
    with tempfile.TemporaryDirectory(prefix="parclose-") as folder:
        result = Path(folder) / "program"
        libraries = [_support_library()] if support_library else []
        tools.run(["ld", *FLAGS, "-T", parts.script, "-o", result, *parts.objects, *libraries])
        return objects.keep("linked", key, result.read_bytes())


@functools.cache
def _support_library() -> Path:
    """The compiler's own library, for what the processor has no instruction for (128-bit division)."""
    return Path(tools.run(["gcc", "-print-libgcc-file-name"]).strip())

# SPDX-License-Identifier: Apache-2.0
"""Images of the hand-made layout `systems.line` with the smallest programs, so that no other part is needed."""

from __future__ import annotations

import shutil
from pathlib import Path

from parclose import elf, paths, pipeline
from systems import line

MAIN = "volatile int counter = 5;\nvoid runtime_main(void) {\n  for (;;)\n    counter++;\n}\n"


def make_kit(folder: Path) -> Path:
    """A folder like partitions/, with the real start object and linker script and the smallest programs."""
    for name in ("manager", "io", "runtime"):
        (folder / name).mkdir()
    shutil.copy(paths.data("partitions", "partition.ld.S"), folder)
    shutil.copy(paths.data("partitions", "runtime", "start.S"), folder / "runtime")
    for name in ("manager/main.c", "io/main.c", "sensor.c", "logger.c"):
        (folder / name).write_text(MAIN)
    return folder


def build(kit: Path, out: Path, **options: object) -> pipeline.BuildResult:
    """The layout `line`, built with the programs of `kit`; `options` are those of `pipeline.Options`."""
    return pipeline.build_system(line(kit), out, (), pipeline.Options(partitions_sources=kit, **options))


def loaded(image: bytes, physical: int, size: int) -> bytes:
    """What the loader leaves at `physical`."""
    for segment in elf.read(image).segments:
        start = physical - segment.physical
        if start >= 0 and start + size <= segment.memory_size:
            return segment.content[start : start + size].ljust(size, b"\0")
    raise AssertionError(f"{physical:#x} is not loaded")

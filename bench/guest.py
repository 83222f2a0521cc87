# SPDX-License-Identifier: Apache-2.0
"""Builds and runs a benchmark's layout: the image that users get, in QEMU, and what its guests say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from parclose import emulator, pipeline
from parclose.emulator import Emulator, Options
from parclose.pipeline import BuildResult
from parclose.run import Ending, Outcome, follow

HERE = Path(__file__).parent
LINE = HERE.parent / "examples" / "line" / "layout.yaml"
OUT = HERE.parent / "build" / "bench"
ICOUNT = ("-icount", "shift=0,sleep=off")  # a tick of the clock is an instruction
DEADLINE = 120.0  # seconds of one run


class NotMeasured(Exception):
    """A figure that could not be measured; the message says why."""


@dataclass(frozen=True)
class Image:
    """A built layout and the folder with everything that the build left."""

    name: str
    folder: Path
    build: BuildResult


@dataclass(frozen=True)
class Run:
    """One finished run. `samples` are the values that guests wrote on the debug port, by name."""

    samples: Mapping[str, Sequence[int]]
    outcome: Outcome


def build(layout: Path) -> Image:
    """Build `layout` (a file). Raises what `pipeline.build` raises."""
    name = layout.parent.name if layout.name == "layout.yaml" else f"{layout.parent.name}-{layout.stem}"
    return Image(name, OUT / name, pipeline.build(layout, OUT / name))


def build_guests(name: str, layout: str = "layout.yaml") -> Image:
    """Build one of our own layouts in bench/guests/NAME."""
    return build(HERE / "guests" / name / layout)


def run(
    image: Image,
    extra: Sequence[str] = ICOUNT,
    disks: Mapping[str, Path] | None = None,
    any_end: bool = False,
    networks: Mapping[str, str] | None = None,
) -> Run:
    """Boot `image` and wait until all that end have ended.

    Raises `NotMeasured` unless all of them ended with 0; with `any_end` unless all of them ended, however.
    """
    emulator.require()
    options = Options(image.folder, fresh=True, disks=disks or {}, networks=networks or {}, extra=tuple(extra))
    target = emulator.machine(image.build.system.board, image.build.image)
    with Emulator(target, options) as running, open(options.file("console.log"), "wb") as console:
        outcome = follow(running, Ending(DEADLINE), [console], None)
    if outcome.cause != "ended" or (outcome.exit_code and not any_end):
        raise NotMeasured(f"{image.name}: {outcome.text()}")
    return Run(parse(options.file("debug.log").read_text()), outcome)


def parse(text: str) -> dict[str, list[int]]:
    """The samples in the lines `NAME VALUE` of a debug log. Raises `NotMeasured` for any other line."""
    found: dict[str, list[int]] = defaultdict(list)
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if not value.isdecimal():
            raise NotMeasured(f"the guest wrote {line!r}")
        found[name].append(int(value))
    return dict(found)

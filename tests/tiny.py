# SPDX-License-Identifier: Apache-2.0
"""Tiny kernels for tests of what runs QEMU, so that those need no monitor and no build."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path
from typing import Any

from parclose import emulator

ENDED = '{"event":"end","failed":0}\n'
SOURCE = Path(__file__).parent / "kernels" / "tiny.S"
ARGUMENTS = (
    "-accel",
    "tcg",
    "-machine",
    "q35",
    "-cpu",
    "max",
    "-m",
    "64",
    "-nodefaults",
    "-display",
    "none",
    "-no-reboot",
)


def machine(folder: Path, does: str, say: str, report: str, **changes: Any) -> emulator.Machine:
    """Compile kernels/tiny.S into `folder` and describe its machine there, as `build` does for `run DIR`."""
    folder.mkdir(parents=True)
    image = folder / "image.elf"
    defines = [f"-DSAY={quoted(say)}", f"-DREPORT={quoted(report)}", *([f"-D{does}"] if does else [])]
    link = ["-nostdlib", "-static", "-Wl,-Ttext=0x1000000", "-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,-e,start"]
    subprocess.run(["gcc", *link, *defines, str(SOURCE), "-o", str(image)], check=True, timeout=60)
    made = emulator.Machine("tiny", image, ARGUMENTS, (), 0x402, 0xE9)
    made = dataclasses.replace(made, **changes)
    emulator.save(made, folder)
    return made


def quoted(text: str) -> str:
    """`text` as a string of the assembler, which knows octal escapes."""
    return '"' + "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\' else f"\\{b:03o}" for b in text.encode()) + '"'

# SPDX-License-Identifier: Apache-2.0
"""What a disk is made with, and where it is: GRUB for BIOS and for UEFI, and mtools. The places are Debian's."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from parclose.errors import MissingTool

FOLDER = Path("/usr/lib/grub")
BIOS, UEFI = "i386-pc", "x86_64-efi"  # GRUB's names of its targets
_PROGRAMS = {"grub-mkimage": "grub-common", "mformat": "mtools", "mmd": "mtools", "mcopy": "mtools"}
_TARGETS = {BIOS: "grub-pc-bin", UEFI: "grub-efi-amd64-bin"}


@dataclass(frozen=True)
class Part:
    """A program, or GRUB's modules for a target. `place` is "" when it is missing."""

    name: str
    package: str
    place: str


def parts() -> list[Part]:
    """Everything that is needed, there or not."""
    programs = [Part(name, package, shutil.which(name) or "") for name, package in _PROGRAMS.items()]
    return programs + [Part(f"grub {target}", package, _modules(target)) for target, package in _TARGETS.items()]


def _modules(target: str) -> str:
    return str(FOLDER / target) if (FOLDER / target / "moddep.lst").is_file() else ""


def require() -> None:
    """Raise `MissingTool` with one line for all that is missing."""
    missing = [part for part in parts() if not part.place]
    if missing:
        names = ", ".join(part.name for part in missing)
        packages = " ".join(sorted({part.package for part in missing}))
        raise MissingTool(f"not installed: {names}", f"apt-get install --no-install-recommends -y {packages}")

# SPDX-License-Identifier: Apache-2.0
"""`parclose doctor`: what this machine has, what it lacks, and the one line that installs it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from parclose import grub

# QEMU looks for its firmware in these, on Debian; `-kernel` needs both a BIOS and the PVH option ROM.
_FIRMWARE_FOLDERS = ("/usr/share/qemu", "/usr/share/seabios", "/usr/local/share/qemu", "/usr/share/OVMF")


@dataclass(frozen=True)
class Item:
    """One thing looked for. `found` is its version or place, "" where it is not there; `needed` says what for."""

    name: str
    found: str
    package: str
    needed: str
    optional: bool = False

    @property
    def missing(self) -> bool:
        """Whether the tool's own verbs lack something without it."""
        return not self.found and not self.optional

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "missing": self.missing}


def examine() -> list[Item]:
    """Look for everything, in the order in which a build and a run need it."""
    return [
        Item("python", _python(), "python3", "the tool itself (3.11 or newer)"),
        *(Item(name, _distribution(name), f"python3-{name.lower()}", "the tool itself") for name in _LIBRARIES),
        Item("gcc", _program("gcc"), "gcc", "build"),
        Item("ld", _program("ld"), "binutils", "build"),
        Item("objcopy", _program("objcopy"), "binutils", "build"),
        Item("qemu-system-x86_64", _program("qemu-system-x86_64"), "qemu-system-x86", "run"),
        Item("bios-256k.bin", _firmware("bios-256k.bin"), "seabios", "run"),
        Item("pvh.bin", _firmware("pvh.bin"), "qemu-system-data", "run"),
        *(Item(part.name, part.place, part.package, _DISKS, True) for part in grub.parts()),
        Item("pexpect", _distribution("pexpect"), "", _TESTS, True),
        Item("qemu.qmp", _distribution("qemu.qmp"), "", _TESTS, True),
        Item("OVMF_CODE_4M.fd", _firmware("OVMF_CODE_4M.fd"), "ovmf", "tests of disks under UEFI", True),
        Item("gdb", _program("gdb"), "gdb", "run --gdb", True),
    ]


_DISKS = "build --format disk"
_TESTS = "tests: pip install 'parclose[test]'"
_LIBRARIES = ("jinja2", "pyyaml", "pyelftools")


def text(items: list[Item]) -> str:
    """A table, and below it the line that installs what is missing."""
    lines = [f"{_state(item):<8} {item.name:<20} {item.found or 'for ' + item.needed}" for item in items]
    lacking = [item for item in items if item.optional and item.package and not item.found]
    for needed in dict.fromkeys(item.needed for item in lacking):
        wanted = sorted({item.package for item in lacking if item.needed == needed})
        lines += ["", f"for {needed}: apt-get install --no-install-recommends -y {' '.join(wanted)}"]
    packages = sorted({item.package for item in items if item.missing})
    if packages:
        lines += ["", "install what is missing:", f"  apt-get install --no-install-recommends -y {' '.join(packages)}"]
    else:
        lines += ["", "nothing is missing"]
    return "\n".join(lines)


def _state(item: Item) -> str:
    if item.found:
        return "ok"
    return "optional" if item.optional else "missing"


def _python() -> str:
    return ".".join(map(str, sys.version_info[:3])) if sys.version_info >= (3, 11) else ""


def _distribution(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _program(name: str) -> str:
    place = shutil.which(name)
    return _first(_version_line(place)) if place else ""


def _version_line(place: str) -> str:
    try:
        return subprocess.run([place, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def _first(output: str) -> str:
    found = re.search(r"\d+(\.\d+)+", output)
    return found.group() if found else ""


def _firmware(name: str, exists: Callable[[Path], bool] = Path.exists) -> str:
    return next((str(place) for place in (Path(folder, name) for folder in _FIRMWARE_FOLDERS) if exists(place)), "")

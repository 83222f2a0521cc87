# SPDX-License-Identifier: Apache-2.0
"""Looking for files that a layout names. No name raises: one that the file system cannot have names nothing."""

from __future__ import annotations

from pathlib import Path

from parclose.wording import listing, nearest


def is_file(path: Path) -> bool:
    """Whether there is a file of that name."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, a folder that may not be entered
        return False


def is_there(path: Path) -> bool:
    """Whether there is a file or a folder of that name."""
    try:
        return path.is_file() or path.is_dir()
    except (OSError, ValueError):
        return False


def advice(path: Path, name: str) -> str:
    """What to write instead of `name`, which was to be the file `path`: the nearest of its kind, or what there is."""
    try:
        there = sorted(each.name for each in path.parent.iterdir())
    except (OSError, ValueError):
        return "there is no such folder: files are looked for beside the layout"
    if path.name in there:
        return "it is there, but a pipe, a device or a link that leads nowhere"
    alike = [each for each in there if Path(each).suffix == path.suffix] or there
    near = nearest(path.name, alike)
    if near is not None:
        return f"did you mean '{Path(name).parent / near}'?"
    return f"files are looked for beside the layout; there is {listing(alike) or 'nothing'}"

# SPDX-License-Identifier: Apache-2.0
"""The one place that knows where the tool's own files and its cache are."""

from __future__ import annotations

import functools
import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data(*parts: str) -> Path:
    """A file or folder that the tool ships: in the wheel's package data, or in the checkout.

    `parts[0]` is one of abi, boards, examples, monitor_asm, partitions, templates.
    """
    shipped = _PACKAGE / "_data"
    root = shipped if shipped.is_dir() else _PACKAGE.parent.parent
    return root.joinpath(*parts)


def cache() -> Path:
    """The folder for cached objects: `$XDG_CACHE_HOME/parclose`, else `~/.cache/parclose`. Not made here.

    Where the home cannot be written, it is a folder that goes with this process.
    """
    given = os.environ.get("XDG_CACHE_HOME")
    folder = Path(given or os.path.join(os.path.expanduser("~"), ".cache"), "parclose")
    return folder if given or _can_be_made(folder) else _passing_cache()


def _can_be_made(folder: Path) -> bool:
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return os.access(there, os.W_OK | os.X_OK)


@functools.cache
def _passing_cache() -> Path:
    """A folder of this process; nobody else can have put something into it."""
    import atexit
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix="parclose-cache-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def board_folders(layout: Path) -> list[Path]:
    """Where a board's bare name is looked for, in order: beside the layout, `$PARCLOSE_BOARDS`, shipped."""
    extra = os.environ.get("PARCLOSE_BOARDS", "")
    return [layout.parent / "boards", *map(Path, filter(None, extra.split(os.pathsep))), data("boards")]

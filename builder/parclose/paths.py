# SPDX-License-Identifier: Apache-2.0
"""The one place that knows where the tool's own files and its cache are."""

from __future__ import annotations

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
    """The folder for cached objects: `$XDG_CACHE_HOME/parclose`, else `~/.cache/parclose`. Not made here."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "parclose"


def board_folders(layout: Path) -> list[Path]:
    """Where a board's bare name is looked for, in order: beside the layout, `$PARCLOSE_BOARDS`, shipped."""
    extra = os.environ.get("PARCLOSE_BOARDS", "")
    return [layout.parent / "boards", *map(Path, filter(None, extra.split(os.pathsep))), data("boards")]

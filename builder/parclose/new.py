# SPDX-License-Identifier: Apache-2.0
"""`parclose new`: a copy of the shortest example that teaches."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from parclose import paths
from parclose.errors import ParcloseError, UsageError


def create(folder: Path) -> list[str]:
    """Make `folder` and return its files' names. Written beside and renamed: there is all of it, or nothing.

    Raises `UsageError` when something of that name exists, `ParcloseError` and `OSError` when it cannot be written.
    """
    if str(folder) in ("", ".") or folder.name == "..":
        raise UsageError(f"'{folder}' names no new directory", "parclose new mything")
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder} exists already", "choose another name, or remove it first")
    if not folder.parent.is_dir():
        raise UsageError(f"there is no directory {folder.parent} to make '{folder.name}' in")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".parclose-new-") as beside:
        copy = Path(beside, folder.name)
        unwanted = shutil.ignore_patterns("build", "__pycache__", ".*")
        shutil.copytree(paths.data("examples", "hello"), copy, ignore=unwanted)
        if not (copy / "layout.yaml").is_file():
            raise ParcloseError("the installation is not whole: examples/hello/layout.yaml is missing from it")
        for made in (copy, *copy.rglob("*")):
            made.chmod(0o755 if made.is_dir() else 0o644)
        copy.rename(folder)
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())

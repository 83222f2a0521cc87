# SPDX-License-Identifier: Apache-2.0
"""Puts finished files in place: written beside, then renamed, so an interrupted build harms nothing."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from parclose.errors import ParcloseError

_OWN_FOLDERS = ("generated", "partitions")  # whatever else stands in them was left by an earlier build


def publish(out: Path, files: Mapping[str, bytes]) -> None:
    """Make `files` the contents of `out`, in their order; disks and other files there are left alone.

    Raises `ParcloseError` when the folder cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            for name, data in files.items():
                (beside / name).parent.mkdir(parents=True, exist_ok=True)
                (beside / name).write_bytes(data)
            _rename(beside, out, files)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as problem:
        raise ParcloseError(
            f"{out} cannot be written: {problem.strerror}", "choose another folder with -o"
        ) from problem


def _rename(beside: Path, out: Path, files: Mapping[str, bytes]) -> None:
    for folder in _OWN_FOLDERS:
        for old in sorted((out / folder).glob("*")):
            if f"{folder}/{old.name}" not in files:
                old.unlink()
    for name in files:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(beside / name, out / name)


def json_bytes(document: dict[str, Any]) -> bytes:
    """`document` as a reader and a program both like it."""
    return (json.dumps(document, indent=2) + "\n").encode()

# SPDX-License-Identifier: Apache-2.0
"""Puts finished files in place: written beside, then renamed, so an interrupted build harms nothing.

The folder beside is locked while its build lives. One without a lock was left by a killed build; the next removes it.
"""

from __future__ import annotations

import fcntl
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from parclose.errors import ParcloseError, UsageError

_OWN_FOLDERS = ("generated", "partitions")  # what else stands in them, of our kinds, was left by an earlier build


def publish(out: Path, files: Mapping[str, bytes]) -> None:
    """Make `files` the contents of `out`, in their order; disks and other files there are left alone.

    Raises `ParcloseError` when the folder cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove_left_over(out)
        with _folder_beside(out) as beside:
            for name, data in files.items():
                (beside / name).parent.mkdir(parents=True, exist_ok=True)
                (beside / name).write_bytes(data)
            _rename(beside, out, files)
    except OSError as problem:
        raise ParcloseError(
            f"{out} cannot be written: {problem.strerror}", "choose another folder with -o"
        ) from problem


def must_be_ours(out: Path, files: Mapping[str, bytes], mark: str, also: tuple[str, ...] = ()) -> None:
    """Raise `UsageError` where `files`, or the removal of what is old, would cost somebody a file of their own.

    A folder with `mark` is an earlier result. Another build that is under way there writes the same bytes: no harm.
    """
    if (out / mark).exists():
        return
    wanted = [out / name for name in (*files, *also)]
    own = [path for folder in _OWN_FOLDERS for path in sorted((out / folder).glob("*"))]
    for path in [*own, *wanted]:
        name = str(path.relative_to(out))
        if os.path.lexists(path) and not (name in files and path.is_file() and path.read_bytes() == files[name]):
            raise UsageError(f"{out} holds {name}, and no earlier {mark}: it is not ours", "name a new folder with -o")


@contextmanager
def _folder_beside(out: Path) -> Iterator[Path]:
    """A new folder, locked, and removed in the end."""
    while True:
        beside = Path(tempfile.mkdtemp(prefix=_prefix(out), dir=out.parent))
        lock = _lock(beside, fcntl.LOCK_EX)
        if beside.exists():
            break
        _unlock(lock)  # before it was locked, another build took it for left over
    try:
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        _unlock(lock)


def _remove_left_over(out: Path) -> None:
    for beside in out.parent.glob(f"{glob.escape(_prefix(out))}*"):
        lock = _lock(beside, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if lock is not None:
            shutil.rmtree(beside, ignore_errors=True)
        _unlock(lock)


def _prefix(out: Path) -> str:
    return f".{out.name}.parclose-"


def _lock(folder: Path, how: int) -> int | None:
    """The descriptor that holds the lock of `folder`, or None: another has it, or this file system has no locks."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, how)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _rename(beside: Path, out: Path, files: Mapping[str, bytes]) -> None:
    for folder in _OWN_FOLDERS:
        for old in sorted((out / folder).glob("*")):
            kinds = {Path(name).suffix for name in files if name.startswith(f"{folder}/")}
            if f"{folder}/{old.name}" not in files and old.suffix in kinds and not old.is_dir():
                old.unlink()
    for name in files:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(beside / name, out / name)


def json_bytes(document: dict[str, Any]) -> bytes:
    """`document` as a reader and a program both like it."""
    return (json.dumps(document, indent=2) + "\n").encode()

# SPDX-License-Identifier: Apache-2.0
"""Writes a disk's bytes to a device: refuses the wrong device, asks, writes, flushes, reads back and compares.

All that touches a device goes through `Target`, so that one that fails, lies or disappears can be played in a test.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from parclose import gpt
from parclose.errors import DeviceRefused, ParcloseError, UsageError

_BAR = 40  # characters
CHUNK = 1 << 20  # bytes written or read at once
Progress = Callable[[str, int, int], None]  # what is done, bytes of it that are done, bytes in all


@dataclass(frozen=True)
class Facts:
    """What is known of a target before it is touched. Sizes in bytes; "" where the device does not say.

    `uses` says who uses it now, `contents` what stands on it. `identity` differs when another device has come in its
    place. `plain` is a file: it needs no serial number, and grows.
    """

    path: str
    identity: str
    size: int
    block: bool = True
    whole: bool = True
    removable: bool = False
    read_only: bool = False
    sector: int = gpt.SECTOR
    model: str = ""
    serial: str = ""
    uses: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    plain: bool = False


class Target(Protocol):
    """A device or a file. All but `facts` need it open; all raise `OSError` where the device fails."""

    def facts(self) -> Facts:
        """What it is, looked up anew each time."""

    def open(self) -> None:
        """Take it for writing, for nobody else."""

    def write(self, offset: int, data: bytes) -> int:
        """Write at `offset`; returns how many bytes of `data` were taken."""

    def flush(self) -> None:
        """Return when all is on the medium, and forget what is remembered of it: reads come from there."""

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`."""

    def close(self) -> None:
        """Give it back. Any number of times."""


@dataclass(frozen=True)
class Wish:
    """What the user allows: the serial number given, and whether a disk that is fixed may be meant."""

    serial: str | None = None
    fixed_disk: bool = False


def load(image: Path) -> bytes:
    """The disk in the file `image`, or in the build's folder of that name. Raises `UsageError`, `ParcloseError`."""
    file = image / gpt.NAME if image.is_dir() else image
    hint = "make one: parclose build --format disk LAYOUT"
    if not file.is_file():
        raise UsageError(f"there is no file {file}", hint)
    content = file.read_bytes()
    if not gpt.has_table(content[: 2 * gpt.SECTOR]) or len(content) % gpt.SECTOR:
        raise ParcloseError(f"{file} is no disk: it does not begin with a GUID partition table", hint)
    return content


def describe(facts: Facts) -> list[str]:
    """What a person wants to see before a device is overwritten, a line each."""
    kind = "removable" if facts.removable else "fixed"
    return [
        f"device:  {facts.path}, {kind}{', read-only' if facts.read_only else ''}",
        f"model:   {facts.model or 'not said'}",
        f"serial:  {facts.serial or 'not said'}",
        f"size:    {facts.size:,} bytes",
        *(f"on it:   {content}" for content in facts.contents),
        *(f"in use:  {use}" for use in facts.uses),
    ]


def check(facts: Facts, needed: int, wish: Wish) -> None:
    """Raise `DeviceRefused` for a target that `needed` bytes must not or cannot be written to."""
    if facts.plain:
        return
    for wrong, why, hint in _rules(facts, needed, wish):
        if wrong:
            raise DeviceRefused(f"{facts.path} is refused: {why}", hint)


def _rules(facts: Facts, needed: int, wish: Wish) -> list[tuple[bool, str, str]]:
    wrong_serial = wish.serial is not None and (not facts.serial or wish.serial != facts.serial)
    said = f"the serial number '{facts.serial}'" if facts.serial else "no serial number"
    return [
        (not facts.block, "it is no block device", "to write a plain file, say --to-file"),
        (not facts.whole, "it is a part of a disk, and the image is a whole one", "name the disk itself"),
        (bool(facts.uses), f"it is in use: {', '.join(facts.uses)}", "unmount it, and be sure that it is the one"),
        (facts.read_only, "it is read-only", "some cards and sticks have a switch"),
        (facts.sector != gpt.SECTOR, f"its sectors have {facts.sector} bytes, and the image's 512", ""),
        (facts.size < needed, f"it is too small: {facts.size:,} bytes, and the image has {needed:,}", ""),
        (not (facts.removable or wish.fixed_disk), "it is a fixed disk", "if that is meant, say --fixed-disk"),
        (wrong_serial, f"it has {said}, not '{wish.serial}'", "look again which device is which"),
    ]


def confirm(facts: Facts, wish: Wish, ask: Callable[[str], str] | None) -> None:
    """Be sure that this device is meant: by the serial number given, or typed. `ask` is None where nobody can be asked.

    Raises `DeviceRefused`, and `UsageError` where it has to be said on the command line and was not.
    """
    if facts.plain or wish.serial is not None:
        return
    if ask is None:
        way = (
            f"say --yes-serial '{facts.serial}'" if facts.serial else "it has no serial number: run this on a terminal"
        )
        raise UsageError(f"{facts.path} would be overwritten, and nobody is there to confirm it", way)
    word = facts.serial or facts.path
    if ask(f"all that is on it will be lost; to go on, type {word}: ").strip() != word:
        raise DeviceRefused(f"{facts.path}: not confirmed, nothing was written")


def write(target: Target, content: bytes, expected: Facts, progress: Progress) -> None:
    """Write `content` to `target`, which must still be `expected`, and compare what is read back.

    Its first part is wiped at the start and written last: what was cut off does not look like a disk that boots. Raises
    `DeviceRefused` for everything that the device does wrong.
    """
    with _Steps(expected.path) as step:
        step.does = "taking it"
        try:
            target.open()
            if target.facts().identity != expected.identity:
                raise DeviceRefused(f"{expected.path} is another device now than a moment ago: nothing was written")
            step.does, step.begun = "writing", True
            _write(target, content, progress)
            step.does = "flushing"
            target.flush()
            step.does = "reading back"
            _compare(target, content, expected.path, progress)
        finally:
            target.close()


def bar(stream: TextIO) -> Progress:
    """Shows progress on `stream` where that is a terminal, and nowhere else."""
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        return lambda does, done, whole: None

    def show(does: str, done: int, whole: int) -> None:
        full = done * _BAR // whole
        end = "\n" if done == whole else ""
        stream.write(f"\r{does:<12} [{'#' * full:<{_BAR}}] {done * 100 // whole:3} % of {whole >> 20} MiB{end}")
        stream.flush()

    return show


class _Steps:
    """Turns what the system says of a device that fails into what a person needs: which step, and how it is left."""

    def __init__(self, path: str) -> None:
        self.path, self.does, self.begun = path, "", False

    def __enter__(self) -> _Steps:
        return self

    def __exit__(self, _: object, problem: BaseException | None, __: object) -> None:
        if isinstance(problem, OSError):
            state = "what is on it now is not whole" if self.begun else "nothing was written"
            why = problem.strerror or str(problem) or "it took no more bytes"
            raise DeviceRefused(f"{self.path}: {self.does} failed: {why}; {state}") from problem


def _write(target: Target, content: bytes, progress: Progress) -> None:
    _write_all(target, 0, bytes(min(CHUNK, len(content))))
    for offset in [*range(CHUNK, len(content), CHUNK), 0]:
        if offset == 0:
            target.flush()
        _write_all(target, offset, content[offset : offset + CHUNK])
        progress("writing", min(offset or len(content), len(content)), len(content))


def _write_all(target: Target, offset: int, data: bytes) -> None:
    done = 0
    while done < len(data):
        count = target.write(offset + done, data[done:])
        if count <= 0:
            raise OSError
        done += count


def _compare(target: Target, content: bytes, path: str, progress: Progress) -> None:
    for offset in range(0, len(content), CHUNK):
        part = content[offset : offset + CHUNK]
        found = _read_all(target, offset, len(part))
        if found != part:
            place = next((at for at, (a, b) in enumerate(zip(part, found, strict=False)) if a != b), len(found))
            raise DeviceRefused(
                f"{path}: what was read back differs from what was written, first at byte {offset + place:,}",
                "it is broken, or smaller than it says; do not boot from it",
            )
        progress("reading back", offset + len(part), len(content))


def _read_all(target: Target, offset: int, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = target.read(offset + len(found), size - len(found))
        if not more:
            break
        found += more
    return found

# SPDX-License-Identifier: Apache-2.0
"""The FAT file of examples/web on the host, under sanitizers: read by dosfstools and mtools, stopped at every write."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from parclose import paths
from test_host_runtime import FLAGS, HOST

WEB = paths.data("examples", "web")
CAPACITY = 9 << 20  # a little above what makes FAT16 of it
ALL = 1 << 30  # writes
TEXT = 700  # bytes: three make a cluster of 2 KiB and a part
# What a look finds where somebody was stopped: none of it takes a byte from a file.
HARMLESS = (
    "Reclaimed",
    "FATs differ",
    "Truncating",
    "File size is",
    "/LOG.TXT",
    "Using first FAT",
    "fsck.fat",
    "Checking",
)

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")


@dataclass(frozen=True)
class Volume:
    """A file of the host as a disk."""

    file: Path
    program: Path

    def append(self, first: int, count: int, size: int = TEXT, writes: int = ALL) -> tuple[bool, int, int]:
        """Whether it could be opened, how many texts were taken, and the file's size then."""
        words = [self.program, self.file, str(writes), str(first), str(count), str(size)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        opened, taken, length = done.stdout.split()
        return opened == "open", int(taken), int(length)

    def text(self) -> bytes:
        """LOG.TXT as mtools reads it."""
        return subprocess.run(["mtype", "-i", self.file, "::LOG.TXT"], capture_output=True, check=True).stdout

    def fsck(self, *how: str) -> subprocess.CompletedProcess[str]:
        """What dosfstools says; with "-n" nothing is changed, with "-a" mended."""
        environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
        return subprocess.run(
            ["fsck.fat", *how, self.file], capture_output=True, text=True, env=environment, check=False
        )


def compiled(folder: Path, change: tuple[str, str] = ("", "")) -> Path:
    """The program; with the first text of `change` replaced by the second in fat.c."""
    source = (WEB / "fat.c").read_text()
    assert not change[0] or source.count(change[0]) == 1
    (folder / "fat.c").write_text(source.replace(*change) if change[0] else source)
    words = ["gcc", *FLAGS, "-iquote", WEB, HOST / "web_fat.c", folder / "fat.c", "-o", folder / "web_fat"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "web_fat"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("fat"))


def maker(program: Path, folder: Path) -> Callable[[], Volume]:
    """A function that makes a new volume, of zeros."""

    def make() -> Volume:
        with open(folder / "volume", "wb") as file:
            file.truncate(CAPACITY)
        return Volume(folder / "volume", program)

    return make


@pytest.fixture
def volume(program: Path, tmp_path: Path) -> Callable[[], Volume]:
    return maker(program, tmp_path)


def texts(count: int, size: int = TEXT) -> bytes:
    return b"".join(bytes([ord("a") + number % 26]) * size for number in range(count))


@pytest.mark.parametrize("size", [1, 511, 512, 513, 2047, 2048, 2049, 100_000])
def test_others_read_what_was_appended_in_many_lives(volume: Callable[[], Volume], size: int) -> None:
    ours = volume()
    for life in range(4):
        assert ours.append(life * 2, 2, size) == (True, 2, (life + 1) * 2 * size)
        assert ours.text() == texts(life * 2 + 2, size)
        assert ours.fsck("-n").returncode == 0


def writes_of_a_whole_run(make: Callable[[], Volume], count: int) -> int:
    """The fewest writes with which all of `count` texts are taken."""
    low, high = 0, 1000
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if make().append(0, count, writes=middle)[1] == count else (middle + 1, high)
    return low


def stop_at_every_write(make: Callable[[], Volume], count: int) -> None:
    whole = make()
    assert whole.append(0, count)[1] == count and whole.fsck("-n").returncode == 0
    needed = writes_of_a_whole_run(make, count)
    made = writes_of_a_whole_run(make, 1) - 8  # about where the volume is finished
    for writes in [0, 1, made // 2, *range(made, needed)]:
        ours = make()
        opened, taken, _ = ours.append(0, count, writes=writes)
        assert taken < count
        if opened:
            look(ours, taken)
        assert ours.append(taken, count - taken) == (True, count - taken, count * TEXT)
        assert ours.text() == texts(count)
        assert ours.fsck("-a").returncode in (0, 1) and ours.fsck("-n").returncode == 0
        assert ours.text() == texts(count)


def test_stopped_at_any_write_it_keeps_what_it_had(volume: Callable[[], Volume]) -> None:
    """What was taken is there, nothing is there by half, others can mend the rest, and the next life goes on."""
    stop_at_every_write(volume, 6)


WRONG = {
    "directory first": ("    size -= piece;\n", "    size -= piece;\n    put_entry(file, NULL);\n"),
    "one table only": (" && store(file, place + file->fat_sectors);", ";"),
    "nothing linked": ("(file->last && !table_put(file, file->last, cluster))", "false"),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_wrong_order_would_be_noticed(change: tuple[str, str], tmp_path: Path) -> None:
    wrong = maker(compiled(tmp_path, change), tmp_path)
    with pytest.raises((AssertionError, subprocess.CalledProcessError)):
        stop_at_every_write(wrong, 6)


def look(ours: Volume, taken: int) -> None:
    found = ours.text()
    assert found in (texts(taken), texts(taken + 1))  # stopped between the last write and its answer
    said = [line for line in ours.fsck("-n").stdout.splitlines() if not re.match(r"\s*$|Leaving|.*: \d+ files", line)]
    assert all(any(word in line for word in HARMLESS) for line in said), said


def test_a_full_volume_takes_no_half_text(volume: Callable[[], Volume]) -> None:
    ours = volume()
    opened, taken, size = ours.append(0, 1000, 100_000)
    assert opened and 90 < taken < 95 and size == taken * 100_000 and ours.text() == texts(taken, 100_000)
    assert ours.append(0, 1, 1)[1] in (0, 1)
    assert ours.fsck("-a").returncode in (0, 1) and ours.fsck("-n").returncode == 0
    assert ours.text()[:size] == texts(taken, 100_000)


@pytest.mark.parametrize(
    ("place", "bytes_there"),
    [(0, b"somebody's"), (11, b"\0\4"), (13, b"\0"), (16, b"\1"), (22, b"\1\0"), (510, b"\0"), (512 + 4, b"\1\0")],
    ids=["other", "sector", "cluster", "tables", "short table", "mark", "chain"],
)
def test_what_it_does_not_understand_is_left_alone(
    volume: Callable[[], Volume], place: int, bytes_there: bytes
) -> None:
    """A volume with one field changed: no sector of it is written."""
    ours = volume()
    assert ours.append(0, 4)[1] == 4
    data = bytearray(ours.file.read_bytes())
    data[place : place + len(bytes_there)] = bytes_there
    ours.file.write_bytes(data)
    assert ours.append(4, 1)[:2] == (False, 0)
    assert ours.file.read_bytes() == data


def test_it_lives_with_files_of_others(volume: Callable[[], Volume], tmp_path: Path) -> None:
    """A host puts a file beside; neither takes a cluster of the other's."""
    ours = volume()
    assert ours.append(0, 3)[1] == 3
    (tmp_path / "theirs").write_bytes(os.urandom(50_000))
    subprocess.run(["mcopy", "-i", ours.file, tmp_path / "theirs", "::THEIRS.BIN"], check=True)
    assert ours.append(3, 100)[1] == 100
    copied = subprocess.run(["mtype", "-i", ours.file, "::THEIRS.BIN"], capture_output=True, check=True).stdout
    assert copied == (tmp_path / "theirs").read_bytes() and ours.text() == texts(103)
    assert ours.fsck("-n").returncode == 0

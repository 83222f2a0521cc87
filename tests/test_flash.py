# SPDX-License-Identifier: Apache-2.0
"""Writing to a device: wrong ones are refused, what fails or lies is found out, and nothing is written unasked."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pexpect
import pytest

from parclose import block_device, cli, flash, gpt
from parclose.errors import DeviceRefused, ParcloseError, UsageError
from parclose.flash import CHUNK, Facts, Wish

SIZE = 3 * CHUNK + 512


def quiet(does: str, done: int, whole: int) -> None:
    """No progress."""


@pytest.fixture(scope="module")
def image() -> bytes:
    """A disk with a table, of more than three chunks, and no two sectors alike."""
    content = b"".join(bytes([place % 251]) + place.to_bytes(511, "little") for place in range(2 * 2048))
    made = gpt.disk(UUID(int=1), b"", [gpt.Partition("x", gpt.SYSTEM, UUID(int=2), content)])
    assert len(made) > SIZE
    return made


class Model:
    """A device in memory. `misdoes` gets the step's name and its offset, and may raise or change what it gives."""

    def __init__(self, size: int, misdoes: Callable[[str, int], bytes | int | None] | None = None) -> None:
        self.now = Facts("/dev/model", "model 1", size, removable=True, model="Model", serial="M-1")
        self.content = bytearray(b"\xaa" * size)
        self.misdoes = misdoes or (lambda step, offset: None)
        self.steps: list[str] = []

    def _does(self, step: str, offset: int = 0) -> bytes | int | None:
        self.steps.append(step)
        return self.misdoes(step, offset)

    def facts(self) -> Facts:
        return self.now

    def open(self) -> None:
        self._does("open")

    def write(self, offset: int, data: bytes) -> int:
        taken = self._does("write", offset)
        count = taken if isinstance(taken, int) else len(data)
        self.content[offset : offset + count] = data[:count]
        return count

    def flush(self) -> None:
        self._does("flush")

    def read(self, offset: int, size: int) -> bytes:
        given = self._does("read", offset)
        return given if isinstance(given, bytes) else bytes(self.content[offset : offset + size])

    def close(self) -> None:
        self._does("close")


def fails(at: str, number: int, after: int = 0) -> Callable[[str, int], None]:
    def misdoes(step: str, offset: int) -> None:
        if step == at and offset >= after:
            raise OSError(number, os.strerror(number))

    return misdoes


def written(image: bytes, model: Model) -> None:
    flash.write(model, image, model.facts(), quiet)


def test_all_is_written_flushed_and_read_back(image: bytes) -> None:
    model = Model(len(image) + CHUNK)
    written(image, model)
    assert model.content[: len(image)] == image and set(model.content[len(image) :]) == {0xAA}
    last_write = len(model.steps) - model.steps[::-1].index("write")
    assert model.steps[last_write] == "flush" and "read" not in model.steps[:last_write]
    assert model.steps[-1] == "close"


def test_a_device_that_takes_little_at_a_time(image: bytes) -> None:
    model = Model(len(image), lambda step, offset: 65536 if step == "write" else None)
    written(image, model)
    assert model.content == image


@pytest.mark.parametrize(
    ("misdoes", "said"),
    [
        (fails("open", errno.EBUSY), "taking it failed: Device or resource busy; nothing was written"),
        (fails("write", errno.EIO, CHUNK), "writing failed: Input/output error; what is on it now is not whole"),
        (fails("write", errno.ENOSPC, 2 * CHUNK), "writing failed: No space left on device"),
        (fails("write", errno.ENODEV, 2 * CHUNK), "writing failed: No such device"),
        (fails("flush", errno.EIO), "writing failed: Input/output error"),
        (fails("read", errno.ENXIO, CHUNK), "reading back failed: No such device or address"),
        (lambda step, offset: 0 if step == "write" else None, "writing failed: it took no more bytes"),
        (lambda step, offset: b"" if step == "read" else None, "differs from what was written, first at byte 0"),
        (lambda step, offset: b"\x55" * 9 if step == "read" and offset else None, "first at byte 1,048,576"),
    ],
)
def test_a_device_that_fails(image: bytes, misdoes: Callable[[str, int], bytes | int | None], said: str) -> None:
    model = Model(len(image), misdoes)
    with pytest.raises(DeviceRefused) as refused:
        written(image, model)
    assert said in refused.value.message and refused.value.exit_code == 5
    assert model.steps[-1] == "close"


@pytest.mark.parametrize("place", [0, CHUNK - 1, CHUNK, 2 * CHUNK + 77])
def test_a_device_that_changes_one_bit(image: bytes, place: int) -> None:
    model = Model(len(image))

    def lies(step: str, offset: int) -> None:
        if step == "flush":
            model.content[place] ^= 4

    # the first of two flushes comes before the first chunk is written: change nothing that is written later
    model.misdoes = lambda step, offset: lies(step, offset) if model.steps.count("flush") == 2 else None
    with pytest.raises(DeviceRefused, match=f"first at byte {place:,}"):
        written(image, model)


def test_a_device_smaller_than_it_says(image: bytes) -> None:
    """As false sticks do: addresses wrap, so late writes land on early ones."""
    model = Model(len(image))
    true = bytearray(2 * CHUNK)

    class Wraps(Model):
        def write(self, offset: int, data: bytes) -> int:
            true[offset % len(true) : offset % len(true) + len(data)] = data
            return len(data)

        def read(self, offset: int, size: int) -> bytes:
            return bytes(true[offset % len(true) : offset % len(true) + size])

    wraps = Wraps(len(image))
    wraps.now = model.now
    with pytest.raises(DeviceRefused, match="differs from what was written") as refused:
        written(image, wraps)
    assert "smaller than it says" in refused.value.hint


def test_a_write_that_was_cut_off_leaves_nothing_that_looks_like_a_disk(image: bytes) -> None:
    for after in (CHUNK, 2 * CHUNK):
        model = Model(len(image), fails("write", errno.EIO, after))
        model.content[: len(image)] = image
        with pytest.raises(DeviceRefused):
            written(image, model)
        assert not gpt.has_table(bytes(model.content[:1024]))


def test_another_device_in_its_place_is_not_written(image: bytes) -> None:
    model = Model(len(image))
    before = model.facts()
    model.now = replace(before, identity="model 2")
    with pytest.raises(DeviceRefused, match="another device now"):
        flash.write(model, image, before, quiet)
    assert "write" not in model.steps and model.steps[-1] == "close"


GOOD = Facts("/dev/model", "model 1", SIZE, removable=True, serial="M-1")
WRONG = {
    "no block device": (replace(GOOD, block=False), Wish("M-1"), "it is no block device"),
    "a part": (replace(GOOD, whole=False), Wish("M-1"), "it is a part of a disk"),
    "in use": (replace(GOOD, uses=("sdb1 is mounted at /media/x",)), Wish("M-1"), "sdb1 is mounted at /media/x"),
    "too small": (replace(GOOD, size=SIZE - 512), Wish("M-1"), "it is too small: 3,145,728 bytes"),
    "fixed": (replace(GOOD, removable=False), Wish("M-1"), "it is a fixed disk"),
    "another serial": (GOOD, Wish("M-2"), "it has the serial number 'M-1', not 'M-2'"),
    "no serial": (replace(GOOD, serial=""), Wish(""), "it has no serial number, not ''"),
    "read-only": (replace(GOOD, read_only=True), Wish("M-1"), "it is read-only"),
    "large sectors": (replace(GOOD, sector=4096), Wish("M-1"), "its sectors have 4096 bytes"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_target_is_refused(case: str) -> None:
    facts, wish, said = WRONG[case]
    with pytest.raises(DeviceRefused) as refused:
        flash.check(facts, SIZE, wish)
    assert said in refused.value.message and refused.value.exit_code == 5
    flash.check(GOOD, SIZE, Wish("M-1"))  # without the defect it is not


def test_a_fixed_disk_that_is_meant() -> None:
    flash.check(replace(GOOD, removable=False), SIZE, Wish("M-1", fixed_disk=True))


def test_it_is_confirmed_by_serial_number_or_typed_or_not_at_all() -> None:
    flash.confirm(GOOD, Wish("M-1"), None)
    flash.confirm(GOOD, Wish(), lambda question: "M-1\n")
    flash.confirm(replace(GOOD, serial=""), Wish(), lambda question: "/dev/model\n")
    for answer in ("", "y\n", "yes\n", "m-1\n"):
        with pytest.raises(DeviceRefused, match="not confirmed, nothing was written"):
            flash.confirm(GOOD, Wish(), lambda question, answer=answer: answer)
    with pytest.raises(UsageError) as nobody:
        flash.confirm(GOOD, Wish(), None)
    assert nobody.value.hint == "say --yes-serial 'M-1'"


def test_the_bar_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    shown, hidden = Terminal(), io.StringIO()
    for stream in (shown, hidden):
        progress = flash.bar(stream)
        progress("writing", 1 << 20, 2 << 20)
        progress("writing", 2 << 20, 2 << 20)
    assert hidden.getvalue() == ""
    assert shown.getvalue().count("\r") == 2 and shown.getvalue().endswith("100 % of 2 MiB\n")


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = cli.main(["flash", *map(str, words)])
    return code, *capsys.readouterr()


def test_a_plain_file(image: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / gpt.NAME).write_bytes(image)
    (tmp_path / "old").write_bytes(bytes(2 * len(image)))
    for name in ("new", "old"):
        code, out, _ = run(capsys, tmp_path, tmp_path / name, "--to-file")
        assert code == 0 and "written, read back and equal" in out
        assert (tmp_path / name).read_bytes() == image


def test_what_is_no_device_or_no_image(image: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    disk, plain = tmp_path / gpt.NAME, tmp_path / "plain"
    disk.write_bytes(image)
    plain.write_bytes(b"precious")
    assert run(capsys, disk, plain)[0] == 5
    assert run(capsys, disk, "/dev/null", "--yes-serial", "x")[0] == 5
    assert run(capsys, disk, "/dev/null", "--to-file")[0] == 5
    assert run(capsys, disk, tmp_path, "--to-file")[0] == 5
    assert run(capsys, disk, tmp_path / "none")[0] == 2
    assert run(capsys, disk, disk, "--to-file")[0] == 2
    assert run(capsys, tmp_path / "none", plain, "--to-file")[0] == 2
    assert run(capsys, plain, tmp_path / "other", "--to-file")[0] == 1
    assert plain.read_bytes() == b"precious" and disk.read_bytes() == image and not (tmp_path / "other").exists()


def losetup(*words: str | Path) -> str:
    return subprocess.run(["losetup", *words], capture_output=True, text=True, check=True, timeout=20).stdout.strip()


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """A function (size, *words) that makes a loop device; skips where there are none."""
    made: list[Path] = []

    def make(size: int, *words: str) -> Path:
        backing = tmp_path / f"backing{len(made)}"
        backing.write_bytes(b"\xaa" * size)
        try:
            made.append(Path(losetup("--find", "--show", *words, backing)))
        except (OSError, subprocess.CalledProcessError) as problem:
            pytest.skip(f"no loop device: {problem}")
        return made[-1]

    yield make
    for device in made:
        losetup("-d", device)


def test_a_loop_device(image: bytes, tmp_path: Path, loop: Callable[..., Path]) -> None:
    device = loop(len(image) + CHUNK)
    (tmp_path / gpt.NAME).write_bytes(image)
    command = f"parclose flash {tmp_path} {device} --fixed-disk"
    child = pexpect.spawn(sys.executable, ["-m", *command.split()], encoding="utf-8", timeout=30, dimensions=(24, 200))
    child.expect("on it: .*data of an unknown kind")
    child.expect_exact(f"to go on, type {device}: ")
    child.sendline(str(device))
    child.expect("writing .*100 %")
    child.expect("reading back .*100 %")
    child.expect("written, read back and equal")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert device.read_bytes() == image + b"\xaa" * CHUNK


def test_loop_devices_that_are_refused(
    image: bytes, tmp_path: Path, loop: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / gpt.NAME).write_bytes(image)
    device, small, fixed = loop(len(image)), loop(len(image) - 512), ("--fixed-disk",)
    assert "it is a fixed disk" in run(capsys, tmp_path, device)[2]
    assert "it is too small" in run(capsys, tmp_path, small, *fixed)[2]
    assert "it is read-only" in run(capsys, tmp_path, loop(len(image), "--read-only"), *fixed)[2]
    assert "it has no serial number, not 'x'" in run(capsys, tmp_path, device, *fixed, "--yes-serial", "x")[2]
    assert run(capsys, tmp_path, device, *fixed)[0] == 2  # nobody to confirm it
    holder = os.open(device, os.O_RDONLY | os.O_EXCL)  # as a mount in another namespace does
    target = block_device.BlockDevice(device)
    with pytest.raises(DeviceRefused, match="taking it failed: Device or resource busy; nothing was written"):
        flash.write(target, image, target.facts(), quiet)
    os.close(holder)
    assert set(device.read_bytes()) == {0xAA}


def test_a_mounted_loop_device_is_refused(
    image: bytes, tmp_path: Path, loop: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / gpt.NAME).write_bytes(image)
    device, place = loop(4 * len(image)), tmp_path / "place"
    place.mkdir()
    try:
        subprocess.run(["mkfs.ext4", "-q", device], capture_output=True, check=True, timeout=60)
        subprocess.run(["mount", device, place], capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.CalledProcessError) as problem:
        pytest.skip(f"nothing to mount: {problem}")
    try:
        code, _, said = run(capsys, tmp_path, device, "--fixed-disk")
        assert code == 5 and "on it:   an ext file system" in said
        assert f"it is in use: {device.name} is mounted at {place}" in said
    finally:
        subprocess.run(["umount", place], check=True, timeout=60)


def test_no_table_is_no_disk(tmp_path: Path) -> None:
    (tmp_path / "image.elf").write_bytes(b"\x7fELF" + bytes(2000))
    with pytest.raises(ParcloseError, match="is no disk"):
        flash.load(tmp_path / "image.elf")

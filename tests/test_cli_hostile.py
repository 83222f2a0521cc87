# SPDX-License-Identifier: Apache-2.0
"""The command line where files, names and streams are not what one expects."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from test_cli import PARCLOSE, layout, parclose

__all__ = ["layout"]  # a fixture


@pytest.mark.parametrize("verb", ["check", "build", "run", "sdk"])
def test_an_image_in_place_of_a_layout_is_2(tmp_path: Path, verb: str) -> None:
    (tmp_path / "image.elf").write_bytes(b"\x7fELF" + bytes(1 << 20))
    done = parclose(verb, str(tmp_path / "image.elf"), *(["-o", str(tmp_path / "kit")] if verb == "sdk" else []))
    assert done.returncode == 2 and "no layout" in done.stderr


def test_an_image_that_never_ends_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for image in ("/dev/zero", str(tmp_path / "pipe")):
        done = parclose("inspect", image)
        assert done.returncode == 1 and "no regular file" in done.stderr


@pytest.mark.parametrize("verb", ["check", "build"])
def test_a_layout_whose_name_is_not_utf8_is_2(layout: Path, verb: str) -> None:
    odd = os.fsencode(layout.parent) + b"/\xff.yaml"
    os.rename(layout, odd)
    done = parclose(verb, odd)
    assert done.returncode == 2 and "not UTF-8" in done.stderr


def test_a_folder_whose_name_is_not_utf8_is_built_in(layout: Path) -> None:
    folder = os.fsencode(layout.parent) + b"/\xff"
    os.mkdir(folder)
    for name in (b"good.yaml", b"hello.c"):
        os.rename(os.fsencode(layout.parent) + b"/" + name, folder + b"/" + name)
    for _ in range(2):  # the second one from the cache
        assert parclose("build", "good.yaml", cwd=folder).returncode == 0


def test_a_mistake_in_a_source_that_is_not_utf8_is_shown(layout: Path) -> None:
    layout.with_name("hello.c").write_bytes(b"int main(void) { return x; /* caf\xe9 */ }\n")
    done = parclose("build", str(layout), "-o", str(layout.parent / "out"))
    assert done.returncode == 1 and "hello.c:1:25: error" in done.stderr and "caf\\xe9" in done.stderr


def test_a_program_that_is_a_pipe_or_a_device_is_a_problem(layout: Path) -> None:
    source = layout.with_name("hello.c")
    source.unlink()
    os.mkfifo(source)
    assert "error[P050]" in parclose("check", str(layout)).stderr
    source.unlink()
    source.symlink_to("/dev/zero")
    done = parclose("build", str(layout))
    assert done.returncode == 1 and "error[P050]" in done.stderr and "a pipe, a device" in done.stderr


def test_build_beside_own_files_harms_none(layout: Path) -> None:
    folder = layout.parent
    (folder / "partitions").mkdir()
    (folder / "partitions" / "mine.elf").write_text("mine")
    (folder / "disk.img").write_text("mine")
    done = parclose("build", str(layout), "-o", str(folder))
    assert done.returncode == 2 and "partitions/mine.elf" in done.stderr and "not ours" in done.stderr
    assert sorted(each.name for each in folder.iterdir()) == sorted(
        ["bad.yaml", "disk.img", "good.yaml", "hello.c", "partitions"]
    )
    (folder / "partitions" / "mine.elf").unlink()
    assert "disk.img" in parclose("build", str(layout), "-o", str(folder)).stderr
    (folder / "disk.img").unlink()
    assert parclose("build", str(layout), "-o", str(folder)).returncode == 0
    (folder / "partitions" / "mine.c").write_text("mine")
    assert parclose("build", str(layout), "-o", str(folder)).returncode == 0
    assert (folder / "partitions" / "mine.c").read_text() == "mine"


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("verb", ["doctor", "explain"])
def test_a_full_disk_is_1_with_its_name(verb: str, unbuffered: str) -> None:
    with open("/dev/full", "w") as full:
        done = parclose(verb, stdout=full, env={**os.environ, "PYTHONUNBUFFERED": unbuffered})
    assert done.returncode == 1 and done.stderr == "error: No space left on device\n"


def test_messages_that_cannot_be_written_change_no_exit_code() -> None:
    words = " ".join(f"'{word}'" for word in [*PARCLOSE, "check"])
    done = subprocess.run(["/bin/sh", "-c", f"{words} 2>/dev/full"], env={**os.environ, "PYTHONUNBUFFERED": ""})
    assert done.returncode in (1, 2)


def test_nohup_is_honoured(layout: Path, tmp_path: Path) -> None:
    """A hang-up that was ignored when we started stays so."""
    script = (
        "import os, signal, sys; from parclose import __main__, cli\n"
        "cli.main = lambda words: os.kill(os.getpid(), signal.SIGHUP) or 7\nsys.exit(__main__.main())"
    )
    for ignored, code in ((signal.SIG_IGN, 7), (signal.SIG_DFL, 128 + signal.SIGHUP)):
        before = signal.signal(signal.SIGHUP, ignored)
        try:
            assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == code
        finally:
            signal.signal(signal.SIGHUP, before)

# SPDX-License-Identifier: Apache-2.0
"""builder/prepare.sh: what it says where something is missing, and that it is quiet where nothing is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "builder" / "prepare.sh"


def copy(folder: Path) -> Path:
    """The script in a tree of its own, where it can do no harm to the virtual environment that we run in."""
    (folder / "tree" / "builder").mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", folder / "tree")
    return Path(shutil.copy(SCRIPT, folder / "tree" / "builder"))


def bare_machine(folder: Path, user: int) -> dict[str, str]:
    """An environment in which only what every Debian has is found, and apt-get notes that it was called."""
    for name in ("sh", "dirname", "cksum", "head", "cat"):
        (folder / name).symlink_to(str(shutil.which(name)))
    for name, body in (("id", f"echo {user}"), ("apt-get", f'echo "$@" >>{folder}/calls; exit 1')):
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return {**os.environ, "PATH": str(folder)}


def test_an_ordinary_user_gets_the_one_line_and_3(tmp_path: Path) -> None:
    done = subprocess.run(
        [copy(tmp_path), "test"], env=bare_machine(tmp_path, 1000), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert len(done.stderr.splitlines()) == 1
    assert "as root: apt-get install --no-install-recommends -y" in done.stderr
    for package in (
        "gcc",
        "binutils",
        "qemu-system-x86",
        "clang-format",
        "cppcheck",
        "g++",
        "cmake",
        "pkg-config",
        "mtools",
        "curl",
    ):
        assert f" {package}" in done.stderr
    assert not (tmp_path / "calls").exists()


def test_a_run_needs_no_formatter(tmp_path: Path) -> None:
    done = subprocess.run(
        [copy(tmp_path), "run"], env=bare_machine(tmp_path, 1000), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 3 and "clang-format" not in done.stderr


def test_root_fetches_the_lists_only_when_packages_are_not_to_be_had_without(tmp_path: Path) -> None:
    done = subprocess.run(
        [copy(tmp_path), "test"], env=bare_machine(tmp_path, 0), capture_output=True, text=True, timeout=60
    )
    calls = [call.split()[0] for call in (tmp_path / "calls").read_text().splitlines()]
    assert done.returncode != 0 and calls == ["install", "update"]


def test_where_nothing_is_missing_it_says_so_in_a_line() -> None:
    done = subprocess.run([SCRIPT, "test"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "prepare: nothing to install\n", "")

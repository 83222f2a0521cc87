# SPDX-License-Identifier: Apache-2.0
"""Installed by strangers: the wheel alone, no checkout, a user without rights and with a read-only home."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from document import play

ROOT = Path(__file__).parent.parent
NOBODY = 65534
PYTEST_FILE = """
def test_hello(parclose_boot):
    machine = parclose_boot("mine/layout.yaml", timeout=60)
    machine.expect("hello from partition 'hello'")
    assert machine.finish().end("hello").status == 0
"""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Stranger:
    """A user who has a virtual environment with the wheel, a folder to work in, and nothing else."""

    place: Path
    distributions: Path

    @property
    def work(self) -> Path:
        return self.place / "work"

    @property
    def tool(self) -> Path:
        return self.place / "tool"

    @property
    def environment(self) -> dict[str, str]:
        return {"HOME": str(self.place / "home"), "PATH": f"{self.tool / 'bin'}:/usr/bin:/bin", "LANG": "C.UTF-8"}

    def run(self, *words: str, expect: int = 0) -> str:
        """Run a command as this user; what it printed."""
        done = subprocess.run(
            [*as_stranger(), *words],
            cwd=self.work,
            env=self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=400,
        )
        print(f"$ {shlex.join(words)}\n{done.stdout}{done.stderr}", end="")  # pytest -s shows it
        assert done.returncode == expect, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


@cache
def as_stranger() -> tuple[str, ...]:
    """Words before a command that take away root's rights, and the checkout where the kernel lets us hide it."""
    if os.geteuid() != 0:
        return ()
    # setpriv looks for its command with root's capabilities still; what env starts has none
    drop = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env")
    hide = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(ROOT), *drop)
    hidden = subprocess.run([*hide, "true"], capture_output=True, timeout=60).returncode == 0
    return hide if hidden else drop


def run(*words: str | Path, cwd: Path | None = None) -> None:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"{words}:\n{done.stdout}\n{done.stderr}"


def copy_of_checkout(folder: Path) -> Path:
    """What git knows or would add, in `folder`."""
    words = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def python_for_strangers() -> str:
    """A Python that another user can start and that makes virtual environments."""
    for candidate in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        words = [*as_stranger(), candidate, "-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"]
        if subprocess.run(words, cwd="/", capture_output=True, timeout=60).returncode == 0:
            return candidate
    return pytest.skip("no Python that an ordinary user can start: apt-get install python3-venv")


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that every user can enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="parclose-strangers-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def stranger(place: Path) -> Stranger:
    """Builds both distributions from a copy of the checkout, deletes the copy, installs the wheel."""
    checkout = copy_of_checkout(place / "checkout")
    run(sys.executable, "-m", "build", "--outdir", place / "dist", checkout, cwd=place)
    shutil.rmtree(checkout)
    run(python_for_strangers(), "-m", "venv", place / "tool")
    (wheel,) = (place / "dist").glob("*.whl")
    run(place / "tool/bin/python", "-m", "pip", "-q", "--disable-pip-version-check", "install", f"{wheel}[test]")
    for name, mode in (("work", 0o755), ("home", 0o555)):
        (place / name).mkdir()
        if os.geteuid() == 0:
            os.chown(place / name, NOBODY, NOBODY)
        (place / name).chmod(mode)
    return Stranger(place, place / "dist")


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    status = {str(file): file.stat() for file in folder.rglob("*") if file.is_file()}
    return {name: (each.st_size, each.st_mtime_ns) for name, each in status.items()}


def test_both_distributions_hold_what_they_should(stranger: Stranger) -> None:
    (wheel,), (source,) = (list(stranger.distributions.glob(f"*{end}")) for end in (".whl", ".tar.gz"))
    in_wheel = set(zipfile.ZipFile(wheel).namelist())
    data = "parclose/_data"
    wanted = ("monitor_asm/main.c", "abi/call.h", "partitions/kit/parclose.hpp", "templates/kit/parclose.pc.j2")
    assert {f"{data}/{name}" for name in (*wanted, "boards/qemu-q35.yaml", "examples/hello/hello.c")} <= in_wheel
    assert "parclose/testing/targets.py" in in_wheel and not any(name.startswith("tests/") for name in in_wheel)
    with tarfile.open(source) as archive:
        in_source = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Makefile", "docs/tutorial.md", "tests/test_strangers.py", "builder/prepare.sh", "LICENSE"} <= in_source


def test_a_stranger_goes_the_whole_way(stranger: Stranger) -> None:
    before = listing(stranger.tool)
    assert "mine/layout.yaml" in stranger.run("parclose", "new", "mine")
    stranger.run("parclose", "build", "mine/layout.yaml", "-o", "out")
    assert "hello from partition" in stranger.run("parclose", "run", "out", "--until", "hello from", "--timeout", "60")
    assert "rows and finished tables agree" in stranger.run("parclose", "inspect", "out/image.elf")
    (stranger.work / "test_mine.py").write_text(PYTEST_FILE)
    assert "1 passed" in stranger.run("python", "-m", "pytest", "-q", "test_mine.py")
    assert "kit/start.o" in stranger.run("parclose", "sdk", "mine/layout.yaml", "-o", "kit")
    assert listing(stranger.tool) == before
    assert list((stranger.place / "home").iterdir()) == []
    where = stranger.run("python", "-c", "import parclose; print(parclose.__file__)")
    assert where.startswith(str(stranger.tool))


def test_the_home_is_read_only_and_the_checkout_out_of_reach(stranger: Stranger) -> None:
    stranger.run("sh", "-c", "! touch $HOME/file 2>/dev/null")
    if as_stranger()[:1] == ("unshare",):
        stranger.run("sh", "-c", f"! ls {ROOT}/pyproject.toml 2>/dev/null")


def test_the_tutorial_goes_word_by_word(stranger: Stranger) -> None:
    folder = stranger.work / "tutorial"
    stranger.run("mkdir", "-m", "777", "tutorial")
    assert play((ROOT / "docs" / "tutorial.md").read_text(), folder, stranger.environment, as_stranger()) >= 10

# SPDX-License-Identifier: Apache-2.0
"""Installed, not only cloned: the wheel carries all that the tool needs, and writes nothing beside it."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = ("jinja2", "markupsafe", "yaml", "elftools")  # what the tool may import when it runs, jinja2's own too


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel of this checkout is installed."""
    place = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(place), str(ROOT)], check=True, timeout=900)
    wheel = next(place.glob("parclose-*.whl"))
    target = place / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(target), str(wheel)], check=True, timeout=900)
    return target


@pytest.fixture(scope="module")
def allowed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages that the tool says it needs, and no others."""
    place = tmp_path_factory.mktemp("allowed")
    for name in ALLOWED:
        (place / name).symlink_to(Path(str(importlib.import_module(name).__file__)).parent)
    return place


def parclose(path: tuple[Path, ...], home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the tool from the folders `path` alone: -S leaves out all that is installed."""
    script = f"import sys; sys.path[:0] = {[*map(str, path)]}; from parclose.__main__ import main; sys.exit(main())"
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "PYTHONPATH": ""}
    command = [sys.executable, "-S", "-P", "-c", script, *words]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=400)


def listing(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*") if "__pycache__" not in path.parts)


def test_every_folder_that_the_tool_reads_is_shipped() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    sources = [file.read_text() for file in (ROOT / "builder" / "parclose").rglob("*.py")]
    read = {name for text in sources for name in re.findall(r'\bdata\("(\w+)"', text)}
    assert {"abi", "boards", "examples", "monitor_asm", "partitions", "templates"} <= read
    assert shipped == {name: f"parclose/_data/{name}" for name in sorted(read)}


@pytest.mark.slow
def test_new_check_build_and_run_work_from_the_wheel(installed: Path, allowed: Path, tmp_path: Path) -> None:
    before = listing(installed)
    for words in (
        ["new", "mine"],
        ["check", "mine"],
        ["build", "mine"],
        ["run", "build/mine"],
        ["inspect", "build/mine"],
    ):
        done = parclose((installed, allowed), tmp_path, *words)
        assert done.returncode == 0, (words, done.stderr)
    assert listing(installed) == before


@pytest.mark.slow
def test_the_wheel_says_which_it_is(installed: Path, allowed: Path, tmp_path: Path) -> None:
    ours = subprocess.run([sys.executable, "-m", "parclose", "--version"], capture_output=True, text=True, timeout=60)
    assert parclose((installed, allowed), tmp_path, "--version").stdout == ours.stdout


@pytest.mark.slow
def test_it_runs_from_where_the_wheel_is(installed: Path, tmp_path: Path) -> None:
    script = f"import sys; sys.path.insert(0, {str(installed)!r}); from parclose import paths; print(paths.data('abi'))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == str(installed / "parclose" / "_data" / "abi")

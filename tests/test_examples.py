# SPDX-License-Identifier: Apache-2.0
"""Every example builds; the monitor is the same in all of them, and an image is the same wherever it is built."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from parclose import compile as compile_stage
from parclose import fetch as fetch_stage
from parclose import paths, pipeline
from parclose.check import check
from parclose.model import System

LAYOUTS = sorted(paths.data("examples").glob("*/layout.yaml"))
NAMES = [layout.parent.name for layout in LAYOUTS]
_HASHES = Path(__file__).parent / "build_hashes.py"


def system_of(layout: Path) -> System:
    system, problems = check(layout)
    assert system is not None and not [problem for problem in problems if problem.severity == "error"]
    return system


def monitor_objects(layout: Path) -> list[str]:
    """Hashes of all objects of the monitor, as the build of `layout` links them."""
    made = compile_stage.compile_system(fetch_stage.fetch(system_of(layout))).monitor
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in made]


@pytest.fixture(scope="module")
def hashes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What the command of the README prints: monitor and image of each example, here."""
    return _hashes(paths.data("examples"), tmp_path_factory.mktemp("here"))


def _hashes(examples: Path, folder: Path, **changes: str) -> dict[str, dict[str, str]]:
    """The same in a process and a cache of its own, so that every object is compiled anew; nothing is fetched again."""
    for archive in (paths.cache() / "fetched").glob("*.tar.*"):
        (folder / "cache" / "parclose" / "fetched").mkdir(parents=True, exist_ok=True)
        shutil.copy(archive, folder / "cache" / "parclose" / "fetched")
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), **changes}
    command = [sys.executable, str(_HASHES), "--json", str(examples)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, cwd=folder)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


def test_there_are_examples() -> None:
    assert {"hello", "line"} <= set(NAMES)


@pytest.mark.parametrize("layout", LAYOUTS, ids=NAMES)
def test_it_builds_without_a_warning(layout: Path, tmp_path: Path) -> None:
    made = pipeline.build(layout, tmp_path / "out")
    assert made.image.is_file() and made.warnings == ()


def test_the_monitors_objects_are_the_same_in_every_example() -> None:
    objects = [monitor_objects(layout) for layout in LAYOUTS]
    assert len(objects[0]) > 5
    assert all(each == objects[0] for each in objects)


def test_the_linked_monitor_is_the_same_in_every_example(hashes: dict[str, dict[str, str]]) -> None:
    assert sorted(hashes) == NAMES
    assert len({each["monitor"] for each in hashes.values()}) == 1
    assert len({each["image"] for each in hashes.values()}) == len(hashes)


def test_elsewhere_everything_is_the_same(hashes: dict[str, dict[str, str]], tmp_path: Path) -> None:
    elsewhere = Path(shutil.copytree(paths.data("examples"), tmp_path / "other place" / "examples"))
    assert _hashes(elsewhere, tmp_path, TZ="Asia/Tokyo", PYTHONHASHSEED="7") == hashes


def test_before_the_intruder_stands_a_neighbour(tmp_path: Path) -> None:
    """What `intruder.c` and the README say: the byte before its memory is the logger's."""
    built = pipeline.build(paths.data("examples", "line", "layout.yaml"), tmp_path / "out")
    memory_map = json.loads((built.image.parent / "report.json").read_text())["memory_map"]
    extents = {row["owner"]: row for row in memory_map if row["kind"] == "partition"}
    assert extents["logger"]["start"] + extents["logger"]["size"] == extents["intruder"]["start"]

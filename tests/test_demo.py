# SPDX-License-Identifier: Apache-2.0
"""`make demo` ends well, and would not if something were wrong."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent / "examples" / "line" / "demo.py"


@pytest.fixture
def demo() -> ModuleType:
    """The demo's own functions."""
    spec = importlib.util.spec_from_file_location("demo", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def disk(demo: ModuleType, folder: Path) -> Path:
    """A disk as the demo wants it, of 16 MiB."""
    data = bytearray(16 << 20)
    for name, start in demo.EXTENTS.items():
        records = b"".join(demo.record(name, number) for number in range(demo.RECORDS))
        data[start : start + len(records)] = records
    (folder / "disk").write_bytes(data)
    return folder / "disk"


def ends() -> dict[str, Any]:
    """The end of a run as the demo wants it."""
    good = [{"partition": name, "state": "ended", "status": 0, "lives": 1, "last": {}} for name in ("sensor", "logger")]
    io = {"partition": "io", "state": "running", "status": None, "lives": 1, "last": {}}
    intruder = {"partition": "intruder", "state": "stopped", "status": None, "lives": 3, "last": {"vector": 14}}
    return {"cause": "ended", "partitions": [io, *good, intruder]}


def test_the_demo_is_right_from_end_to_end(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, SCRIPT], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    for text in ("partition sensor", "attempting to read", "page fault", "logger| 64 records", "as it should be"):
        assert text in done.stdout


def test_a_reader_that_goes_away_ends_the_demo_quietly(tmp_path: Path) -> None:
    words = [sys.executable, SCRIPT]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ours:
        assert ours.stdout is not None and ours.stderr is not None
        ours.stdout.close()
        assert ours.wait(60) == 1 and ours.stderr.read() == ""


def test_a_disk_as_meant_is_right(demo: ModuleType, tmp_path: Path) -> None:
    assert list(demo.check_disk(disk(demo, tmp_path))) == []


@pytest.mark.parametrize("place", [0, 4095, 64 * 4096 - 1, 64 * 4096, 8 << 20, (16 << 20) - 1])
def test_one_wrong_byte_on_the_disk_is_noticed(demo: ModuleType, tmp_path: Path, place: int) -> None:
    file = disk(demo, tmp_path)
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)
    assert len(list(demo.check_disk(file))) == 1


def test_ends_as_meant_are_right(demo: ModuleType) -> None:
    assert list(demo.check_ends(ends())) == []


@pytest.mark.parametrize(
    ("partition", "change"),
    [
        ("sensor", {"status": 2}),
        ("logger", {"status": None, "state": "stopped"}),
        ("io", {"state": "stopped"}),
        ("intruder", {"state": "ended", "status": 0}),
        ("intruder", {"last": {"vector": 13}}),
        ("intruder", {"lives": 2}),
    ],
)
def test_a_wrong_end_is_noticed(demo: ModuleType, partition: str, change: dict[str, Any]) -> None:
    document = ends()
    next(end for end in document["partitions"] if end["partition"] == partition).update(change)
    assert len(list(demo.check_ends(document))) == 1


def test_a_run_without_a_report_is_noticed(demo: ModuleType) -> None:
    assert list(demo.check_ends({}))


@pytest.mark.parametrize("console", ["", "sensor| 300 turns, x: 1 missed\nlogger| 300 turns, x: 0 missed\n"])
def test_missed_turns_are_noticed(demo: ModuleType, console: str) -> None:
    assert list(demo.check_turns(console))

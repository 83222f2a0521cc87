# SPDX-License-Identifier: Apache-2.0
"""Outputs come into place whole, and what a killed build left beside them goes with the next one."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from parclose import publish

# Publishes into argv[1], says so once the folder beside is there, and waits.
_HANGS = """
import sys, time
from pathlib import Path
from parclose import publish
with publish._folder_beside(Path(sys.argv[1])) as beside:
    (beside / "half").write_bytes(b"x")
    print("there", flush=True)
    time.sleep(60)
"""


def hanging(out: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen([sys.executable, "-c", _HANGS, str(out)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "there\n"
    return child


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_build_left_is_removed_by_the_next(tmp_path: Path) -> None:
    with hanging(tmp_path / "out") as child:
        child.send_signal(signal.SIGKILL)
    assert len(names(tmp_path)) == 1
    publish.publish(tmp_path / "out", {"image.elf": b"new"})
    assert names(tmp_path) == ["out"]


def test_what_a_living_build_writes_is_left_alone(tmp_path: Path) -> None:
    with hanging(tmp_path / "out") as child:
        (beside,) = tmp_path.iterdir()
        publish.publish(tmp_path / "out", {"image.elf": b"new"})
        assert (beside / "half").read_bytes() == b"x"
        child.kill()


def test_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    others = [".out.mine", ".outer.parclose-1", "out.parclose-1"]
    for name in others:
        (tmp_path / name).mkdir()
    (tmp_path / ".out.parclose-link").symlink_to(tmp_path / ".out.mine")
    (tmp_path / ".out.mine" / "kept").write_text("")
    publish.publish(tmp_path / "out", {"image.elf": b"new"})
    assert names(tmp_path) == sorted([*others, ".out.parclose-link", "out"])
    assert (tmp_path / ".out.mine" / "kept").exists()


def test_a_name_with_signs_of_a_pattern_is_only_a_name(tmp_path: Path) -> None:
    (tmp_path / ".ab.parclose-1").mkdir()
    publish.publish(tmp_path / "a[b]", {"image.elf": b"new"})
    assert names(tmp_path) == [".ab.parclose-1", "a[b]"]


def test_two_builds_at_once_both_end_well(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from parclose import publish\n"
        "for n in range(200): publish.publish(Path(sys.argv[1]), {'a': b'1', 'partitions/b': b'2'})"
    )
    begun = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "out")]) for _ in range(2)]
    deadline = time.monotonic() + 60
    assert [child.wait(deadline - time.monotonic()) for child in begun] == [0, 0]
    assert names(tmp_path) == ["out"] and (tmp_path / "out" / "partitions" / "b").read_bytes() == b"2"

# SPDX-License-Identifier: Apache-2.0
"""Pure C of the monitor, compiled for the host under sanitizers and held against models of its words."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
PROGRAMS = ("convert", "loader", "schedule")


def commit_seed() -> str:
    """A seed that rotates with the commit: what is sampled differs, and the same commit samples the same."""
    done = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return "0x" + (done.stdout.strip() or "1")


@pytest.mark.parametrize("name", PROGRAMS)
def test_against_model(name: str, tmp_path: Path) -> None:
    program = tmp_path / name
    flags = ["-std=c17", "-O1", "-g", "-Wall", "-Wextra", "-Werror", *SANITIZE]
    subprocess.run(["gcc", *flags, f"tests/host/monitor_{name}.c", "-o", str(program)], cwd=ROOT, check=True)
    seed = commit_seed()
    done = subprocess.run([str(program), seed], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"seed {seed}: {done.stderr}"
    if name == "convert":
        counts = dict(line.removeprefix("status ").split(": ") for line in done.stdout.splitlines())
        assert {"0", "3", "10", "11", "12", "13"} <= counts.keys()
        assert all(int(count) >= 1000 for count in counts.values()), counts

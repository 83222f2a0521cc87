# SPDX-License-Identifier: Apache-2.0
"""`make soak`: the example over and over, for as many seconds as PARCLOSE_SOAK says (300)."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from parclose.emulator import Machine
from parclose.testing.machine import RunningMachine

pytestmark = pytest.mark.soak

LINE = Path(__file__).parent.parent / "examples" / "line" / "layout.yaml"
SECONDS = float(os.environ.get("PARCLOSE_SOAK", "300")) / 2
RECORD_LINE = "{:<8} record {:06d} ........\n"


@pytest.mark.parametrize("clock", [(), ("-icount", "shift=0,sleep=off")], ids=["real", "counted"])
def test_the_example_ends_the_same_way_every_time(
    parclose_build: Callable[..., Machine], parclose_boot: Callable[..., RunningMachine], clock: tuple[str, ...]
) -> None:
    target, limit, runs = parclose_build(LINE), time.monotonic() + SECONDS, 0
    while time.monotonic() < limit:
        machine = parclose_boot(target, timeout=60, extra=clock)
        machine.finish()
        assert [machine.end(name).status for name in ("sensor", "logger")] == [0, 0], f"run {runs}"
        assert (machine.end("intruder").state, machine.end("intruder").lives) == ("stopped", 3), f"run {runs}"
        assert machine.end("io").state == "running"
        if clock:
            assert re.findall(r"(\d+) missed", machine.log) == ["0", "0"], f"run {runs}"
        disk = (machine.options.state / "disks" / "nvme0.img").read_bytes()
        for name, start in (("sensor", 0), ("logger", 8 << 20)):
            meant = "".join(RECORD_LINE.format(name, number) * 128 for number in range(64)).encode()
            assert disk[start : start + len(meant)] == meant, f"run {runs}"
        (machine.options.state / "disks" / "nvme0.img").unlink()
        runs += 1
    assert runs > 0

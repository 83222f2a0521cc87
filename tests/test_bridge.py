# SPDX-License-Identifier: Apache-2.0
"""What belongs to nobody is silent: a device behind a bridge, which firmware has turned on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parclose import emulator, paths, pipeline

LAYOUT = paths.data("examples", "hello", "layout.yaml")
BEHIND = (
    *("-device", "pcie-root-port,id=root,chassis=1,addr=06.0"),
    *("-device", "virtio-rng-pci,bus=root"),
)
IDENTITY, COMMAND = 0x00, 0x04
ACTIVE = 0x7  # I/O, memory, bus mastering (PCI 3.0, 6.2.2)
CONFIG_ADDRESS, CONFIG_DATA = 0xCF8, 0xCFC


def configuration(machine: Any, bus: int, offset: int) -> int:
    """A word of the configuration space of the first function on `bus`, read from outside."""
    machine.qmp(
        "human-monitor-command", **{"command-line": f"o/w {CONFIG_ADDRESS:#x} {1 << 31 | bus << 16 | offset:#x}"}
    )
    answer = machine.qmp("human-monitor-command", **{"command-line": f"i/w {CONFIG_DATA:#x}"})
    return int(answer.split("=")[1], 16)


def active(boot: Callable[..., Any], folder: Path, plant: bool) -> int:
    """The bits of its command register by which the device behind the bridge is reachable or reaches out."""
    sources = {}
    if plant:
        made = Path(shutil.copytree(paths.data("monitor_asm"), folder / "monitor_asm"))
        shutil.copytree(paths.data("abi"), folder / "abi")
        text = (made / "pci.c").read_text()
        assert text.count("depth < 8") == 1
        (made / "pci.c").write_text(text.replace("depth < 8", "depth > 8"))
        sources["monitor_sources"] = made
    result = pipeline.build(LAYOUT, folder / "out", **sources)  # type: ignore[arg-type]
    machine = boot(emulator.machine(result.system.board, result.image), timeout=30, extra=BEHIND)
    machine.expect("hello from partition 'hello'")
    machine.wait_event(event="end")  # the monitor itself no longer reads configuration space
    assert configuration(machine, 1, IDENTITY) & 0xFFFF == 0x1AF4
    return configuration(machine, 1, COMMAND) & ACTIVE


@pytest.mark.parametrize("plant", [False, True], ids=["off", "on where the monitor does not look behind bridges"])
def test_a_device_behind_a_bridge(plant: bool, tmp_path: Path, parclose_boot: Callable[..., Any]) -> None:
    assert (active(parclose_boot, tmp_path, plant) != 0) == plant

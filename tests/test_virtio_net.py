# SPDX-License-Identifier: Apache-2.0
"""The virtio network driver on the machine: the two Internet hosts of test_internet on its card."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import test_internet

HERE = Path(__file__).parent
Boot = Callable[..., Any]

net = test_internet.net
test_user_networking = test_internet.test_programs_of_the_host_through_forwarded_ports
test_arp_ping_and_echo = test_internet.test_arp_ping_and_echo
test_a_wire_that_harms_frames = test_internet.test_a_wire_that_loses_delays_repeats_and_corrupts
test_a_wire_that_is_pulled_out = test_internet.test_a_wire_that_is_pulled_out_under_both


@pytest.fixture
def parclose_boot(parclose_boot: Boot, tmp_path: Path) -> Boot:
    """`parclose_boot` with vnet0 in the place of nic0."""

    def boot(layout: str, networks: dict[str, str], **settings: Any) -> Any:
        folder = shutil.copytree((HERE / layout).parent, tmp_path / "virtio")
        copied = Path(folder) / Path(layout).name
        copied.write_text(copied.read_text().replace("nic0", "vnet0"))
        machine = parclose_boot(copied, networks={"vnet0": networks["nic0"]}, **settings)
        asked = machine.qmp
        machine.qmp = lambda command, **given: asked(command, **{**given, "name": "vnet0"})
        return machine

    return boot

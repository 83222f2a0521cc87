# SPDX-License-Identifier: Apache-2.0
"""`parclose run --net`: whose wire a card hangs on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tiny
from parclose import emulator
from parclose.emulator import Machine, Options
from parclose.errors import UsageError

Make = Callable[..., Machine]
CARD = (*tiny.ARGUMENTS, "-netdev", "{net:nic0},id=nic0", "-device", "e1000e,netdev=nic0,romfile=")


def netdev(target: Machine, **networks: str) -> str:
    words = emulator.command(target, Options(Path("nowhere"), networks=networks), {})
    return words[words.index("-netdev") + 1]


def run(target: Machine, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "parclose", "run", str(target.image.parent), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def test_a_card_that_nobody_mentions_reaches_nobody(tiny_machine: Make) -> None:
    assert netdev(tiny_machine(arguments=CARD)) == "user,restrict=on,id=nic0"


def test_a_wire_is_taken_as_it_is_given(tiny_machine: Make) -> None:
    wire = "user,hostfwd=udp:127.0.0.1:5555-10.0.2.15:7,hostfwd=tcp::8080-:80"
    assert netdev(tiny_machine(arguments=CARD), nic0=wire) == f"{wire},id=nic0"


def test_a_card_that_is_not_there_is_named_with_those_that_are(tiny_machine: Make) -> None:
    with pytest.raises(UsageError, match="has no net named 'nic1'; it has nic0"):
        netdev(tiny_machine(arguments=CARD), nic1="user")


@pytest.mark.parametrize("word", ["nic0", "nic0=", "=user"])
def test_half_a_wire_is_wrong_usage(tiny_machine: Make, word: str) -> None:
    done = run(tiny_machine(arguments=CARD), "--net", word)
    assert done.returncode == 2 and "is not NAME=VALUE" in done.stderr and done.stdout == ""


def test_a_run_with_a_wire_of_its_own(tiny_machine: Make) -> None:
    done = run(tiny_machine(arguments=CARD), "-v", "--net", "nic0=user,net=10.9.0.0/24")
    assert done.returncode == 0 and "-netdev user,net=10.9.0.0/24,id=nic0" in done.stderr


def test_a_wire_that_qemu_does_not_know_is_its_complaint(tiny_machine: Make) -> None:
    done = run(tiny_machine(arguments=CARD), "--net", "nic0=string")
    assert done.returncode == 1 and "'string'" in done.stderr and "the command was" in done.stderr

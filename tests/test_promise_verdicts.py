# SPDX-License-Identifier: Apache-2.0
"""The judges of promises are judged: each refuses a run in which one thing of what it asks for is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import promise_kit
from promise_kit import Run
from promise_targets import ATTACKER, Target
from promise_verdicts import escaped, granted, page_faults, panicked, statuses

TARGETS = [Target(0x1000, 0x1000, "there")]
ENDED = {"event": "ended", "partition": ATTACKER, "life": 2, "status": 0}


def stop(**changes: Any) -> dict[str, Any]:
    """What the manager reports of an attacker stopped at 0x1000."""
    event = {"event": "stopped", "partition": ATTACKER, "life": 1, "vector": 14, "error": 4, "address": "0x1000"}
    return {**event, "rip": "0x400100", "then": "restart", **changes}


def test_a_page_fault_as_promised_is_accepted() -> None:
    page_faults(4)(Run([stop(), ENDED], "attempting to read 1000\n"), TARGETS)


@pytest.mark.parametrize(
    ("events", "debug"),
    [
        ([stop(), ENDED], ""),
        ([stop(error=5), ENDED], "attempting\n"),
        ([stop(vector=13), ENDED], "attempting to read\n"),
        ([stop(address="0x2000"), ENDED], "attempting to read\n"),
        ([stop(rip="0xffffffff80000000"), ENDED], "attempting to read\n"),
        ([stop()], "attempting to read\n"),
        ([ENDED], "attempting to read\n"),
        ([stop(), {**ENDED, "status": 66}], "attempting to read\n"),
        ([stop(), ENDED], "attempting to read\nescaped read\n"),
        ([stop(), ENDED, {"event": "panic"}], "attempting to read\n"),
        ([stop(), ENDED, stop(partition="victim")], "attempting to read\n"),
        ([stop(), ENDED, {"event": "refused", "partition": "victim"}], "attempting to read\n"),
    ],
)
def test_a_page_fault_that_is_not_as_promised_is_refused(events: list[dict[str, Any]], debug: str) -> None:
    with pytest.raises(AssertionError):
        page_faults(4)(Run(events, debug), TARGETS)


def test_statuses_are_counted() -> None:
    statuses(1)(Run([ENDED], "attempting a call\nstatus 2\n"), [])
    for debug in ("attempting a call\n", "status 2\n", "attempting a call\nstatus 2\nescaped status 2 instead of 3\n"):
        with pytest.raises(AssertionError):
            statuses(1)(Run([ENDED], debug), [])


@pytest.mark.parametrize(
    ("judge", "debug"),
    [
        (escaped(), "attempting to read\n"),
        (escaped(2), "attempting to read\nescaped read\n"),
        (granted, "attempting a call\nescaped status 5 instead of 2\n"),
        (panicked(), "attempting a call\n"),
    ],
)
def test_a_control_that_did_not_succeed_is_refused(judge: Callable[[Run, list[Target]], str], debug: str) -> None:
    with pytest.raises(AssertionError):
        judge(Run([ENDED], debug), TARGETS)


def test_a_patch_must_find_its_place() -> None:
    with pytest.raises(AssertionError, match="stands 0 times"):
        promise_kit.copy_sources("monitor_asm", [promise_kit.Patch("main.c", "no such line", "")])

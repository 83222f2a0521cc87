# SPDX-License-Identifier: Apache-2.0
"""The judges of promises are judged: each refuses a run in which one thing of what it asks for is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import promise_channels
import promise_kit
import promise_time
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


_LOST = "attempting to take the victim's time\nlost 20400 of 21499\n"


def test_lost_time_within_what_is_declared_is_accepted() -> None:
    promise_time.TIME[0].attack(Run([ENDED], _LOST), [])


@pytest.mark.parametrize(
    ("events", "debug"),
    [
        ([ENDED], _LOST.replace("20400", "21500")),
        ([ENDED], _LOST.replace("20400", "0")),
        ([ENDED], "attempting to take the victim's time\n"),
        ([ENDED], "lost 20400 of 21499\n"),
        ([ENDED], _LOST + "escaped the victim has had no time\n"),
        ([ENDED, stop(partition="victim")], _LOST),
        ([], _LOST),
    ],
)
def test_lost_time_that_is_not_as_declared_is_refused(events: list[dict[str, Any]], debug: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        promise_time.TIME[0].attack(Run(events, debug), [])


_SERVED = "fair 0\n" + "attempting a chain\nanswer to a chain\n" * 3 + "fair 0\nserved 20 of 20\n"
_BOTH_ENDED = [ENDED, {**ENDED, "partition": "victim"}]


def test_bad_chains_that_are_answered_are_accepted() -> None:
    promise_channels.CHANNELS[0].attack(Run(_BOTH_ENDED, _SERVED), [])


@pytest.mark.parametrize(
    ("events", "debug"),
    [
        (_BOTH_ENDED, _SERVED.replace("served 20", "served 19")),
        (_BOTH_ENDED, _SERVED.replace("answer to a chain\n", "", 1)),
        (_BOTH_ENDED, _SERVED.replace("fair 0\n", "", 1)),
        ([ENDED], _SERVED),
        ([*_BOTH_ENDED, stop(partition="io")], _SERVED),
    ],
)
def test_bad_chains_that_do_harm_are_refused(events: list[dict[str, Any]], debug: str) -> None:
    with pytest.raises(AssertionError):
        promise_channels.CHANNELS[0].attack(Run(events, debug), [])

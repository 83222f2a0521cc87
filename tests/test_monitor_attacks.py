# SPDX-License-Identifier: Apache-2.0
"""Attacks on ring 0 that once came through, or nearly: each must come to nothing on the machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

COUNTED = ("-icount", "shift=0,sleep=off")


def test_clock_page_shows_nothing_but_the_clock(parclose_boot: Callable[..., Any]) -> None:
    machine = parclose_boot("attacks/clock_page.yaml", extra=COUNTED)
    report = machine.finish()
    assert "reader| words behind the clock: 0, the clock runs at " in machine.log
    assert report.end("reader").status == 0


def test_what_a_dead_client_left_costs_its_server_no_life(parclose_boot: Callable[..., Any]) -> None:
    machine = parclose_boot("attacks/drain.yaml")
    report = machine.finish()
    assert "lives of the server 1" in machine.log
    assert report.end("leaver").lives == 7
    assert report.end("bystander").status == 0


def test_a_server_that_drains_slowly_keeps_its_life(parclose_boot: Callable[..., Any]) -> None:
    report = parclose_boot("attacks/slow.yaml", timeout=20).finish()
    assert report.end("client").lives == 2
    assert report.end("client").status == 0
    assert report.end("server").lives == 1

# SPDX-License-Identifier: Apache-2.0
"""Turns on the machine: no drift, budgets hold, earlier ones get the processor at once, a restart costs nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

# The clock counts instructions, one a nanosecond, and idle time passes at once: repeatable, and no host disturbs it.
COUNTED = ("-icount", "shift=0,sleep=off")


def run(boot: Callable[..., Any], layout: str, partition: str) -> str:
    """What `partition` printed, once it has ended with 0."""
    machine = boot(f"schedule/{layout}.yaml", extra=COUNTED)
    machine.expect(f"{partition}: ended with status 0")
    return "\n".join(re.findall(rf"^{partition}\| ([^\r\n]*)", machine.log, re.MULTILINE))


def numbers(text: str, pattern: str) -> list[int]:
    found = re.search(pattern, text)
    assert found, f"no {pattern!r} in {text!r}"
    return [int(number) for number in found.groups()]


def test_turns_do_not_drift_and_budgets_hold(parclose_boot: Callable[..., Any]) -> None:
    said = run(parclose_boot, "turns", "beat")
    least, most = numbers(said, r"apart (\d+) to (\d+) ns")
    shortest, longest = numbers(said, r"long (\d+) to (\d+) ns")
    together, turns = numbers(said, r"together (\d+) ns in (\d+) turns")
    major = 700_000  # 300 + 200 + 150 us, and the manager's 50
    assert abs(together - turns * major) < turns * 4  # four lengths, each a whole number of ticks; nothing adds up
    assert major - 100 < least <= most < major + 100
    assert 200_000 <= shortest <= longest < 201_500  # the hog took its 100 us, the monitor's work in it, and no more


def test_an_event_takes_the_processor_back_at_once(parclose_boot: Callable[..., Any]) -> None:
    assert "missed 0 of 1000" in run(parclose_boot, "earlier", "late")


def test_deadlines(parclose_boot: Callable[..., Any]) -> None:
    early, prompt, sleeps = numbers(
        run(parclose_boot, "deadlines", "sleeper"), r"early (\d+), within 2 us (\d+) of (\d+)"
    )
    assert early == 0
    assert prompt >= sleeps - 20  # the rest fell into the frame of another


def test_next_life_in_the_same_turn(parclose_boot: Callable[..., Any]) -> None:
    machine = parclose_boot("schedule/lives.yaml", extra=COUNTED)
    machine.finish()
    (longest,) = numbers(machine.log, r"longest without a life: (\d+) ns")
    (apart,) = numbers(machine.log, r"turns at most (\d+) ns apart")
    assert longest < 1_000_000  # not the 41 ms until the next turn
    assert apart < 41_050_000 + 20_000  # 20 + 20 + 1 ms and the manager's 50 us


def test_what_one_gives_up_the_next_gets(parclose_boot: Callable[..., Any]) -> None:
    shortest, _ = numbers(run(parclose_boot, "yields", "taker"), r"long (\d+) to (\d+) ns")
    assert shortest > 145_000

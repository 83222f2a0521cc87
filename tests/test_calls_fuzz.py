# SPDX-License-Identifier: Apache-2.0
"""Random calls by all partitions at once: what they are answered, what is left in memory, and that a hole is found.

The seed comes from the commit. `make soak` goes on for millions of calls with seeds that follow it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import yaml

import chance
import fuzz_check
import fuzz_kit
import fuzz_table
from fuzz_kit import Hole, Run
from parclose.constants import constants
from parclose.testing.fixtures import require_qemu

MILLISECOND = 1_000_000  # of the machine's time, in which an instruction takes a nanosecond
LENGTH, SHORT = 1000 * MILLISECOND, 20 * MILLISECOND
LEAST, LEAST_EACH = 300_000, 1000
SOAK = float(os.environ.get("PARCLOSE_SOAK", "300"))


@contextmanager
def alone(name: str) -> Iterator[None]:
    """One at a time, whoever else runs these tests in this checkout."""
    fuzz_kit.BUILD.mkdir(parents=True, exist_ok=True)
    with open(fuzz_kit.BUILD / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module")
def whole_run() -> Run:
    """The run that every test of this file looks at; each process that runs some of them has its own."""
    require_qemu()
    print(f"seed of the fuzz run: PARCLOSE_SEED={chance.seed():#x}")
    built = fuzz_kit.build("calls-" + os.environ.get("PYTEST_XDIST_WORKER", "alone"))
    return fuzz_kit.run(built, chance.seed(), LENGTH)


def by_call(run: Run) -> dict[str, dict[str, int]]:
    """How often each call gave each status, in the order of their numbers."""
    counts, found = run.statuses(), {}
    for call in [*fuzz_kit.names("call", "CALL_").values(), fuzz_kit.OTHER]:
        row = {status: counts[call, status] for status in fuzz_kit.names("status", "STATUS_").values()}
        if any(row.values()):
            found[call] = {status: count for status, count in row.items() if count}
    return found


def by_status(run: Run) -> Counter[str]:
    """How often each status was given by whatever call."""
    counts: Counter[str] = Counter()
    for (_, status), count in run.statuses().items():
        counts[status] += count
    return counts


def test_every_answer_is_one_that_the_tables_allow(
    whole_run: Run, record_property: Callable[[str, object], None]
) -> None:
    calls = by_call(whole_run)
    seed = f"PARCLOSE_SEED={chance.seed():#x}"
    title = f"calls: {whole_run.calls} by {len(whole_run.tallies)} partitions at once, {seed}"
    record_property(fuzz_table.CALLS, {"title": title, "calls": calls, "rules": dict(whole_run.rules())})
    document = fuzz_kit.HERE.parent / "build" / "calls.json"
    document.write_text(json.dumps(calls, indent=2) + "\n")
    assert whole_run.ending == "end"
    assert whole_run.violations() == [], seed
    assert whole_run.calls >= LEAST


def test_every_status_and_every_rule_of_refusal_was_met_often(whole_run: Run) -> None:
    statuses = by_status(whole_run)
    wanted = [status for status in fuzz_kit.names("status", "STATUS_").values() if status != "count"]
    assert {status: statuses[status] for status in wanted if statuses[status] < LEAST_EACH} == {}
    rules = whole_run.rules()
    assert {rule: rules[rule] for rule in fuzz_kit.rules() if rules[rule] < LEAST_EACH} == {}


def test_everybody_lived_and_died_and_the_vault_stayed_shut(whole_run: Run) -> None:
    starts = dict(zip(whole_run.tallies, whole_run.tallies["manager"].starts, strict=False))
    assert starts["never"] == 0 and whole_run.tallies["never"].calls == 0
    assert all(starts[name] > 50 for name in ("disk", "lines", "one", "two", "three")), starts
    assert all(tally.calls > 1000 for name, tally in whole_run.tallies.items() if name != "never")


def test_owners_rights_and_page_tables_are_as_the_layout_has_them(whole_run: Run) -> None:
    assert fuzz_check.faults(whole_run) == []


def poked(run: Run, address: int, value: int) -> list[str]:
    """What the check says when one 64-bit word of the memory is another one."""
    place = address - constants()["MONITOR_PHYSICAL"]
    memory = bytearray(run.memory)
    assert memory[place : place + 8] != value.to_bytes(8, "little")
    memory[place : place + 8] = value.to_bytes(8, "little")
    return fuzz_check.faults(replace(run, memory=bytes(memory)))


def test_the_check_from_outside_sees_each_thing_that_it_looks_at(whole_run: Run) -> None:
    plan, live = whole_run.build.plan, fuzz_kit.monitor_place(whole_run.build, "channel_live")
    owners = fuzz_kit.monitor_place(whole_run.build, "descriptor_live")
    states = fuzz_kit.monitor_place(whole_run.build, "partitions")
    one, vault = plan.partition("one"), next(each for each in plan.extents if each.name == "region vault")
    for address, value, said in (
        (one.root, 0x67, "page tables: the byte"),
        (plan.ones, 0, "page of ones: the byte"),
        (vault.physical + 8, 0, "region vault: the byte"),
        (one.descriptor_page + 40, 2, "descriptor page of one: the byte"),
        (one.physical, 0, "program of one: the byte"),
        (constants()["DATABASE_PHYSICAL"] + 64, 0, "database: the byte"),
        (owners, 3, "is assigned to"),
        (owners + 8 * plan.partition("never").first_descriptor, 7, "is assigned to never, not free"),
        (live, 5 << 8 | 1, "is allocated, not connected" if whole_run.number(live) & 3 == 2 else "allocated"),
        (states + 24, 0, "manager has the root 0x0"),
        (states, 2, "the manager does not run"),
    ):
        faults = poked(whole_run, address, value)
        assert any(said in fault for fault in faults), (said, faults)


def holes() -> list[Hole]:
    """The holes of fuzz/holes.yaml."""
    return [Hole(**each) for each in yaml.safe_load((fuzz_kit.FUZZ / "holes.yaml").read_text())]


def found_by(run: Run) -> str:
    """By what a hole was found; "" where it was not."""
    ways = []
    if run.ending != "end":
        ways.append(f"the end of the run: {run.ending}")
    if run.violations():
        ways.append(run.violations()[0])
    ways += [f"the check from outside: {fault}" for fault in fuzz_check.faults(run)[:1]]
    return "; and ".join(ways)


def search(hole: Hole) -> str:
    """By what a hole is found: in a short run, as most are, or in a longer one of the same seed."""
    built = fuzz_kit.build("holes", hole)
    for length in (SHORT, 10 * SHORT):
        found = found_by(fuzz_kit.run(built, chance.seed(), length, patience=20))
        if found:
            return found
    raise AssertionError(f"not found: {hole.rule}, PARCLOSE_SEED={chance.seed():#x}")


def test_every_planted_hole_is_found(record_property: Callable[[str, object], None]) -> None:
    require_qemu()
    planted = holes()
    assert len({hole.rule for hole in planted}) == len(planted) >= 10
    with alone("holes"):
        record_property(fuzz_table.HOLES, [(hole.rule, search(hole)) for hole in planted])


@pytest.mark.soak
def test_millions_of_calls() -> None:
    require_qemu()
    limit, seed, calls = time.monotonic() + SOAK, chance.seed(), 0
    with alone("soak"):
        built = fuzz_kit.build("soak")
        while time.monotonic() < limit:
            seed += 1
            run = fuzz_kit.run(built, seed, 4 * LENGTH)
            problems: list[Any] = [*run.violations(), *fuzz_check.faults(run)]
            assert run.ending == "end" and problems == [], f"PARCLOSE_SEED={seed - 1:#x}: {run.ending}, {problems}"
            calls += run.calls
            print(f"seed {seed:#x}: {calls} calls so far")
    assert calls > 1_000_000

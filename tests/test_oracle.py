# SPDX-License-Identifier: Apache-2.0
"""The isolation oracle: each access of each partition goes where the rows say, whatever the page tables allow."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import chance
import fuzz_check
import fuzz_kit
import oracle_everywhere
import oracle_kit
import promise_image
import promise_kit
import promise_list
from oracle_kit import Verdict
from parclose import emulator, pipeline
from parclose.amend import map_also
from parclose.emulator import Emulator, Options
from parclose.pipeline import BuildResult
from parclose.planned import Plan, Rights, Stretch
from parclose.run import Ending, Outcome, follow
from parclose.testing.fixtures import require_qemu

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
TRESPASS = HERE / "oracle" / "layout.yaml"
THERE = 0x5F000000  # where trespasser.c looks
PATIENCE = 60.0
LONG_ENOUGH = 10.0  # for an attack that goes on for ever; on a busy host, too


def observe(built: BuildResult, folder: Path, amend_rules: Callable[[str], str] = str) -> tuple[Outcome, Verdict]:
    """Run `built` to its end under the oracle."""
    require_qemu()
    target = emulator.machine(built.system.board, built.image)
    extra = oracle_kit.arguments(built.image, folder / "oracle")
    rules = folder / "oracle" / "rules"
    rules.write_text(amend_rules(rules.read_text()))
    options = Options(folder, fresh=True, extra=extra)
    with Emulator(target, options) as running, open(folder / "console", "wb") as console:
        outcome = follow(running, Ending(PATIENCE), [console], None)
        assert running.process.poll() in (None, 0), running.log()  # 0: the layout turns the machine off at its end
    return outcome, oracle_kit.verdict(folder / "oracle")


def all_ran(built: BuildResult, verdict: Verdict) -> None:
    """The oracle saw accesses of everybody, and none that it does not know."""
    assert verdict.faults == [], "\n".join(map(str, verdict.faults))
    names = {"the monitor", *(each.partition.name for each in built.plan.partitions)}
    assert set(verdict.checked) == names and all(verdict.checked.values())


@pytest.mark.parametrize("name", ["line", "hello"])
def test_the_examples_go_where_their_rows_say(name: str, tmp_path: Path) -> None:
    built = pipeline.build(EXAMPLES / name / "layout.yaml", tmp_path / "out")
    outcome, verdict = observe(built, tmp_path)
    assert outcome.cause == "ended"
    all_ran(built, verdict)
    if name == "line":
        assert sum(verdict.checked.values()) > 1_000_000


@pytest.fixture(scope="module")
def correct(tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    return pipeline.build(TRESPASS, tmp_path_factory.mktemp("trespass") / "out")


def test_with_correct_tables_the_trespasser_is_stopped(correct: BuildResult, tmp_path: Path) -> None:
    outcome, verdict = observe(correct, tmp_path)
    assert [(end.partition, end.state) for end in outcome.report.ends() if end.partition == "trespasser"] == [
        ("trespasser", "stopped")
    ]
    all_ran(correct, verdict)


def wrong_table(folder: Path) -> BuildResult:
    """A page of the victim's is mapped to the trespasser; no row says so, and nobody but the oracle notices."""

    def wrong(plan: Plan) -> Plan:
        page = Stretch("wrong", THERE, plan.partition("victim").physical, 0x1000, Rights(write=True))
        return map_also(plan, "trespasser", page)

    return pipeline.build(TRESPASS, folder / "out", amend_plan=wrong, audit=False)


def test_a_wrong_table_is_caught(tmp_path: Path) -> None:
    built = wrong_table(tmp_path)
    outcome, verdict = observe(built, tmp_path)
    assert {end.partition: end.status for end in outcome.report.ends()}["trespasser"] == 0
    place = built.plan.partition("victim").physical
    print("\na page of the victim's in the trespasser's tables:", *verdict.faults, sep="\n  ")  # pytest -s shows it
    assert [(fault.owner, fault.kind, fault.physical, fault.virtual) for fault in verdict.faults] == [
        ("trespasser", "r", place, THERE),
        ("trespasser", "w", place, THERE),
    ]
    assert "of victim" in str(verdict.faults[0])


def without(rules: str, *beginnings: str) -> str:
    """The rules but for those that begin so; every beginning is one of some."""
    assert all(f"\n{each}" in f"\n{rules}" for each in beginnings), beginnings
    return "".join(f"{line}\n" for line in rules.splitlines() if not line.startswith(beginnings))


def test_each_kind_of_rule_is_looked_at(correct: BuildResult, tmp_path: Path) -> None:
    """Without its rule an access that is in order becomes a fault, of whatever kind it is."""
    own, number = correct.plan.partition("victim"), 1 + correct.plan.partition("victim").index
    call_page, stack = f"{own.call_page:x}", own.physical + own.memory - own.partition.stack
    for change, expected in (
        (lambda text: without(text, f"text {number} "), "somebody executes"),
        (lambda text: without(text, f"allow {number} {stack:x}"), "victim writes"),
        (lambda text: without(text, "implied 1 "), "manager reads"),  # it has ports
        (lambda text: text + f"forbid {own.context:x} 1000\n", "the monitor writes"),
        (lambda text: text.replace(f"allow 1 {call_page}", "") + "forbid 1000000 100000\n", "the monitor reads"),
    ):
        said = "\n".join(map(str, observe(correct, tmp_path, change)[1].faults))
        assert expected in said, (expected, said)


def test_random_calls_go_where_their_rows_say(tmp_path: Path) -> None:
    """The fuzz run, shorter: its partitions end, fault, wait and convert at random."""
    require_qemu()
    built = fuzz_kit.build("oracle")
    extra = oracle_kit.arguments(built.image, tmp_path / "oracle")
    run = fuzz_kit.run(built, chance.seed(), 40_000_000, extra=extra)
    assert run.ending == "end" and run.violations() == [] and fuzz_check.faults(run) == []
    verdict = oracle_kit.verdict(tmp_path / "oracle")
    assert verdict.faults == [], "\n".join(map(str, verdict.faults))
    assert verdict.checked["one"] > 10_000 and verdict.checked["disk"] > 10_000


def test_where_every_image_is_watched_a_wrong_table_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As make test-all does: whoever starts QEMU gets one with the oracle, unless he says why not."""
    require_qemu()
    built = wrong_table(tmp_path)
    monkeypatch.setenv("PATH", f"{oracle_everywhere.install(tmp_path)}{os.pathsep}{os.environ['PATH']}")
    words = [sys.executable, "-m", "parclose", "run", str(built.image.parent), "--timeout", "60"]
    emulator.save(emulator.machine(built.system.board, built.image), built.image.parent)
    subprocess.run(words, capture_output=True, timeout=120)
    with oracle_kit.left_out("it is said to be wrong"):
        subprocess.run(words, capture_output=True, timeout=120)
    found = oracle_everywhere.tally(tmp_path / "runs")
    assert found.runs == 1 and found.accesses > 10_000
    assert [str(fault).split(": ", 1)[1].split(" physical")[0] for fault in found.faults] == [
        "trespasser reads",
        "trespasser writes",
    ]
    assert {reason: len(tests) for reason, tests in found.left_out.items()} == {"it is said to be wrong": 1}


def granted(promise: promise_kit.Promise, folder: Path) -> tuple[BuildResult, Verdict]:
    """The attack of a promise under the oracle, with what its control lacks, and its page table bits."""
    require_qemu()
    planted = promise_kit.read_planted(promise.planted)
    with promise_kit._alone():
        sources = {}
        if planted.monitor:
            sources["monitor_sources"] = promise_kit.copy_sources("monitor_asm", planted.monitor)
        if promise.partitions:
            sources["partitions_sources"] = promise_kit.copy_sources("partitions", promise.partitions)
        built, _ = promise_kit._build(promise, folder, sources)
        if planted.grant is not None:
            image = promise_image.Image(built.image)
            promise_kit._grant(image, built, planted.grant)
            image.save(built.image)
        target = emulator.machine(built.system.board, built.image)
        options = Options(folder, fresh=True, extra=oracle_kit.arguments(built.image, folder / "oracle"))
        with Emulator(target, options) as running, open(folder / "console", "wb") as console:
            follow(running, Ending(LONG_ENOUGH), [console], None)
    return built, oracle_kit.verdict(folder / "oracle")


def opens_memory(promise: promise_kit.Promise) -> bool:
    """Whether its control lets somebody into memory that is not his: neither a port nor a guard page is that."""
    grant = promise_kit.read_planted(promise.planted).grant
    return grant is not None and grant.at not in ("ports", "around_stack")


OPENED = [each for each in promise_list.PROMISES if opens_memory(each)]


@pytest.mark.slow
@pytest.mark.parametrize("promise", OPENED, ids=[each.name for each in OPENED])
def test_an_attack_on_opened_tables_is_seen(promise: promise_kit.Promise, tmp_path: Path) -> None:
    """With the control's bits in its tables the attacker gets somewhere, and the oracle says so.

    Who executes a piece of the monitor counts as the monitor, which then is where it must not be."""
    _, verdict = granted(promise, tmp_path)
    assert verdict.faults

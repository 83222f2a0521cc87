# SPDX-License-Identifier: Apache-2.0
"""`make test-all` (PARCLOSE_ORACLE=1): every image that a test boots, however, runs under the isolation oracle.

A fault fails the run of tests. What goes without is listed at the end, with the reason: oracle/qemu.py knows some, a
test or a control says others (`oracle_kit.left_out`, or the marker `without_oracle`).
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections import defaultdict
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import oracle_kit
from parclose import emulator

OUT = oracle_kit.BUILD / "everywhere"
SHOWN = 20  # faults
WRAPPER = """#!/bin/sh
# A tiny kernel of some test is no image of ours, and should not wait for Python to find that out.
export PARCLOSE_ORACLE_RUNS={runs}
kernel= before=
for word; do
  [ "$before" != -kernel ] || kernel=$word
  before=$word
done
[ -z "$kernel" ] || grep -qs PARCLOSE "$kernel" || exec {real} "$@"
exec {ours} "$@"
"""


@dataclass
class Tally:
    """What the runs of one session came to. `left_out`: the tests of each reason, once for each run."""

    runs: int = 0
    accesses: int = 0
    tests: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def asked() -> bool:
    """Whether this run of tests is one under the oracle."""
    return os.environ.get("PARCLOSE_ORACLE") == "1" and shutil.which(emulator.PROGRAM) is not None


def pytest_configure(config: pytest.Config) -> None:
    """Put our QEMU before the real one; other processes of pytest-xdist find it there."""
    config.addinivalue_line("markers", "without_oracle(reason): its machines run without the isolation oracle")
    if not asked() or hasattr(config, "workerinput"):
        return
    shutil.rmtree(OUT, ignore_errors=True)
    os.environ["PATH"] = f"{install(OUT)}{os.pathsep}{os.environ['PATH']}"


def install(out: Path) -> Path:
    """Make a folder for the PATH with our QEMU in it, which leaves what it found in `out`/runs."""
    real, folder = shutil.which(emulator.PROGRAM), out / "bin"
    folder.mkdir(parents=True)
    oracle_kit.plugin()
    wrapper = folder / emulator.PROGRAM
    ours = [sys.executable, str(oracle_kit.HERE / "oracle" / "qemu.py"), str(real)]
    wrapper.write_text(
        WRAPPER.format(runs=shlex.quote(str(out / "runs")), real=shlex.quote(str(real)), ours=shlex.join(ours))
    )
    wrapper.chmod(0o755)
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let the marker say why a test's machines go without."""
    mark = item.get_closest_marker("without_oracle")
    with oracle_kit.left_out(mark.args[0]) if mark else nullcontext():
        return (yield)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A fault that no test looked for is a failure."""
    if asked() and not hasattr(session.config, "workerinput"):
        session.config.stash[_TALLY] = made = tally(OUT / "runs")
        if made.faults:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


_TALLY = pytest.StashKey[Tally]()


def tally(runs: Path) -> Tally:
    """What the runs in that folder came to."""
    made = Tally()
    for folder in sorted(runs.iterdir()) if runs.is_dir() else []:
        run = json.loads((folder / "run").read_text())
        test = run["test"] or "no test: a fixture, or a process that has no environment of a test"
        verdict = None
        try:
            verdict = None if run["reason"] else oracle_kit.verdict(folder)
        except AssertionError:
            run["reason"] = "it was killed, and QEMU wrote nothing down"
        if verdict is not None and not verdict.checked:
            run["reason"] = "nothing of the image ran"
        if run["reason"] or verdict is None:
            made.left_out[run["reason"]].append(test)
            continue
        made.runs += 1
        made.tests.add(test)
        made.accesses += sum(verdict.checked.values())
        made.faults += [f"{test}: {fault}" for fault in verdict.faults]
    return made


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what ran under the oracle, what not and why, and the faults."""
    made = terminalreporter.config.stash.get(_TALLY, None)
    if made is None:
        return
    terminalreporter.section(f"isolation oracle: {len(made.faults)} faults")
    for line in _lines(made):
        terminalreporter.write_line(line)


def _lines(made: Tally) -> Iterator[str]:
    yield f"{made.runs} runs of {len(made.tests)} tests, {made.accesses:,} accesses checked"
    for reason, tests in sorted(made.left_out.items()):
        files = sorted({test.split("::")[0] for test in tests})
        yield f"without: {len(tests)} runs of {len(set(tests))} tests ({', '.join(files)}): {reason}"
    for fault in made.faults[:SHOWN]:
        yield f"FAULT {fault}"
    if len(made.faults) > SHOWN:
        yield f"and {len(made.faults) - SHOWN} more"

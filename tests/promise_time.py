# SPDX-License-Identifier: Apache-2.0
"""Promises about time: whatever one does, another loses no more of its frame than the schedule declares.

The clock counts instructions, one a nanosecond, and nothing of the host's disturbs it.
"""

from __future__ import annotations

from promise_kit import Promise, Run
from promise_layouts import theft
from promise_targets import ATTACKER, Target
from promise_verdicts import Verdict, nobody_escaped


def _both_ended(run: Run) -> bool:
    return bool(run.of("ended", ATTACKER) and run.lines("lost")) or bool(run.lines("escaped"))


def _declared(run: Run, targets: list[Target]) -> str:
    """The victim has measured its frames and lost no more than it said it might."""
    nobody_escaped(run)
    (line,) = run.lines("lost")
    lost, declared = int(line.split()[1]), int(line.split()[3])
    assert run.lines("attempting") and 0 < lost <= declared, (run.debug, run.events)
    assert [each["status"] for each in run.of("ended", ATTACKER)] == [0], run.events
    assert not run.of("stopped", "victim") and not run.of("refused"), run.events
    return f"the victim lost at most {lost} ns of a frame of 200000 ns, {declared} declared"


def _stolen(run: Run, targets: list[Target]) -> str:
    assert run.lines("attempting") and run.lines("escaped"), (run.debug, run.events, run.console)
    return run.lines("escaped")[0]


def _storm(run: Run, targets: list[Target]) -> str:
    """As `_declared`, and the device did interrupt."""
    assert "stormed" in run.debug, run.debug
    return _declared(run, targets)


def _batches(run: Run, targets: list[Target]) -> str:
    """As `_declared`, and the batches were converted to the end."""
    assert "converted" in run.debug, run.debug
    return _declared(run, targets)


def _way(name: str, promise: str, attack: Verdict = _declared, planted: str = "budgets") -> Promise:
    layout = theft(name.upper())
    return Promise(f"time-{name}", promise, "theft.c", layout, planted, attack, _stolen, done=_both_ended, counted=True)


TIME = (
    _way("computes", "who computes for ever takes nobody's time"),
    _way("signals", "who floods signals takes nobody's time"),
    _way("faults", "who faults again and again takes nobody's time"),
    _way("storms", "whose device interrupts without end takes nobody's time", _storm),
    _way("converts", "who has the longest conversions made takes nobody's time", _batches),
    _way("naps", "who sleeps for a moment again and again takes nobody's time", planted="ways"),
    _way("last", "who calls at the last instruction of its frame takes nobody's time"),
)

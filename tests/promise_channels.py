# SPDX-License-Identifier: Apache-2.0
"""Promises about channels: no client's rings harm its server or another client."""

from __future__ import annotations

from promise_kit import Promise, Run
from promise_layouts import chained
from promise_targets import ATTACKER, Target
from promise_verdicts import Verdict, nobody_escaped, others_unharmed

SLOW_DISK = ("-set", "drive.nvme0.throttling.iops-read=30")  # so that requests stay in flight for long


def _over(run: Run) -> bool:
    return bool(run.of("ended", ATTACKER) and run.of("ended", "victim")) or bool(run.of("stopped"))


def _answered(count: int, what: str) -> Verdict:
    """Each of the `count` deeds was answered; decent requests were served before and after, and another's too."""

    def judge(run: Run, targets: list[Target]) -> str:
        nobody_escaped(run)
        assert len(run.lines("attempting")) == count == len(run.lines("answer")), run.debug
        assert run.lines("fair") == ["fair 0"] * 2 and run.lines("served") == ["served 20 of 20"], run.debug
        assert [each["status"] for each in run.of("ended")] == [0, 0], run.events
        others_unharmed(run)
        return f"{what} answered, 20 requests of another client served"

    return judge


def _server_stopped(run: Run, targets: list[Target]) -> str:
    """In the control the server itself went astray."""
    (stop,) = run.of("stopped")[:1]
    assert run.lines("attempting") and (stop["partition"], stop["vector"]) == ("io", 14), (run.debug, run.events)
    return f"after '{run.lines('attempting')[-1]}' the server was stopped by a page fault at {stop['address']}"


def _chains(name: str, promise: str, planted: str, count: int) -> Promise:
    layout, answered = chained("chains.c", name.upper()), _answered(count, f"{count} bad chains")
    return Promise(f"chain-{name}", promise, "chains.c", layout, planted, answered, _server_stopped, done=_over)


CHANNELS = (
    _chains("circles", "no chain of a client is followed for ever", "chain-limit", 3),
    _chains("jumps", "no index of a client leads out of its table", "chain-mask", 2),
    _chains("outside", "no address and no length of a client leads out of its window", "window-bound", 14),
    Promise(
        "chain-rewritten",
        "no request changes once its server has read it",
        "rewrites.c",
        chained("rewrites.c"),
        "chain-copy",
        _answered(12, "12 requests rewritten in flight, as they were when the server read them,"),
        _server_stopped,
        done=_over,
        extra=SLOW_DISK,
    ),
    Promise(
        "chain-untaken",
        "who takes no completion harms nobody",
        "never_takes.c",
        chained("never_takes.c"),
        "used-mask",
        _answered(1, "4096 requests, of which no completion was taken,"),
        _server_stopped,
        done=_over,
    ),
)

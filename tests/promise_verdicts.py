# SPDX-License-Identifier: Apache-2.0
"""How runs are judged: by the line before the deed and the exact stop reason, or the exact statuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from parclose.constants import constants
from promise_kit import Run
from promise_targets import ATTACKER, Target

Verdict = Callable[[Run, list[Target]], str]
GENERAL_PROTECTION, PAGE_FAULT, INVALID_OPCODE, DEBUG = 13, 14, 6, 1
_MOST_CODES = 16  # that are written out
_NAMES = {DEBUG: "#DB", GENERAL_PROTECTION: "#GP", PAGE_FAULT: "#PF", INVALID_OPCODE: "#UD"}


def page_faults(error: int) -> Verdict:
    """The attacker was stopped once at each target, by a page fault with this error code and that address."""

    def judge(run: Run, targets: list[Target]) -> str:
        expected = [(PAGE_FAULT, error, target.virtual) for target in targets]
        stopped_at_each(run, expected)
        return f"#PF, error {error:#x}, at each of {len(targets)} addresses"

    return judge


def faults(vector: int, errors: Sequence[int]) -> Verdict:
    """The attacker was stopped once at each deed, by `vector` with these error codes."""

    def judge(run: Run, targets: list[Target]) -> str:
        stopped_at_each(run, [(vector, error, 0) for error in errors])
        codes = ", ".join(f"{error:#x}" for error in sorted(set(errors)))
        if len(set(errors)) > _MOST_CODES:
            codes = f"from {min(errors):#x} to {max(errors):#x}"
        return f"{_NAMES[vector]}, error {codes}, {len(errors)} times"

    return judge


def stopped_at_each(run: Run, expected: list[tuple[int, int, int]]) -> None:
    nobody_escaped(run)
    stops = run.of("stopped", ATTACKER)
    found = [(stop.get("vector"), stop.get("error"), int(stop.get("address", "0"), 16)) for stop in stops]
    assert found == expected, f"stopped by {found}, not {expected}\n{run.debug}"
    for stop in stops:  # the instruction stands in its own program, or is what could not be executed
        own = range(constants()["PROGRAM_ADDRESS"], constants()["STACK_TOP_ADDRESS"])
        assert int(stop["rip"], 16) in own or stop["rip"] == stop["address"], stop
    assert len(run.lines("attempting")) == len(expected), run.debug
    assert [each["status"] for each in run.of("ended", ATTACKER)] == [0], run.events
    others_unharmed(run)


def statuses(count: int, fair: int = 0, attempts: int | None = None) -> Verdict:
    """The attacker got the status that it expects `count` times; before, it said so (`attempts`: for several at once).

    `fair` calls were granted.
    """

    def judge(run: Run, targets: list[Target]) -> str:
        nobody_escaped(run)
        found = [line.split()[1] for line in run.lines("status")]
        assert len(found) == count, f"{len(found)} statuses, not {count}\n{run.debug}\n{run.events}"
        assert len(run.lines("attempting")) == (attempts or count) + fair, run.debug
        assert run.lines("fair") == ["fair 0"] * fair, run.debug
        ended = run.of("ended", ATTACKER) or run.of("ended", "server")
        assert [each["status"] for each in ended] == [0], run.events
        others_unharmed(run)
        return f"status {', '.join(sorted(set(found), key=int))}, {count} times"

    return judge


def nothing_found(run: Run, targets: list[Target]) -> str:
    """A spy looked and found nothing."""
    nobody_escaped(run)
    assert len(run.lines("attempting")) == 1, run.debug
    assert [each["status"] for each in run.of("ended", ATTACKER)] == [0], (run.events, run.debug)
    others_unharmed(run)
    return "nothing found, at entry and after 12 switches"


def nobody_escaped(run: Run) -> None:
    assert not run.lines("escaped"), run.debug
    assert not run.of("panic") and not run.of("manager-stopped"), run.console


def others_unharmed(run: Run) -> None:
    """Nobody but the attacker was stopped, other than by faults that its own program means to cause."""
    harmed = [each for each in run.of("stopped") if each["partition"] not in (ATTACKER, "client")]
    assert harmed == [] and run.of("refused") == [], run.events


def escaped(count: int | None = None) -> Verdict:
    """In the control the same program succeeded: `count` times, or at every target."""

    def judge(run: Run, targets: list[Target]) -> str:
        found, wanted = run.lines("escaped"), count or len(targets)
        assert len(found) == wanted, (
            f"{len(found)} deeds of {wanted} succeeded\n{run.debug}\n{run.events}\n{run.console}"
        )
        assert len(run.lines("attempting")) >= (1 if count else wanted)
        return f"{found[0]}" + (f", and {len(found) - 1} more" if len(found) > 1 else "")

    return judge


def escaped_some(run: Run, targets: list[Target]) -> str:
    """In the control at least one deed succeeded; a call that was granted says most."""
    found = run.lines("escaped")
    assert run.lines("attempting") and found, f"nothing succeeded\n{run.debug}\n{run.events}\n{run.console}"
    return next((line for line in found if "status 0" in line), found[0])


def granted(run: Run, targets: list[Target]) -> str:
    """In the control at least one call that must not be was granted."""
    found = escaped_some(run, targets)
    assert "status 0" in found, f"no call was granted\n{run.debug}"
    return found


def panicked(*words: str) -> Verdict:
    """In the control the deed reached the monitor itself: its epitaph has these words."""

    def judge(run: Run, targets: list[Target]) -> str:
        assert run.lines("attempting") and run.of("panic"), f"no epitaph\n{run.debug}\n{run.events}\n{run.console}"
        missing = [word for word in words if word not in run.console]
        assert not missing, f"{missing} not in the epitaph:\n{run.console}"
        return "the monitor's epitaph: " + ", ".join(words)

    return judge


def panicked_or_escaped(run: Run, targets: list[Target]) -> str:
    """In the control a deed succeeded, or went so far astray that the monitor itself faulted."""
    assert run.lines("attempting") and (run.lines("escaped") or run.of("panic")), (run.debug, run.events, run.console)
    return run.lines("escaped")[0] if run.lines("escaped") else "the monitor's epitaph"

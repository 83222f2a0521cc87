# SPDX-License-Identifier: Apache-2.0
"""What the README says is not protected, each with the program that shows it."""

from __future__ import annotations

from promise_devices import DMA
from promise_kit import Patch, Promise, Run
from promise_layouts import PASSED_ON, TIMED
from promise_targets import ATTACKER, Target
from promise_verdicts import nobody_escaped

SECRET = 0xA5C3  # of TIMED


def _learnt(run: Run, targets: list[Target]) -> str:
    """The spy has the other's secret, which it has no address, channel or region to get at."""
    nobody_escaped(run)
    assert run.lines("attempting") and run.lines("learnt") == [f"learnt {SECRET:x}"], (run.debug, run.events)
    return f"16 bits of its neighbour, {SECRET:#x}, in 16 turns of 8 ms"


def _passed_on(run: Run, targets: list[Target]) -> str:
    """The console shows other letters than the guest wrote."""
    assert "speaker| etteck et dewn" in run.console and "attack at dawn" not in run.console, (run.console, run.events)
    return "the guest wrote 'attack at dawn', the console shows 'etteck et dewn'"


TIMING = Promise(
    "timing",
    "one partition can learn what another does from the time that it leaves, or takes",
    "timing_spy.c",
    TIMED.format(secret=SECRET),
    "",
    _learnt,
    _learnt,
    counted=True,
    done=lambda run: bool(run.of("ended", ATTACKER) or run.of("stopped")),
)

TRUSTED_SERVER = Promise(
    "trusted-server",
    "an I/O partition can change what it passes between its device and its clients",
    "passed_on.c",
    PASSED_ON,
    "",
    _passed_on,
    _passed_on,
    partitions=(
        Patch(
            "io/server/console_output.c",
            "accept(client, text[client->position])",
            "accept(client, text[client->position] == 'a' ? 'e' : text[client->position])",
        ),
    ),
)

UNPROTECTED = (DMA, TIMING, TRUSTED_SERVER)

# SPDX-License-Identifier: Apache-2.0
"""Promises about owners of devices, and what is not promised of them: DMA."""

from __future__ import annotations

from promise_kit import Promise, Run
from promise_layouts import OVERWRITTEN, owner
from promise_processor import finished
from promise_targets import ATTACKER, Target
from promise_verdicts import (
    GENERAL_PROTECTION,
    INVALID_OPCODE,
    escaped,
    escaped_some,
    faults,
    granted,
    nobody_escaped,
    others_unharmed,
    page_faults,
    statuses,
)


def _device_stands_still(run: Run, targets: list[Target]) -> str:
    """The device worked in life 1, and did nothing in life 2."""
    nobody_escaped(run)
    assert run.lines("fair") == ["fair 0"] and len(run.lines("attempting")) == 2, run.debug
    stops = [(each["vector"], each["life"]) for each in run.of("stopped", ATTACKER)]
    assert stops == [(INVALID_OPCODE, 1)], run.events
    assert [(each["life"], each["status"]) for each in run.of("ended", ATTACKER)] == [(2, 0)], run.events
    others_unharmed(run)
    return "no completion and no byte from the device in the next life"


def overwritten(run: Run, targets: list[Target]) -> str:
    """The device of a trusted partition wrote over its neighbour's page: its identity (NVMe 1.4, figure 247)."""
    assert run.lines("attempting") and run.lines("overwritten:") == ["overwritten: 36 1b instead of 5a 5a"], (
        run.debug,
        run.events,
    )
    return f"the device wrote over {targets[0].label}, at {targets[0].physical:#x}"


def _bar_moved(run: Run, targets: list[Target]) -> str:
    """In the control every deed succeeded, and the register held the address that was written."""
    escaped(6)(run, targets)
    moved = [line for line in run.lines("escaped") if line.endswith("BAR 0 is e2000004")]
    assert moved, run.debug
    return moved[0]


# Not a promise: what a partition that the layout calls `dma: trusted` can do to any other.
DMA = Promise(
    "dma-trusted",
    "a partition with `dma: trusted` can have its device write over any memory, the monitor's too",
    "dma_trusted.c",
    OVERWRITTEN,
    "",
    overwritten,
    overwritten,
    targets="last_page_of_victim",
    done=lambda run: bool(run.lines("overwritten:")) or bool(run.of("stopped")),
)

DEVICES = (
    Promise(
        "call-role-io",
        "the manager's calls do not exist for an I/O partition",
        "calls_role.c",
        owner("calls_role.c"),
        "role-table-io",
        statuses(39),
        granted,
        done=finished,
    ),
    Promise(
        "own-bar",
        "not even its owner moves a device's registers",
        "own_bar.c",
        owner("own_bar.c"),
        "ports",
        faults(GENERAL_PROTECTION, [0] * 6),
        _bar_moved,
        done=finished,
    ),
    Promise(
        "own-vectors",
        "not even its owner writes a device's table of interrupt vectors",
        "write.c",
        owner("write.c"),
        "own-vectors",
        page_faults(6),
        escaped(),
        targets="own_vectors",
        done=finished,
    ),
    Promise(
        "bus-master",
        "a device whose owner stopped does no DMA until the next life has reset it",
        "bus_master.c",
        owner("bus_master.c"),
        "bus-master",
        _device_stands_still,
        escaped_some,
        done=finished,
    ),
)

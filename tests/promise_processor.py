# SPDX-License-Identifier: Apache-2.0
"""Promises about single steps, flags, far jumps, INT n and extended state."""

from __future__ import annotations

import promise_verdicts as verdicts
from promise_kit import Promise, Run
from promise_layouts import duel
from promise_targets import ATTACKER, Target
from promise_verdicts import DEBUG, GENERAL_PROTECTION, INVALID_OPCODE, PAGE_FAULT, Verdict, faults, panicked

_FAR_SELECTORS = (0x08, 0x08, 0x10, 0x10, 0x18, 0x18, 0x28, 0x28, 0x30, 0x30, 0x38, 0xFFF8, 0, 0, 0x04, 0x0C)
_LIES = 7  # images with something wrong in them


def finished(run: Run) -> bool:
    """Whether the attacker has ended."""
    return bool(run.of("ended", ATTACKER))


def _deeds(name: str, promise: str, guest: str, planted: str, attack: Verdict, control: Verdict) -> Promise:
    return Promise(name, promise, guest, duel(guest), planted, attack, control, done=finished)


def _own_faults_then_one_page_fault(run: Run, targets: list[Target]) -> str:
    """Every crooked image is the program's own #GP; the write of the monitor's image is its #PF."""
    expected = [(GENERAL_PROTECTION, 0, 0)] * _LIES + [(PAGE_FAULT, 6, targets[0].virtual)]
    verdicts.stopped_at_each(run, expected)
    return f"#GP, error 0x0, {_LIES} times; #PF, error 0x6, at the monitor's image"


def _record_is_wrong(run: Run, targets: list[Target]) -> str:
    """In the control the monitor copied backwards: its record of the stop is wrong, or it went astray itself."""
    assert run.lines("attempting"), (run.debug, run.events)
    if run.of("panic"):
        return "the monitor's epitaph"
    first = run.of("stopped", ATTACKER)[0]
    assert (first["vector"], first["error"]) != (INVALID_OPCODE, 0) or int(first["rip"], 16) < 0x400000, first
    return f"the record of the stop says vector {first['vector']}, rip {first['rip']}"


def _interrupt_order() -> list[int]:
    """As every_interrupt.c tries them."""
    return [*range(32, 256), *range(8, 32), *range(8)]


PROCESSOR = (
    _deeds(
        "single-step",
        "no single step reaches the monitor",
        "single_step.c",
        "step-mask",
        faults(DEBUG, [0] * 6),
        panicked("vec 0x0000000000000001"),
    ),
    _deeds(
        "fault-flags",
        "no flag of a faulting program reaches the monitor",
        "fault_flags.c",
        "fault-flags",
        faults(INVALID_OPCODE, [0] * 6),
        _record_is_wrong,
    ),
    _deeds(
        "far-jump",
        "no far jump leads out of ring 3",
        "far_jump.c",
        "ring-3",
        faults(GENERAL_PROTECTION, _FAR_SELECTORS),
        verdicts.escaped_some,
    ),
    # Intel SDM 3A, 6.13 has the vector times 8 in the error code; QEMU 7.2 in long mode times 16 (do_interrupt64).
    _deeds(
        "every-interrupt",
        "no program forges an interrupt or an exception, of any vector",
        "every_interrupt.c",
        "gate-privilege",
        faults(GENERAL_PROTECTION, [vector * 16 + 2 for vector in _interrupt_order()]),
        verdicts.escaped(224),
    ),
    Promise(
        "xsave-image",
        "no image of extended state but the monitor's own is loaded by it",
        "xsave_image.c",
        duel("xsave_image.c"),
        "context-image",
        _own_faults_then_one_page_fault,
        panicked("vec 0x000000000000000d"),
        targets="own_image",
        done=finished,
    ),
)

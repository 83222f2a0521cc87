# SPDX-License-Identifier: Apache-2.0
"""Figures that guests measure themselves, by the clock, under -icount: a tick is an instruction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.counting import BOOT, ENTER, count, entered
from bench.figure import Figure, Measure, median
from bench.guest import LINE, NotMeasured, build, build_guests, run
from bench.profile import where
from parclose.constants import constants

LEAST_SAMPLES = 1000
LEAST_ROUNDS = 20  # of a stream
LEAST_RESTARTS = 50


def partition_switch() -> Figure:
    """From `first` to `second` by the timer. The store after `first`'s last reading is always its own: one less."""
    samples = _samples(run(build_guests("switch")).samples, "partition-switch")
    others = _samples(run(build_guests("switch", "io_first.yaml")).samples, "partition-switch")
    return _figure(
        "partition-switch",
        [sample - 1 for sample in samples],
        150,
        f"from the last instruction of `first` to the first of `second`, by their readings of the clock "
        f"(guests/switch): at most 2 instructions of their own are in it; {median(others) - 1:.0f} where an "
        "I/O partition that waits stands before `second` in its frame",
        {"seL4": 378, "PRTOS": 1467, "Linux": 3852},
        "switch",
    )


def calls() -> list[Figure]:
    """Calls from the SYSCALL instruction to the one before the next of the caller."""
    samples = run(build_guests("calls")).samples
    own = overhead(samples)
    poll = median(_samples(samples, "poll")) - own
    null = _figure(
        "null-call",
        [sample - own for sample in _samples(samples, "no-call")],
        60,
        f"from SYSCALL to the instruction after it, of a call that the role does not have (guests/calls); "
        f"a poll for events takes {poll:.0f}",
        {"PRTOS": 247, "seL4": 275, "Linux": 337},
        "no-call",
    )
    trip = _figure(
        "round-trip",
        [sample - own for sample in _samples(samples, "round-trip")],
        260,
        "from the SYSCALL of signal-and-wait to the instruction after it (guests/calls): the other partition's "
        "5 instructions are in it",
        {"seL4": 491, "seL4 MCS": 634},
        "round-trip",
    )
    return [trip, null]


def convert() -> Figure:
    """One conversion; the worst is on the stack, which is the last region looked at."""
    samples = run(build_guests("convert")).samples
    own = overhead(samples)
    values = [sample - own for sample in _samples(samples, "convert")]
    worst = max(*values, *(sample - own for sample in _samples(samples, "convert-stack")))
    between = (
        "from SYSCALL to the instruction after it, one entry in the client's data, of a user's own I/O partition "
        "(guests/convert); worst: on its stack"
    )
    return Figure("convert", median(values), "instructions", 120, between, len(values), worst, {}, where("convert"))


def boot_to_manager() -> Figure:
    """The example's image, by the counting plugin: no guest sees the monitor's first instruction."""
    _, counts = count(build(LINE), f"until={constants()['PROGRAM_ADDRESS']:#x}", any_end=True)
    if len(counts.totals.get(BOOT, ())) != 1:
        raise NotMeasured("the manager was not reached")
    between = "executed from the image's first instruction to the manager's, by the counting plugin (counter.c)"
    peers = {"seL4 without its waits": 810_000}
    return Figure(
        "boot-to-manager", counts.totals[BOOT][0], "instructions", 1_000_000, between, peers=peers, where=where("boot")
    )


def stream_share() -> Figure:
    """Large messages, made and read where they stand in the channel; the copy into it is the only one."""
    samples = run(build_guests("stream")).samples
    plain, stream = (_samples(samples, name, LEAST_ROUNDS) for name in ("plain", "stream"))
    shares = [round(alone / carried, 4) for alone, carried in zip(plain, stream, strict=True)]
    between = (
        "bytes per instruction from before the first of 16 messages of 256 KiB to the answer to the last, both "
        "guests and the monitor in it, as a share of the same bytes copied by memcpy within one guest "
        "(guests/stream); the source copies into the channel, the sink reads there; every byte compared before the "
        "first round"
    )
    return Figure(
        "stream-share",
        median(shares),
        "of memcpy",
        0.95,
        between,
        len(shares),
        min(shares),
        more_is_better=True,
        where=lambda: _stream_costs(plain, stream),
    )


def _stream_costs(plain: Sequence[int], stream: Sequence[int]) -> str:
    return f"{(median(stream) - median(plain)) / 16:,.0f} instructions a message besides the copy's {plain[0] // 16:,}"


def restart_time() -> Figure:
    """From the faulting instruction to the first of the next life, with everything that is executed between."""
    image = build_guests("restart")
    _, counts = count(image, entered(image, "faulter"), any_end=True)
    totals = counts.totals.get(ENTER, ())
    if len(totals) < LEAST_RESTARTS:
        raise NotMeasured(f"restart-time: {len(totals)} restarts were counted, {LEAST_RESTARTS} are needed")
    between = (
        "executed from an instruction that faults, it included, to the partition's first of its next life, by the "
        "counting plugin, under -icount: monitor, and manager with its report and its log (guests/restart)"
    )
    return Figure(
        "restart-time",
        median(totals),
        "instructions",
        20_000,
        between,
        len(totals),
        max(totals),
        where=where("restart"),
    )


def overhead(samples: Mapping[str, Sequence[int]]) -> int:
    """Ticks between two readings of the clock around nothing. Raises `NotMeasured` unless it is the same every time."""
    found = set(_samples(samples, "nothing"))
    if len(found) != 1:
        raise NotMeasured(f"two readings of the clock are between {min(found)} and {max(found)} ticks apart")
    return found.pop()


def _samples(samples: Mapping[str, Sequence[int]], name: str, least: int = LEAST_SAMPLES) -> Sequence[int]:
    found = samples.get(name, ())
    if len(found) < least:
        raise NotMeasured(f"{name}: {len(found)} samples, {least} are needed")
    return found


def _figure(
    name: str, samples: Sequence[int], goal: int, between: str, peers: Mapping[str, float], subject: str
) -> Figure:
    value = median(samples)
    return Figure(name, value, "instructions", goal, between, len(samples), max(samples), peers, where(subject))


FIGURES: list[Measure] = [partition_switch, calls, convert, boot_to_manager, stream_share, restart_time]

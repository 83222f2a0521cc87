# SPDX-License-Identifier: Apache-2.0
"""4 KiB reads through the I/O partition: instructions of all sides for a request, by the counting plugin."""

from __future__ import annotations

from bench.counting import Counts, count
from bench.disk import REQUESTS, ROUNDS, disk
from bench.figure import Figure, Measure, median
from bench.guest import NotMeasured, build_guests
from bench.profile import where


def block_reads() -> list[Figure]:
    """Without -icount: an idle machine's clock would run away from its disk."""
    _, counts = count(build_guests("block"), extra=(), disks={"nvme0": disk()})
    return [
        _figure("block-4k", counts, 1, 4000, "one at a time"),
        _figure("block-4k-deep", counts, 2, 1200, "32 under way"),
    ]


def _figure(name: str, counts: Counts, mark: int, goal: int, how: str) -> Figure:
    totals = counts.totals.get(mark, ())
    if len(totals) != ROUNDS:
        raise NotMeasured(f"{name}: {len(totals)} rounds were counted, {ROUNDS} are needed")
    values = [round(total / REQUESTS) for total in totals]
    between = (
        f"executed by monitor, I/O partition, guest and manager for one of {REQUESTS} reads of 4 KiB at random "
        f"distinct places, {how}, by the counting plugin (guests/block); every byte compared afterwards; median and "
        f"worst of {ROUNDS} rounds"
    )
    return Figure(
        name,
        median(values),
        "instructions",
        goal,
        between,
        ROUNDS,
        max(values),
        {"Linux alone": 19_200},
        where(name),
    )


LARGE_READS = 16  # of a round, as in guests/block/large.h


def block_large() -> Figure:
    """Reads of 1 MiB by a guest through the I/O partition, and by the driver alone."""
    served, alone = (_large(layout) for layout in ("large.yaml", "alone.yaml"))
    shares = [round(median(alone) / each, 3) for each in served]
    between = (
        f"bytes per instruction of all sides for {LARGE_READS} reads of 1 MiB, 8 under way, through the I/O partition, "
        f"as a share of those of the NVMe driver alone in a partition that owns the controller (guests/block/large.c, "
        f"alone.c), by the counting plugin; every byte compared afterwards; median and worst of {ROUNDS} rounds"
    )
    return Figure(
        "block-1m-share",
        median(shares),
        "of the driver alone",
        0.95,
        between,
        ROUNDS,
        min(shares),
        more_is_better=True,
        where=lambda: f"{median(served):,.0f} instructions a read, the driver alone {median(alone):,.0f}",
    )


def _large(layout: str) -> list[int]:
    """Instructions of one read, in each round."""
    _, counts = count(build_guests("block", layout), extra=(), disks={"nvme0": disk()})
    totals = counts.totals.get(1, ())
    if len(totals) != ROUNDS:
        raise NotMeasured(f"{layout}: {len(totals)} rounds were counted, {ROUNDS} are needed")
    return [round(total / LARGE_READS) for total in totals]


FIGURES: list[Measure] = [block_reads, block_large]

# SPDX-License-Identifier: Apache-2.0
"""Frames through the I/O partition's switch: instructions of all sides for each, by the counting plugin."""

from __future__ import annotations

from bench.counting import Counts, count
from bench.figure import Figure, Measure, median
from bench.guest import NotMeasured, build_guests
from bench.profile import where
from bench.wire import FRAMES, ROUNDS, Mirror


def network_card() -> list[Figure]:
    """Without -icount: an idle machine's clock would run away from its wire."""
    with Mirror() as mirror:
        _, counts = count(build_guests("network"), extra=(), networks={"nic0": mirror.netdev})
    way = "from a guest by e1000e to the wire, and one back into the guest"
    return [
        _figure("net-64", counts, 1, 2000, FRAMES, f"a frame of 64 bytes {way}"),
        _figure("net-1500", counts, 2, 2000, FRAMES, f"a frame of 1,500 bytes {way}"),
    ]


def network_local() -> Figure:
    """One way between two guests; the other end says of every sixteenth frame that it is there: counted too."""
    _, counts = count(build_guests("network", "local.yaml"), extra=())
    what = "a frame of 1,500 bytes, made in the channel, to another guest (and a short one back for sixteen of them)"
    return _figure("net-local-1500", counts, 3, 1200, FRAMES, what)


def _figure(name: str, counts: Counts, mark: int, goal: int, frames: int, what: str) -> Figure:
    totals = counts.totals.get(mark, ())
    if len(totals) != ROUNDS:
        raise NotMeasured(f"{name}: {len(totals)} rounds were counted, {ROUNDS} are needed")
    values = [round(total / frames) for total in totals]
    between = (
        f"executed by monitor, I/O partition, guests and manager for {what}, {FRAMES} with 32 under way, by the "
        f"counting plugin (guests/network); every byte compared in a round before; median and worst of {ROUNDS} rounds"
    )
    return Figure(name, median(values), "instructions", goal, between, ROUNDS, max(values), where=where(name))


FIGURES: list[Measure] = [network_card, network_local]

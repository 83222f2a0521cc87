# SPDX-License-Identifier: Apache-2.0
"""4 KiB reads, 32 under way, by each disk driver: instructions of all sides, doorbells and interrupts for a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.counting import Counts, count, interrupts, registers
from bench.disk import REQUESTS, ROUNDS, disk
from bench.figure import Figure, Measure, median
from bench.guest import NotMeasured, build_guests
from bench.profile import where

DEEP = 2  # the mark of the counts with 32 reads under way in guests/block/reader.c
PEERS = {"Linux alone": 19_200}


@dataclass(frozen=True)
class Driver:
    """A driver: the layout in guests/block that uses it, the device, and what bench.profile calls it."""

    name: str
    layout: str
    device: str
    subject: str


DRIVERS = (
    Driver("nvme", "layout.yaml", "nvme0", "block-4k-deep"),
    Driver("ahci", "ahci.yaml", "ahci0", "block-4k-ahci"),
    Driver("virtio", "virtio.yaml", "vblk0", "block-4k-virtio"),
)


def disk_drivers() -> list[Figure]:
    """Each driver in runs of its own. Without -icount: an idle machine's clock would run away from its disk.

    Looking at every store slows the machine, but not its disk: so doorbells are counted apart.
    """
    found = [_instructions(driver, _counted(driver)) for driver in DRIVERS]
    counted = {driver: _counted(driver, stores=True) for driver in DRIVERS}
    doorbells = {driver.name: counts.stored.get(DEEP, ()) for driver, counts in counted.items()}
    taken = {driver.name: counts.watched.get(DEEP, ()) for driver, counts in counted.items()}
    found.append(_each("doorbells-per-request", doorbells, "stores to the device's registers"))
    found.append(_each("interrupts-per-request", taken, "interrupts that the monitor took"))
    return found


def _counted(driver: Driver, stores: bool = False) -> Counts:
    image = build_guests("block", driver.layout)
    words = (registers(image, driver.device), interrupts(image)) if stores else ()
    _, counts = count(image, *words, extra=(), disks={driver.device: disk()})
    if len(counts.totals.get(DEEP, ())) != ROUNDS:
        raise NotMeasured(f"{driver.name}: {len(counts.totals.get(DEEP, ()))} rounds were counted, not {ROUNDS}")
    return counts


def _instructions(driver: Driver, counts: Counts) -> Figure:
    values = [round(total / REQUESTS) for total in counts.totals[DEEP]]
    between = (
        f"executed by monitor, I/O partition, guest and manager for one of {REQUESTS} reads of 4 KiB at random "
        f"distinct places of a disk on the {driver.name} driver, 32 under way, by the counting plugin (guests/block); "
        f"every byte compared afterwards; median and worst of {ROUNDS} rounds"
    )
    worst = max(values)
    name = f"block-4k-{driver.name}"
    return Figure(name, median(values), "instructions", 1100, between, ROUNDS, worst, PEERS, where(driver.subject))


def _each(name: str, totals: Mapping[str, Sequence[int]], what: str) -> Figure:
    """The driver with the most, and in words all of them."""
    medians = {driver: round(median(values) / REQUESTS, 3) for driver, values in totals.items()}
    if 0 in medians.values():
        raise NotMeasured(f"{name}: nothing was counted ({medians})")
    said = ", ".join(f"{driver} {value}" for driver, value in medians.items())
    worst = round(max(max(values) for values in totals.values()) / REQUESTS, 3)
    between = (
        f"{what} for one of the reads of block-4k-{'|'.join(medians)}: {said}; median and worst of {ROUNDS} rounds"
    )
    return Figure(name, max(medians.values()), "a request", 0.1, between, ROUNDS, worst)


FIGURES: list[Measure] = [disk_drivers]

# SPDX-License-Identifier: Apache-2.0
"""Figures of the schedule: what a switch makes the processor forget, how it scales, and what a budget holds back."""

from __future__ import annotations

from collections.abc import Sequence

from bench import scaling, serialising
from bench.counting import SWITCH, count, way
from bench.disk import disk
from bench.figure import Figure, Measure, median
from bench.guest import Image, NotMeasured, build_guests, run
from bench.profile import where

LEAST_SAMPLES = 1000


def switch_serialising() -> Figure:
    """Of the instructions of a switch those that the monitor's listing shows to be serialising or flushing."""
    image = build_guests("switch")
    watched = ":".join(f"{address:#x}" for address in serialising.addresses(image))
    _, counts = count(image, *way(image, "first", "second"), f"watch={watched}")
    found = _enough("switch-serialising", counts.watched.get(SWITCH, ()))
    between = (
        "executed in ring 0 between the last instruction of `first` and the first of `second`, by the counting "
        "plugin, of those that write control, debug or model-specific registers, load descriptor tables, save or "
        "load extended state, return to ring 3, invalidate or fence (guests/switch, bench/serialising.py); the "
        "APIC is told by two stores besides"
    )
    return Figure(
        "switch-serialising", median(found), "instructions", 8, between, len(found), max(found), where=where("switch")
    )


def switch_scaling() -> Figure:
    """The same switch among more partitions and in a longer table, all against the smallest."""
    cases = [(scaling.FEW, scaling.SHORT), (scaling.MANY, scaling.SHORT), (scaling.FEW, scaling.LONG)]
    few, *others = (_switches(scaling.image(partitions, frames)) for partitions, frames in cases)
    ratios = [round(median(other) / median(few), 4) for other in others]
    worst = max(max(other) for other in others) / max(few)
    between = (
        f"partition-switch with {scaling.FEW} partitions beside manager and I/O partition and {scaling.SHORT} minor "
        f"frames: {median(few)} instructions; with {scaling.MANY} partitions in all {median(others[0])}, with "
        f"{scaling.LONG} minor frames {median(others[1])}; the larger ratio of the medians of {len(few)}; worst: of "
        "the longest (guests/scaling). Caches are not emulated"
    )
    return Figure(
        "switch-scaling", max(ratios), "ratio", 1.02, between, len(few), round(worst, 4), where=where("switch")
    )


def frame_theft() -> Figure:
    """What the sensor lost of each of its frames; the budget is a promise, so the worst frame counts."""
    image = build_guests("theft")
    samples = run(image, disks={"nvme0": disk()}).samples
    lost = _enough("frame-theft", samples.get("lost", ()))
    budget = _budget(image, "sensor", "io")
    between = (
        f"instructions of the sensor's minor frame that were not its own, in each of {len(lost)} frames, by its "
        "readings of the clock, while the logger floods the I/O partition (guests/theft); goal: the budget of the "
        "I/O partition in that frame, which is what the layout declares"
    )
    return Figure(
        "frame-theft",
        median(lost),
        "instructions",
        budget,
        between,
        len(lost),
        max(lost),
        where=lambda: _theft(lost, max(samples["interruptions"]), budget),
        bound=True,
    )


def _switches(image: Image) -> Sequence[int]:
    return [sample - 1 for sample in _enough(image.name, run(image).samples.get("partition-switch", ()))]


def _enough(name: str, samples: Sequence[int]) -> Sequence[int]:
    if len(samples) < LEAST_SAMPLES:
        raise NotMeasured(f"{name}: {len(samples)} samples, {LEAST_SAMPLES} are needed")
    return samples


def _budget(image: Image, partition: str, before: str) -> int:
    """What the layout gives `before` in the frame of `partition`: nanoseconds, which are instructions under -icount."""
    for frame in image.build.system.schedules[0].frames:
        names = [slot.partition for slot in frame.slots]
        if partition in names:
            return frame.slots[names.index(before)].budget
    raise NotMeasured(f"{image.name}: {partition} has no frame")


def _theft(lost: Sequence[int], interruptions: int, budget: int) -> str:
    over = sum(each > budget for each in lost)
    return (
        f"in {over} of {len(lost)} frames more than the budget was lost, at the worst {max(lost) - budget:,} more; the "
        f"median is {median(lost) - budget:+,.0f} from it. What the planner takes out of the budget for switches, a "
        "call under way when it ends and interrupts (COST_ in abi/limits.h) was not enough; "
        f"at most {interruptions} interruption(s) of the sensor in a frame"
    )


FIGURES: list[Measure] = [switch_serialising, switch_scaling, frame_theft]

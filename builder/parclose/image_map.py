# SPDX-License-Identifier: Apache-2.0
"""The image's map as text: physical memory from end to end, then what each partition sees where."""

from __future__ import annotations

from collections.abc import Iterator

from parclose.planned import Plan, PlannedPartition, Stretch


def text(name: str, plan: Plan) -> str:
    """The map of the layout called `name`."""
    lines = [f"Map of {name}", "", "Physical memory (start, end, size, what, whose)"]
    lines += [
        f"  {extent.physical:#012x} {extent.end:#012x} {extent.size:#10x}  {extent.name}"
        + (f" ({extent.owner})" if extent.owner and extent.owner not in extent.name else "")
        for extent in plan.extents
    ]
    lines += ["", "Ring 0, in every root (virtual, physical, size, rights, what)", *_stretches(plan.shared_stretches)]
    for partition in plan.partitions:
        lines += ["", *_partition(partition)]
    return "\n".join(lines) + "\n"


def _partition(partition: PlannedPartition) -> Iterator[str]:
    own = partition.partition
    yield f"Partition {own.name} ({own.role.value}): entry {partition.entry:#x}, root {partition.root:#x}"
    if partition.ports:
        ranges = ", ".join(f"{first:#x}-{first + count - 1:#x}" for first, count in partition.ports)
        yield f"  ports {ranges}"
    yield from _stretches(partition.stretches)


def _stretches(stretches: tuple[Stretch, ...]) -> Iterator[str]:
    for each in stretches:
        ring = "ring 3" if each.user else "ring 0"
        kind = " uncached" if each.uncached else ""
        yield (
            f"  {each.virtual:#018x} {each.physical:#012x} {each.size:#10x}  {each.rights} {ring}{kind}  {each.label}"
        )

# SPDX-License-Identifier: Apache-2.0
"""Shared and preloaded memory: one writer at most, any number of readers."""

from __future__ import annotations

from parclose import files
from parclose.constants import constants
from parclose.layout import RawRegion, known
from parclose.problems import Collector, at
from parclose.scope import Scope
from parclose.wording import format_size, round_up


def unknown_partition(scope: Scope, problems: Collector) -> None:
    """P070: a region for a partition that is not there."""
    for region in scope.layout.regions:
        for name, span in known((*region.write, *region.read)):
            scope.check_partition(name, span, problems, at(region.span, "for this region"))


def two_writers(scope: Scope, problems: Collector) -> None:
    """P084: a region that two partitions write."""
    for region in scope.layout.regions:
        writers = [(member, span) for name, span in known(region.write) for member in scope.members(name)]
        if len(writers) > 1:
            (one, first), (other, second) = writers[0], writers[1]
            text = f"'{one}' and '{other}' both write the region '{region.name}'"
            where = at(region.span, "this region") if first == second else at(first, "one writer")
            help = f"keep one, and put '{other}' under 'read'; or make a region for each of them"
            problems.error("P084", text, at(second, "a second writer"), where, help=help)


def reads_twice(scope: Scope, problems: Collector) -> None:
    """P091 (warning): a reader listed twice, or who writes and so reads anyway."""
    for region in scope.layout.regions:
        seen = dict(known(region.write))
        for name, span in known(region.read):
            first = seen.setdefault(name, span)
            if first is not span:
                writes = name in dict(known(region.write))
                text = f"'{name}' stands twice for the region '{region.name}'"
                help = "who writes reads too: remove this one" if writes else "once is enough: remove this one"
                problems.warning("P091", text, at(span, "again"), at(first, "already here"), help=help)


def no_size(scope: Scope, problems: Collector) -> None:
    """P002: a region that has neither a size nor a file."""
    for region in scope.layout.regions:
        if region.size is None and region.source is None:
            text, help = f"the region '{region.name}' has no 'size'", "write size: 64 KiB, or from: FILE"
            problems.error("P002", text, at(region.span, "how large?"), help=help)


def whole_pages(scope: Scope, problems: Collector) -> None:
    """P090: a region that is no number of whole pages, or larger than its part of the address space."""
    page = constants()["PAGE_SIZE"]
    for region in scope.layout.regions:
        size = region.size.value if region.size else None
        if region.size is not None and size is not None and (size % page or not size):
            up = max(round_up(size, page), page)
            near = f"{format_size(up - page)} or {format_size(up)}" if up > page else format_size(up)
            text = f"the region '{region.name}' has {format_size(size)}, no number of whole pages"
            here = at(region.size.span, "not whole pages")
            problems.error("P090", text, here, at(region.span, "this region"), help=f"the nearest: {near}")


def too_large(scope: Scope, problems: Collector) -> None:
    """P086: regions that exceed the part of a partition's address space that is for them."""
    room = constants()["CONFIG_ADDRESS"] - constants()["REGION_ADDRESS"]
    for partition in scope.layout.partitions:
        mine = [region for region in scope.layout.regions if _has(scope, region, partition.name)]
        total = sum((region.size.value or 0) if region.size else 0 for region in mine)
        if total > room:
            largest = max(mine, key=lambda region: (region.size.value or 0) if region.size else 0)
            span = largest.size.span if largest.size else largest.span
            text = f"the regions of '{partition.name}' need {format_size(total)} of addresses, of {format_size(room)}"
            help = f"{format_size(total - room)} must go"
            problems.error("P086", text, at(span, "the largest"), at(partition.span, "this partition"), help=help)


def _has(scope: Scope, region: RawRegion, name: str) -> bool:
    return any(name in scope.members(other) for other, _ in known((*region.write, *region.read)))


def source_file(scope: Scope, problems: Collector) -> None:
    """P050, P085: the file that fills a region is not there, or larger than the region."""
    for region in scope.layout.regions:
        if region.source is None or region.source.value is None:
            continue
        path = scope.layout.folder / region.source.value
        if not files.is_file(path):
            help = files.advice(path, region.source.value)
            text = f"there is no file '{region.source.value[:80]}'"
            problems.error_folded(
                "P050", text, at(region.source.span, "not found"), at(region.span, "fills this region"), help=help
            )
            continue
        held, size = path.stat().st_size, region.size.value if region.size else None
        if size is not None and region.size is not None and held > size:
            need = round_up(held, constants()["PAGE_SIZE"])
            text = (
                f"'{region.source.value}' has {format_size(held)}, the region '{region.name}' only {format_size(size)}"
            )
            labels = at(region.size.span, "too small"), at(region.source.span, "this file")
            problems.error("P085", text, *labels, help=f"write size: {format_size(need)}, or leave 'size' out")


def unused(scope: Scope, problems: Collector) -> None:
    """P088, P089 (warnings): a region nobody sees, or in which there is never anything to read."""
    for region in scope.layout.regions:
        if not region.read and not region.write:
            help = "add read: [NAME] or write: NAME"
            text = f"no partition reads or writes the region '{region.name}'"
            problems.warning(
                "P088", text, at(region.span, "not used"), at(scope.layout.span, "in this layout"), help=help
            )
        elif not region.write and region.source is None:
            text = f"nobody writes the region '{region.name}' and no file fills it: it stays zero"
            place = at(region.read[0].span, "reads it")
            problems.warning("P089", text, at(region.span, "always zero"), place, help="add write: NAME or from: FILE")


CHECKS = (unknown_partition, two_writers, reads_twice, no_size, whole_pages, too_large, source_file, unused)

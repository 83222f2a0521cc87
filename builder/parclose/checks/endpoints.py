# SPDX-License-Identifier: Apache-2.0
"""Endpoints: on what they stand, and which extents they take."""

from __future__ import annotations

import re

from parclose.constants import constants
from parclose.errors import Label
from parclose.kinds import KINDS, endpoint_of
from parclose.layout import RawEndpoint, RawPartition
from parclose.model import Device, DiskPartition
from parclose.problems import Collector, at
from parclose.scope import Scope
from parclose.wording import format_size, round_up, suggestion


def _endpoints(scope: Scope) -> list[tuple[RawPartition, RawEndpoint]]:
    return [(partition, endpoint) for partition in scope.layout.partitions for endpoint in partition.endpoints]


def device_not_owned(scope: Scope, problems: Collector) -> None:
    """P061: an endpoint on a device that its partition does not list. P011 where there is no such device."""
    if scope.facts is None:
        return
    for partition, endpoint in _endpoints(scope):
        name, span = endpoint.device.value, endpoint.device.span
        if name is None or endpoint.closed or name in [given.value for given in partition.devices]:
            continue  # not readable, on no device, or complained about in `devices`
        device = scope.device(name)
        if device is None and name not in scope.aliases:
            help = suggestion(name, scope.device_names(), "devices of this board")
            text = f"the board {scope.facts.name} has no device '{name[:40]}'"
            problems.error_folded(
                "P011", text, at(span, "unknown"), at(scope.layout.board.span, "this board"), help=help
            )
        elif device is not None and scope.sure_of(partition):
            _not_owned(scope, partition, device, endpoint, problems)


def _not_owned(
    scope: Scope, partition: RawPartition, device: Device, endpoint: RawEndpoint, problems: Collector
) -> None:
    if device in [owned for owned, _ in scope.owned(partition)]:
        return
    others = scope.claims.get(device.name, [])
    mine = [name.value for name in partition.devices if name.value] + [device.name]
    help = f"write devices: [{', '.join(mine)}]"
    if others:
        help = f"'{others[0][0].name}' owns it: move the endpoint there"
    text = f"the endpoint '{endpoint.name}' is on {device.name}, which '{partition.name}' does not own"
    other = at(others[0][1], f"owned by '{others[0][0].name}'") if others else at(partition.span, "this partition")
    problems.error("P061", text, at(endpoint.device.span, "not its own"), other, help=help)


def wrong_class(scope: Scope, problems: Collector) -> None:
    """P062: an endpoint on a device of another class, or on what no driver knows."""
    for partition, endpoint in _endpoints(scope):
        device = scope.device(endpoint.device.value)
        builtin = partition.program.builtin if partition.program else None
        if device is None or not scope.facts or not endpoint.kind or endpoint_of(device.kind) == endpoint.kind:
            continue
        if not device.kind and builtin is None:
            continue  # a program of the user's may drive anything
        fitting = [name for name, other in scope.devices.items() if endpoint_of(other.kind) == endpoint.kind]
        kind = device.kind or "unknown kind"
        text = f"a {endpoint.kind} endpoint cannot be on {device.name}, a device of kind {kind}"
        proper = endpoint_of(device.kind)
        meant = f"write {proper}: {device.name}, or " if proper else ""
        help = f"{meant}name {' or '.join(fitting)}" if fitting else f"{meant}leave the endpoint out"
        problems.error(
            "P062", text, at(endpoint.device.span, "of the wrong kind"), at(device.span, "this device"), help=help
        )


def _is_disk(device: Device) -> bool:
    return device.kind in KINDS and KINDS[device.kind].disk


def extent_of(scope: Scope, endpoint: RawEndpoint) -> tuple[Device, int, int] | None:
    """Device, start and size in bytes of a block endpoint, where known. No size: the rest of the device."""
    device = scope.device(endpoint.device.value)
    if endpoint.kind != "block" or device is None or scope.facts is None or not _is_disk(device):
        return None
    planned = planned_partition(device, endpoint)
    if planned is not None:
        return device, planned.start, planned.size
    start = 0 if endpoint.start is None else endpoint.start.value
    if start is None or (endpoint.size is not None and endpoint.size.value is None):
        return None
    size = endpoint.size.value if endpoint.size is not None else None
    return device, start, size if size is not None else max(device.capacity - start, 0)


def planned_partition(device: Device, endpoint: RawEndpoint) -> DiskPartition | None:
    """The partition of the disk that the endpoint names, where the board says its place."""
    label = endpoint.label.value if endpoint.label else None
    return next((each for each in device.partitions if each.name == label), None)


def label_without_a_place(scope: Scope, problems: Collector) -> None:
    """P136: the label of a partition whose place neither the board nor the endpoint says. P137: both say it."""
    for _, endpoint in _endpoints(scope):
        device, label = scope.device(endpoint.device.value), endpoint.label
        if device is None or label is None or label.value is None or endpoint.kind != "block":
            continue
        planned = planned_partition(device, endpoint)
        numbers = [each for each in (endpoint.start, endpoint.size) if each is not None]
        if planned is not None and numbers:
            text = f"the place of the partition '{label.value[:40]}' is said twice"
            help = "leave start and size out of the endpoint"
            problems.error("P137", text, at(numbers[0].span, "here"), at(planned.span, "and here"), help=help)
        elif planned is None and len(numbers) < 2:
            _nowhere(device, endpoint, label.value, problems)


def _nowhere(device: Device, endpoint: RawEndpoint, label: str, problems: Collector) -> None:
    text = f"where the partition '{label[:40]}' lies on {device.name} stands nowhere"
    entry = f"partitions: {{{label[:40]}: {{start: …, size: …}}}}"
    help = f"write start and size beside it, or {entry} for this disk in the board file"
    if device.partitions:
        help = (
            f"{suggestion(label, [each.name for each in device.partitions], f'partitions of {device.name}')}; or {help}"
        )
    span = endpoint.label.span if endpoint.label else endpoint.span
    problems.error("P136", text, at(span, "unknown"), at(device.span, "this disk"), help=help)


def no_label(scope: Scope, problems: Collector) -> None:
    """P138: what cannot be the name of a partition of a disk."""
    most = constants()["LIMIT_LABEL"]
    for _, endpoint in _endpoints(scope):
        label = endpoint.label
        if label is None or label.value is None or re.fullmatch(rf"[\x20-\x7e]{{1,{most}}}", label.value):
            continue
        text = f"the partition of '{endpoint.name}' has a name that nobody looks for"
        help = f"1 to {most} printable ASCII characters: rename the partition (sgdisk --change-name)"
        problems.error("P138", text, at(label.span, "this name"), at(endpoint.span, "this endpoint"), help=help)


Extent = tuple[RawPartition, RawEndpoint, Device, int, int]  # with start and size in bytes


def _extents(scope: Scope) -> list[Extent]:
    found = []
    for partition, endpoint in _endpoints(scope):
        extent = extent_of(scope, endpoint)
        if extent is not None:
            found.append((partition, endpoint, *extent))
    return found


def past_the_end(scope: Scope, problems: Collector) -> None:
    """P063: an extent that ends beyond its disk."""
    for _, endpoint, device, start, size in _extents(scope):
        if start + size <= device.capacity and size:
            continue
        if endpoint.size is not None and endpoint.size.value == 0:
            continue  # P066
        span = endpoint.size.span if endpoint.size and start < device.capacity else None
        span = span or (endpoint.start.span if endpoint.start else endpoint.span)
        left = max(device.capacity - start, 0)
        end = format_size(start + size)
        text = f"the extent of '{endpoint.name}' ends at {end}, {device.name} at {format_size(device.capacity)}"
        help = f"from {format_size(start)} on, {format_size(left)} are left: write size: {format_size(left)}"
        if size <= device.capacity:
            help += f", or start: {format_size(device.capacity - size)}"
        if not left:
            help = f"{device.name} ends at {format_size(device.capacity)}: give it an earlier start"
        problems.error(
            "P063", text, at(span, "past the end"), at(device.span, f"{format_size(device.capacity)}"), help=help
        )


def off_a_block(scope: Scope, problems: Collector) -> None:
    """P064: an extent that begins or ends inside a block."""
    for _, endpoint in _endpoints(scope):
        device = scope.device(endpoint.device.value)
        for key, given in (("start", endpoint.start), ("size", endpoint.size)):
            if (
                device is None
                or not device.block_size
                or given is None
                or given.value is None
                or endpoint.kind != "block"
            ):
                continue
            if given.value % device.block_size:
                up = round_up(given.value, device.block_size)
                down = up - device.block_size
                near = f"{format_size(down)} or {format_size(up)}" if down else format_size(up)
                text = f"the {key} of '{endpoint.name}' is no multiple of the block size of {device.name}"
                place = at(device.span, f"blocks of {format_size(device.block_size)}")
                problems.error("P064", text, at(given.span, "inside a block"), place, help=f"the nearest: {near}")


def empty_extent(scope: Scope, problems: Collector) -> None:
    """P066: an extent of size 0."""
    for _, endpoint in _endpoints(scope):
        if endpoint.kind == "block" and endpoint.size is not None and endpoint.size.value == 0:
            device = scope.device(endpoint.device.value)
            left = f": {format_size(device.capacity)} in all" if device else ""
            text = f"the extent of '{endpoint.name}' is empty"
            help = f"leave 'size' out to take the rest of the device{left}"
            problems.error(
                "P066", text, at(endpoint.size.span, "nothing"), at(endpoint.span, "this endpoint"), help=help
            )


def overlapping_extents(scope: Scope, problems: Collector) -> None:
    """P065: two extents of one medium that share a block one of them may write."""
    extents = _extents(scope)
    if len(extents) > constants()["LIMIT_CHANNELS"]:
        return  # P134
    for index, (_, second, medium, also, count) in enumerate(extents):
        for _, first, device, start, size in extents[:index]:
            overlap = min(start + size, also + count) - max(start, also)
            if device is medium and overlap > 0 and not (_only_read(first) and _only_read(second)):
                text = f"'{first.name}' and '{second.name}' overlap on {device.name} by {format_size(overlap)}"
                labels = _extent_label(second, also, count), _extent_label(first, start, size)
                problems.error("P065", text, *labels, help=_where_free(extents, device, second, count))
                break


def _only_read(endpoint: RawEndpoint) -> bool:
    return endpoint.access is not None and endpoint.access.value in ("read", None)


def _extent_label(endpoint: RawEndpoint, start: int, size: int) -> Label:
    span = endpoint.start.span if endpoint.start else endpoint.span
    return at(span, f"{format_size(start)} to {format_size(start + size)}")


def _where_free(extents: list[Extent], device: Device, endpoint: RawEndpoint, size: int) -> str:
    """Where `size` bytes are free on a device, or how large the largest gap is, were `endpoint` not there."""
    others = sorted(
        (start, start + length) for _, each, on, start, length in extents if on is device and each is not endpoint
    )
    gaps, position = [], 0
    for start, end in [*others, (device.capacity, device.capacity)]:
        gaps.append((start - position, position))
        position = max(position, end)
    fitting = [start for length, start in gaps if length >= size]
    if fitting:
        return f"{format_size(size)} are free from {format_size(fitting[0])} on"
    largest, start = max(gaps)
    if largest <= 0:
        return f"nothing is free on {device.name}: make another extent smaller"
    return f"the largest free extent is {format_size(largest)} from {format_size(start)} on"


def too_many_endpoints(scope: Scope, problems: Collector) -> None:
    """P134: more endpoints than there can be channels to them."""
    limit, endpoints = constants()["LIMIT_CHANNELS"], _endpoints(scope)
    if len(endpoints) > limit:
        text = f"{len(endpoints)} endpoints, {len(endpoints) - limit} too many"
        labels = at(endpoints[limit][1].span, f"number {limit + 1}"), at(endpoints[-1][1].span, "the last")
        problems.error("P134", text, *labels, help=f"at most {limit}: there can be no more channels to them")


def console_twice(scope: Scope, problems: Collector) -> None:
    """P069: two console endpoints on one serial port."""
    seen: dict[str, tuple[RawPartition, RawEndpoint]] = {}
    for owner, endpoint in _endpoints(scope):
        device = scope.device(endpoint.device.value) if endpoint.kind == "console" else None
        if device is None:
            continue
        first_owner, first = seen.setdefault(device.name, (owner, endpoint))
        if first is not endpoint:
            text = f"the console endpoints '{first.name}' and '{endpoint.name}' are both on {device.name}"
            other = f"{first_owner.name}.{first.name}"
            help = f"keep one: a console is always shared, every client may have a channel to {other}"
            labels = at(endpoint.device.span, "again"), at(first.device.span, "already here")
            problems.error("P069", text, *labels, help=help)


def nobody_uses(scope: Scope, problems: Collector) -> None:
    """P067 (warning): an endpoint that no channel leads to."""
    if not scope.all_linked or len(_endpoints(scope)) > constants()["LIMIT_CHANNELS"]:
        return
    aims = {raw.to.value for partition in scope.layout.partitions for raw in partition.channels if raw.to}
    for partition, endpoint in _endpoints(scope):
        if endpoint.kind in ("block", "network") and f"{partition.name}.{endpoint.name}" not in aims:
            text = f"no channel leads to the endpoint '{endpoint.name}'"
            key = "disk" if endpoint.kind == "block" else "net"
            help = f"a guest reaches it by channels: {{{key}: {partition.name}.{endpoint.name}}}"
            problems.warning(
                "P067", text, at(endpoint.span, "not used"), at(partition.span, "in this partition"), help=help
            )


def serves_nothing(scope: Scope, problems: Collector) -> None:
    """P087: the built-in I/O partition without an endpoint."""
    for partition in scope.layout.partitions:
        program = partition.program
        builtin = program.builtin if program and not program.broken else None
        if (
            builtin is not None
            and builtin.value == "io"
            and not partition.endpoints
            and "endpoints" not in partition.broken
        ):
            text = f"'{partition.name}' is an I/O partition and has no endpoint"
            owned = [(endpoint_of(each.kind), each.name) for each, _ in scope.owned(partition)]
            mine = [f"{{{kind}: {name}}}" for kind, name in owned if kind]
            help = f"add one, as in endpoints: {{line: {mine[0] if mine else '{console: com1}'}}}"
            problems.error(
                "P087", text, at(partition.span, "no 'endpoints'"), at(builtin.span, "serves endpoints"), help=help
            )


CHECKS = (
    device_not_owned,
    wrong_class,
    past_the_end,
    off_a_block,
    empty_extent,
    label_without_a_place,
    no_label,
    overlapping_extents,
    too_many_endpoints,
    console_twice,
    nobody_uses,
    serves_nothing,
)

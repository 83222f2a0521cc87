# SPDX-License-Identifier: Apache-2.0
"""Who has which device, and whether it may."""

from __future__ import annotations

from itertools import combinations

from parclose.constants import constants
from parclose.errors import Span
from parclose.kinds import endpoint_of
from parclose.layout import known
from parclose.model import Bus, Device
from parclose.problems import Collector, at
from parclose.scope import Scope, free_text
from parclose.wording import listing, suggestion


def unknown_device(scope: Scope, problems: Collector) -> None:
    """P011: a name in `devices` that the board does not have."""
    if scope.facts is None:
        return
    for partition in scope.layout.partitions:
        for name, span in known(partition.devices):
            if scope.device(name) is None and name not in scope.aliases:
                help = suggestion(name, scope.device_names(), "devices of this board")
                text = f"the board {scope.facts.name} has no device '{name[:40]}'"
                problems.error_folded(
                    "P011", text, at(span, "unknown"), at(scope.layout.board.span, "this board"), help=help
                )


def alias_of_nothing(scope: Scope, problems: Collector) -> None:
    """P011: an alias for a device that the board does not have."""
    for alias in scope.layout.aliases if scope.facts else ():
        name = alias.device.value
        if name is not None and scope.device(name) is None:
            help = suggestion(name, list(scope.devices), "devices of this board")
            text = f"the board {scope.facts.name if scope.facts else ''} has no device '{name[:40]}'"
            problems.error_folded(
                "P011", text, at(alias.device.span, "unknown"), at(scope.layout.board.span, "this board"), help=help
            )


def alias_hides_device(scope: Scope, problems: Collector) -> None:
    """P016: an alias that is the name of a device already."""
    for alias in scope.layout.aliases:
        if alias.name in scope.devices:
            text = f"the alias '{alias.name}' is the name of a device of this board"
            place = at(scope.devices[alias.name].span, "the device")
            problems.error("P016", text, at(alias.span, "taken"), place, help=f"for example 'my-{alias.name}'")


def alias_unused(scope: Scope, problems: Collector) -> None:
    """P017 (warning): an alias for a device that no partition owns."""
    sure = "partitions" not in scope.layout.broken and all(map(scope.sure_of, scope.layout.partitions))
    for alias in scope.layout.aliases if sure else ():
        device = scope.device(alias.device.value)
        if device is not None and device.name not in scope.claims:
            text = f"the alias '{alias.name}' stands for {device.name}, which no partition owns"
            help = f"add devices: [{alias.name}] to a partition, or remove the alias"
            problems.warning("P017", text, at(alias.span, "not used"), at(device.span, "this device"), help=help)


def claimed_by_two(scope: Scope, problems: Collector) -> None:
    """P012: a device in the lists of two partitions."""
    for name, claims in scope.claims.items():
        first, first_span = claims[0]
        for second, second_span in claims[1:]:
            if first is second:
                continue
            device = scope.devices[name]
            kind = endpoint_of(device.kind)
            share = f"give '{second.name}' a channel to a {kind} endpoint on {name}" if kind else "keep one of the two"
            free = free_text(scope.free_devices(device.kind), "")
            text = f"partitions '{first.name}' and '{second.name}' both claim the device {name}"
            problems.error(
                "P012",
                text,
                at(second_span, f"claimed here by '{second.name}'"),
                at(first_span, f"already claimed by '{first.name}'"),
                help=f"{share}, or use {free}" if free else share,
            )


def listed_twice(scope: Scope, problems: Collector) -> None:
    """P013: a device twice in one list, perhaps under two names."""
    for partition in scope.layout.partitions:
        seen: dict[str, Span] = {}
        for device, span in scope.owned(partition):
            if device.name in seen:
                text = f"'{partition.name}' lists the device {device.name} twice"
                first = at(seen[device.name], "listed here")
                problems.error("P013", text, at(span, "again"), first, help="remove one of the two")
            seen.setdefault(device.name, span)


def bus_master_untrusted(scope: Scope, problems: Collector) -> None:
    """P014: a device that can write all memory, given away without saying so."""
    for partition in scope.layout.partitions:
        if partition.dma is not None:
            continue
        for device, span in scope.owned(partition):
            if device.bus_master:
                text = f"{device.name} can write to all memory, and '{partition.name}' is not trusted with that"
                help = f"add dma: trusted to '{partition.name}' if its program is trusted as the monitor is"
                here = at(span, "a bus-mastering device")
                problems.error("P014", text, here, at(partition.span, "this partition"), help=help)
                break


def trusted_for_nothing(scope: Scope, problems: Collector) -> None:
    """P015 (warning): `dma: trusted` without a device that does DMA."""
    for partition in scope.layout.partitions:
        masters = [device for device, _ in scope.owned(partition) if device.bus_master]
        if partition.dma is not None and partition.dma.value and not masters and scope.sure_of(partition):
            text = f"'{partition.name}' is trusted with DMA and has no device that does it"
            here = at(partition.dma.span, "not needed")
            problems.warning("P015", text, here, at(partition.span, "this partition"), help="remove dma: trusted")


def _claimed(scope: Scope) -> list[Device]:
    return [scope.devices[name] for name in scope.claims]


def shared_interrupt(scope: Scope, problems: Collector) -> None:
    """P018: two devices in use that share an interrupt line."""
    for one, other in combinations(_claimed(scope), 2):
        shared = sorted(set(one.isa_interrupts) & set(other.isa_interrupts))
        if shared:
            (_, one_span), (_, other_span) = scope.claims[one.name][0], scope.claims[other.name][0]
            text = f"{one.name} and {other.name} share interrupt {shared[0]}"
            help = (
                f"give up one of them, or use {free_text(scope.free_devices(other.kind), 'a device on another line')}"
            )
            problems.error("P018", text, at(other_span, "this one"), at(one_span, "and this one"), help=help)


def _ports(device: Device) -> list[tuple[int, int]]:
    return [(bar.address or 0, bar.size) for bar in device.bars if device.bus is Bus.ISA]


def shared_ports(scope: Scope, problems: Collector) -> None:
    """P019: two devices in use whose ports overlap."""
    for one, other in combinations(_claimed(scope), 2):
        for start, size in _ports(one):
            for also, count in _ports(other):
                low, high = max(start, also), min(start + size, also + count)
                if low < high:
                    (_, one_span), (_, other_span) = scope.claims[one.name][0], scope.claims[other.name][0]
                    text = f"{one.name} and {other.name} share the ports {low:#x} to {high - 1:#x}"
                    problems.error(
                        "P019", text, at(other_span, "this one"), at(one_span, "and this one"), help="use one of them"
                    )


def only_a_shared_line(scope: Scope, problems: Collector) -> None:
    """P020: a PCI device with neither MSI-X nor MSI."""
    for name, claims in scope.claims.items():
        device = scope.devices[name]
        if device.bus is Bus.PCI and device.msix is None and not device.msi:
            text = f"{name} has no interrupt of its own: without MSI-X or MSI it shares a line with others"
            help = f"use {free_text(scope.free_devices(device.kind), 'a device with one of them')}"
            problems.error(
                "P020", text, at(claims[0][1], "claimed here"), at(device.span, "no msix, no msi"), help=help
            )


def table_beside_registers(scope: Scope, problems: Collector) -> None:
    """P021: an MSI-X table that begins inside a page of other registers."""
    page = constants()["PAGE_SIZE"]
    for name, claims in scope.claims.items():
        device = scope.devices[name]
        if device.msix is not None and device.msix.table % page:
            at_page = device.msix.table // page * page
            text = (
                f"the MSI-X table of {name} stands at {device.msix.table:#x} of BAR {device.msix.bar}, in the page at "
                f"{at_page:#x} that holds registers too"
            )
            problems.error(
                "P021", text, at(claims[0][1], "claimed here"), at(device.span, "its msix"), help="use another device"
            )


def device_without_endpoint(scope: Scope, problems: Collector) -> None:
    """P022 (warning): a device of an I/O partition that none of its endpoints is on."""
    for partition in scope.layout.partitions:
        if not partition.endpoints or "endpoints" in partition.broken:
            continue
        used = [scope.device(endpoint.device.value) for endpoint in partition.endpoints if not endpoint.closed]
        if None in used:
            continue
        for device, span in scope.owned(partition):
            kind = endpoint_of(device.kind)
            if device not in used and kind:
                text = f"'{partition.name}' owns {device.name} and no endpoint of it is on {device.name}"
                help = f"add an endpoint {{{kind}: {device.name}}}, or remove the device"
                places = at(span, "no one can reach it"), at(partition.span, "this partition")
                problems.warning("P022", text, *places, help=help)


def too_many_devices(scope: Scope, problems: Collector) -> None:
    """P132: more devices in use than the database holds."""
    limit, names = constants()["LIMIT_DEVICES"], list(scope.claims)
    if len(names) > limit:
        text = f"{len(names)} devices are in use, {len(names) - limit} too many"
        last = scope.claims[names[-1]][0][1]
        first = scope.claims[names[0]][0][1]
        problems.error(
            "P132", text, at(last, "the last"), at(first, "the first"), help=f"{listing(names[limit:])} must go"
        )


CHECKS = (
    unknown_device,
    alias_of_nothing,
    alias_hides_device,
    alias_unused,
    claimed_by_two,
    listed_twice,
    bus_master_untrusted,
    trusted_for_nothing,
    shared_interrupt,
    shared_ports,
    only_a_shared_line,
    table_beside_registers,
    device_without_endpoint,
    too_many_devices,
)

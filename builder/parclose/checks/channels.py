# SPDX-License-Identifier: Apache-2.0
"""Channels: where they lead, and what may pass through them."""

from __future__ import annotations

from collections.abc import Iterator

from parclose.constants import constants
from parclose.layout import RawChannel, RawPartition
from parclose.problems import Collector, at
from parclose.scope import Link, Scope, Target, names_of
from parclose.values import Given
from parclose.wording import format_size, listing, nearest, round_up, suggestion


def _declared(scope: Scope) -> Iterator[tuple[RawPartition, RawChannel, str, Target]]:
    for partition in scope.layout.partitions:
        for raw in partition.channels:
            if raw.to is not None and raw.to.value is not None:
                yield partition, raw, raw.to.value, scope.target(raw.to.value)


def unknown_target(scope: Scope, problems: Collector) -> None:
    """P070: a channel to a partition that is not there, or to a whole group."""
    for partition, raw, text, target in _declared(scope):
        assert raw.to is not None
        if target.partition is not None or "partitions" in scope.layout.broken:
            continue
        here = at(partition.span, "from this partition")
        name, _, rest = text.partition(".")
        if name in scope.groups:
            first = scope.groups[name][0]
            help = f"name one of them, as in {first}{'.' + rest if rest else ''}"
            message = f"'{name}' is {len(scope.groups[name])} partitions, and a channel leads to one"
            problems.error_folded("P070", message, at(raw.to.span, "which one?"), here, help=help)
        elif rest:
            near = nearest(name, list(scope.partitions))
            help = (
                f"did you mean '{near}.{rest}'?"
                if near
                else suggestion(name, list(scope.partitions), "partitions here")
            )
            problems.error_folded(
                "P070", f"there is no partition '{name[:60]}'", at(raw.to.span, "unknown"), here, help=help
            )
        else:
            ends = [f"{p.name}.{e.name}" for p in scope.layout.partitions for e in p.endpoints]
            known = [
                *ends,
                *(name for name, each in scope.partitions.items() if not each.serves and each is not partition),
            ]
            tails = [end for end in ends if end.endswith("." + name)]
            help = f"did you mean '{tails[0]}'?" if tails else suggestion(text, known, "a channel may lead to")
            problems.error_folded(
                "P070", f"there is no partition '{name[:60]}'", at(raw.to.span, "unknown"), here, help=help
            )


def unknown_endpoint(scope: Scope, problems: Collector) -> None:
    """P071: a channel to an endpoint that its partition does not have."""
    for partition, raw, _, target in _declared(scope):
        assert raw.to is not None
        server = target.partition
        if server is None or server is partition or not target.rest or "endpoints" in server.broken or server.broken:
            continue
        names = names_of(server.endpoints)
        if target.rest in names:
            continue
        near = nearest(target.rest, names)
        place = next((endpoint.span for endpoint in server.endpoints if endpoint.name == near), server.span)
        label = "the nearest name" if near else "in this partition"
        help = suggestion(target.rest, names, f"endpoints of '{server.name}'")
        if not server.serves:
            help = (
                f"'{server.name}' has no endpoints: write {raw.name}: {server.name} for a channel to the guest itself"
            )
        text = f"'{server.name}' has no endpoint '{target.rest[:60]}'"
        problems.error_folded("P071", text, at(raw.to.span, "unknown"), at(place, label), help=help)


def to_itself(scope: Scope, problems: Collector) -> None:
    """P072: a channel whose two ends are one partition."""
    for partition, raw, _, target in _declared(scope):
        if target.partition is partition and raw.to is not None:
            others = [each for each in scope.partitions if each != partition.name]
            help = f"other partitions: {listing(others)}" if others else "add the partition that it should lead to"
            text = f"the channel '{raw.name}' leads from '{partition.name}' to itself"
            problems.error(
                "P072", text, at(raw.to.span, "the same partition"), at(partition.span, "declared in it"), help=help
            )


def to_no_endpoint(scope: Scope, problems: Collector) -> None:
    """P073: a channel to an I/O partition that does not say to which endpoint."""
    for partition, raw, _, target in _declared(scope):
        server = target.partition
        if server is None or server is partition or target.rest or not server.serves or not server.endpoints:
            continue
        assert raw.to is not None
        ends = [f"{server.name}.{name}" for name in names_of(server.endpoints)]
        text = f"'{server.name}' is an I/O partition, and the channel '{raw.name}' names none of its endpoints"
        help = f"write {listing(ends, 'or')}"
        problems.error(
            "P073", text, at(raw.to.span, "which endpoint?"), at(server.span, "this I/O partition"), help=help
        )


def asks_too_much(scope: Scope, problems: Collector) -> None:
    """P074: a channel that asks to write where the endpoint only lets read."""
    for link in scope.links:
        asked, granted = link.raw.access, link.endpoint.access if link.endpoint else None
        if asked and granted and asked.value == "write" and granted.value == "read":
            text = (
                f"the channel '{link.raw.name}' asks to write, and the endpoint '{link.endpoint_name}' only lets read"
            )
            places = at(asked.span, "asks for this"), at(granted.span, "grants this")
            problems.error("P074", text, *places, help="write access: read, or give the endpoint access: write")


def two_writers(scope: Scope, problems: Collector) -> None:
    """P075: two clients that write to a block endpoint that is not shared."""
    writers: dict[tuple[str, str], Link] = {}
    for link in scope.links:
        endpoint = link.endpoint
        if endpoint is None or link.kind != "block" or not link.writes:
            continue
        if endpoint.shared is not None and endpoint.shared.value is not False:
            continue
        one = writers.setdefault((link.server.name, endpoint.name), link)
        if one.client is not link.client:
            name = link.endpoint_name
            text = f"'{one.client.name}' and '{link.client.name}' both write to the endpoint {name}"
            labels = at(link.raw.span, f"'{link.client.name}' writes"), at(one.raw.span, f"'{one.client.name}' writes")
            reads = f"give one of them access: read, as in {{to: {name}, access: read}}"
            problems.error("P075", text, *labels, help=f"{reads}, or write shared: true on the endpoint")


def wrong_keys(scope: Scope, problems: Collector) -> None:
    """P076: keys that have no meaning for the class of a channel."""
    network, console = ("mac", "vlan", "talks_to", "groups"), ("log", "buffer")
    without: dict[str, tuple[str, ...]] = {
        "block": ("data", *network, *console),
        "console": ("access", "quota", *network),
        "peer": ("access", "quota", "share", *network, *console),
        "network": ("access", *console),
        "": (),
    }
    for link in scope.links:
        for key in without[link.kind]:
            given = getattr(link.raw, key)
            given = given[0] if isinstance(given, tuple) and given else given
            if isinstance(given, Given) and given.value is not None:
                kind = "a channel between guests" if link.kind == "peer" else f"a channel to a {link.kind} endpoint"
                text = f"'{key}' has no meaning for {kind}"
                other = at(link.endpoint.span if link.endpoint else link.server.span, "leads here")
                problems.error("P076", text, at(given.span, "not used"), other, help=f"leave '{key}' out")


def data_size(scope: Scope, problems: Collector) -> None:
    """P077: a data area that is no number of whole pages, or none at all."""
    page = constants()["PAGE_SIZE"]
    for partition in scope.layout.partitions:
        for raw in partition.channels:
            size = raw.data.value if raw.data else None
            if raw.data is None or size is None or (size and size % page == 0):
                continue
            up = max(round_up(size, page), page)
            text = f"the data area of '{raw.name}' has {format_size(size)}, no number of whole pages"
            near = f"{format_size(up - page)} or {format_size(up)}" if up > page else format_size(up)
            problems.error(
                "P077",
                text,
                at(raw.data.span, "not whole pages"),
                at(raw.span, "this channel"),
                help=f"the nearest: {near}",
            )


def _renames(scope: Scope) -> Iterator[tuple[RawPartition, RawChannel, Target]]:
    for partition in scope.layout.partitions:
        for raw in partition.channels:
            if raw.source is not None and raw.source.value is not None:
                yield partition, raw, scope.target(raw.source.value)


def unknown_source(scope: Scope, problems: Collector) -> None:
    """P078: `from` names a channel that no one declares. P070 for a partition that is not there."""
    for partition, raw, target in _renames(scope):
        assert raw.source is not None and raw.source.value is not None
        text, span, owner = raw.source.value, raw.source.span, target.partition
        here = at(partition.span, "in this partition")
        if owner is None:
            if "." in text:
                scope.check_partition(text.partition(".")[0], span, problems, here)
            else:
                help = "write from: PARTITION.CHANNEL"
                problems.error_folded(
                    "P078",
                    f"'{text[:60]}' is not the channel of a partition",
                    at(span, "which channel?"),
                    here,
                    help=help,
                )
            continue
        names = [each.name for each in owner.channels if each.to is not None]
        if target.rest not in names and "channels" not in owner.broken:
            help = (
                suggestion(target.rest, names, f"channels of '{owner.name}'") or f"'{owner.name}' declares no channel"
            )
            message = f"'{owner.name}' declares no channel '{target.rest[:60]}'"
            problems.error_folded("P078", message, at(span, "unknown"), at(owner.span, "this partition"), help=help)


def source_elsewhere(scope: Scope, problems: Collector) -> None:
    """P079: `from` names a channel that leads to somebody else."""
    for partition, raw, target in _renames(scope):
        owner = target.partition
        declared = next((each for each in owner.channels if each.name == target.rest), None) if owner else None
        if owner is None or declared is None or declared.to is None or declared.to.value is None or raw.source is None:
            continue
        aim = scope.target(declared.to.value).partition
        if aim is partition and partition is not owner:
            continue
        if aim is None and declared.to.value not in scope.groups:
            continue  # complained about where it is declared
        text = f"the channel {owner.name}.{declared.name} leads to {declared.to.value}, not to '{partition.name}'"
        help = f"remove '{raw.name}', or declare {declared.name}: {partition.name} in '{owner.name}'"
        problems.error(
            "P079", text, at(raw.source.span, "not this one's"), at(declared.to.span, "leads here"), help=help
        )


def renamed_twice(scope: Scope, problems: Collector) -> None:
    """P082: one end of a channel with two other names."""
    seen: dict[tuple[str, str], RawChannel] = {}
    for partition, raw, target in _renames(scope):
        if target.partition is None or raw.source is None:
            continue
        one = seen.setdefault((partition.name, raw.source.value or ""), raw)
        if one is not raw:
            text = f"the end of {raw.source.value} is named '{one.name}' and '{raw.name}'"
            labels = at(raw.span, "and here"), at(one.span, "named here")
            problems.error("P082", text, *labels, help="keep one of the two names")


def peer_name(scope: Scope, link: Link) -> tuple[str, RawChannel | None]:
    """The name of the far end of a channel between guests, and the channel key that renames it, if any."""
    raw = scope.renames.get((link.server.name, link.client.name, link.raw.name))
    if raw is not None:
        return raw.name, raw
    return link.raw.name, None


def name_taken(scope: Scope, problems: Collector) -> None:
    """P080: the far end of a channel between guests would have a name that is taken there."""
    taken = {(partition.name, raw.name): raw for partition in scope.layout.partitions for raw in partition.channels}
    for link in scope.links:
        if link.kind != "peer":
            continue
        name, renamed = peer_name(scope, link)
        if renamed is not None:
            continue
        other = taken.get((link.server.name, name))
        if other is None:
            taken[link.server.name, name] = link.raw
            continue
        text = f"the channel '{name}' of '{link.client.name}' would be a second '{name}' at '{link.server.name}'"
        source = f"{link.client.name}.{link.raw.name}"
        help = f"give that end another name at '{link.server.name}': {name}-2: {{from: {source}}}"
        if other.to is not None and other.to.value == link.client.name:
            if link.raw.span > other.span:
                continue  # noted at the other end
            help = f"a channel is said once, on one end: remove it from '{link.server.name}'"
        problems.error(
            "P080", text, at(link.raw.span, "declared here"), at(other.span, "the name is taken here"), help=help
        )


def same_endpoint_twice(scope: Scope, problems: Collector) -> None:
    """P081: two channels of one client to one endpoint, unless one of them is its log."""
    seen: dict[tuple[str, str, str, bool], Link] = {}
    for link in scope.links:
        if link.endpoint is None:
            continue
        one = seen.setdefault((link.client.name, link.server.name, link.endpoint.name, link.log), link)
        if one is not link:
            text = f"'{link.client.name}' has two channels to {link.endpoint_name}"
            labels = at(link.raw.span, "and this one"), at(one.raw.span, "this one")
            problems.error("P081", text, *labels, help="one is enough: it carries many requests at a time")


def windows_fit(scope: Scope, problems: Collector) -> None:
    """P046: the channel windows of a partition exceed the part of its address space that is for them."""
    room = constants()["REGION_ADDRESS"] - constants()["CHANNEL_ADDRESS"]
    for partition in scope.layout.partitions:
        links = [link for link in scope.links if partition in (link.client, link.server)]
        sizes = [(scope.window(link.raw, link.kind) or 0, link) for link in links]
        total = sum(size for size, _ in sizes)
        if total > room:
            size, largest = max(sizes, key=lambda each: each[0])
            text = f"the channels of '{partition.name}' need {format_size(total)} of addresses, of {format_size(room)}"
            span = largest.raw.data.span if largest.raw.data else largest.raw.span
            help = f"the largest, '{largest.raw.name}', takes {format_size(size)}: {format_size(total - room)} must go"
            problems.error("P046", text, at(span, "the largest"), at(partition.span, "this partition"), help=help)


def too_many_channels(scope: Scope, problems: Collector) -> None:
    """P131: more channels than the database holds."""
    limit = constants()["LIMIT_CHANNELS"]
    if len(scope.links) > limit:
        first, last = scope.links[limit].raw, scope.links[-1].raw
        text = f"{len(scope.links)} channels, {len(scope.links) - limit} too many"
        problems.error("P131", text, at(first.span, f"number {limit + 1}"), at(last.span, "the last"))


CHECKS = (
    unknown_target,
    unknown_endpoint,
    to_itself,
    to_no_endpoint,
    asks_too_much,
    two_writers,
    wrong_keys,
    data_size,
    unknown_source,
    source_elsewhere,
    renamed_twice,
    name_taken,
    same_endpoint_twice,
    windows_fit,
    too_many_channels,
)

# SPDX-License-Identifier: Apache-2.0
"""Networks: addresses, VLANs, and who talks to whom on the switch that a network endpoint is."""

from __future__ import annotations

from collections.abc import Iterator

from parclose.constants import constants
from parclose.errors import Span
from parclose.layout import RawEndpoint, RawPartition, known
from parclose.model import WIRE, address_text
from parclose.ports import address_of, certain, hears, names, switches, vlan_of
from parclose.problems import Collector, at
from parclose.scope import Link, Scope
from parclose.wording import listing, suggestion

_GROUP = 1  # IEEE 802, 8.2: this bit of the first byte says that an address is of many


def not_for_one(scope: Scope, problems: Collector) -> None:
    """P141: a channel's own address that is a group's, or zero."""
    for link in scope.links:
        given = link.raw.mac
        if given is None or given.value is None or not (given.value[0] & _GROUP or not any(given.value)):
            continue
        what = "the address of no one" if not any(given.value) else "an address of many"
        proper = address_text(bytes([given.value[0] & ~_GROUP & 0xFF | 2]) + given.value[1:])
        text = f"{address_text(given.value)} is {what}, and '{link.client.name}' is one"
        help = f'write "{proper}", or leave mac out: one is derived from the names'
        problems.error("P141", text, at(given.span, what), at(link.raw.span, "of this channel"), help=help)


def not_for_many(scope: Scope, problems: Collector) -> None:
    """P142: a group that is the address of one, or broadcast, which everyone hears anyway."""
    for link in scope.links:
        for given in link.raw.groups or ():
            if given.value is None or (given.value[0] & _GROUP and given.value != b"\xff" * 6):
                continue
            text = f"{address_text(given.value)} is not the address of a group"
            help = 'the first byte of a group\'s address is odd, as in "01:00:5e:00:00:fb"'
            if given.value[0] & _GROUP:
                help = "leave it out: everyone hears broadcasts"
            problems.error("P142", text, at(given.span, "no group"), at(link.raw.span, "of this channel"), help=help)


def address_twice(scope: Scope, problems: Collector) -> None:
    """P143: two channels of one endpoint with the same address."""
    for (server, endpoint), switch in switches(scope).items():
        seen: dict[bytes, Link] = {}
        for link in switch:
            address = address_of(link)
            if address is None:
                continue
            one = seen.setdefault(address, link)
            if one is link:
                continue
            text = (
                f"'{one.client.name}' and '{link.client.name}' both have {address_text(address)} on {server}.{endpoint}"
            )
            spans = [each.raw.mac.span if each.raw.mac else each.raw.span for each in (link, one)]
            help = "change one, or leave mac out: one is derived from the names"
            problems.error("P143", text, at(spans[0], "again"), at(spans[1], "already here"), help=help)


def talks_to_nobody_there(scope: Scope, problems: Collector) -> None:
    """P144: `talks_to` names a partition without a channel to that endpoint, or itself. P070: one that is not there."""
    for (server, endpoint), switch in switches(scope).items():
        there = [link.client.name for link in switch]
        for link in switch:
            for name, span in known(link.raw.talks_to or ()):
                if name == WIRE:
                    continue
                if not scope.check_partition(name, span, problems, at(link.raw.span, "of this channel")):
                    continue
                others = [each for each in there if each != link.client.name]
                if set(scope.members(name)) & set(others) or not scope.all_linked:
                    continue
                text = f"'{name}' has no channel to {server}.{endpoint}, to which '{link.client.name}' would talk there"
                if name == link.client.name:
                    text = f"'{name}' would talk to itself on {server}.{endpoint}"
                assert link.endpoint is not None
                others += [] if link.endpoint.closed else [WIRE]
                help = suggestion(name, others, f"others on {server}.{endpoint}")
                problems.error("P144", text, at(span, "not there"), at(link.raw.span, "of this channel"), help=help)


def talks_one_way(scope: Scope, problems: Collector) -> None:
    """P145: `talks_to` names a partition whose own list leaves this one out, or that is in another VLAN."""
    for switch in switches(scope).values():
        by_client = {link.client.name: link for link in switch}
        for link in switch if certain(scope, switch) else ():
            for name, span in known(link.raw.talks_to or ()):
                for member in () if name == WIRE else scope.members(name):
                    other = by_client.get(member)
                    if other is not None and other is not link and not hears(scope, link, other):
                        _one_way(link, other, span, problems)


def _one_way(link: Link, other: Link, span: Span, problems: Collector) -> None:
    one, two = link.client.name, other.client.name
    if vlan_of(link) != vlan_of(other):
        words = [f"VLAN {vlan_of(each)}" if vlan_of(each) else "no VLAN" for each in (link, other)]
        text = f"'{one}' is in {words[0]} and would talk to '{two}', which is in {words[1]}"
        place = other.raw.vlan.span if other.raw.vlan else other.raw.span
        problems.error("P145", text, at(span, "not reached"), at(place, words[1]), help="put both in one VLAN")
        return
    listed = other.raw.talks_to or ()
    text = f"'{one}' would talk to '{two}', and the list of '{two}' leaves '{one}' out"
    help = f"add {one} to the list of '{two}', or remove {two} here"
    place = listed[0].span if listed else other.raw.span
    problems.error("P145", text, at(span, "no answer from there"), at(place, f"without {one}"), help=help)


def wire_of_a_closed_switch(scope: Scope, problems: Collector) -> None:
    """P146: `talks_to: [wire]` where there is no uplink, or where a partition has that name."""
    for switch in switches(scope).values():
        by_client = {link.client.name: link for link in switch}
        for link in switch:
            for name, span in known(link.raw.talks_to or ()):
                assert link.endpoint is not None
                if name != WIRE or not (link.endpoint.closed or WIRE in by_client):
                    continue
                text, help = f"{link.endpoint_name} has no wire: it is a network of its guests alone", "remove wire"
                other = at(link.endpoint.device.span, "no uplink")
                if not link.endpoint.closed:
                    text = f"'{WIRE}' means the uplink here, and a partition on {link.endpoint_name} has that name"
                    other, help = at(by_client[WIRE].client.span, "this partition"), "give the partition another name"
                problems.error("P146", text, at(span, "which wire?"), other, help=help)


def too_many_groups(scope: Scope, problems: Collector) -> None:
    """P147: more groups on one endpoint than its switch knows."""
    limit = constants()["LIMIT_GROUPS"]
    for (server, endpoint), switch in switches(scope).items():
        groups = {given.value: given for link in switch for given in link.raw.groups or () if given.value is not None}
        if len(groups) > limit:
            last = list(groups.values())[limit]
            text = f"the channels to {server}.{endpoint} listen to {len(groups)} groups, {len(groups) - limit} too many"
            labels = at(last.span, f"number {limit + 1}"), at(switch[0].raw.span, "of this endpoint")
            problems.error("P147", text, *labels, help=f"at most {limit}")


def card_twice(scope: Scope, problems: Collector) -> None:
    """P148: two network endpoints on one card."""
    seen: dict[str, tuple[RawPartition, RawEndpoint]] = {}
    for owner, endpoint in _networks(scope):
        device = scope.device(endpoint.device.value)
        if device is None or endpoint.closed:
            continue
        first_owner, first = seen.setdefault(device.name, (owner, endpoint))
        if first is not endpoint:
            text = f"the networks '{first.name}' and '{endpoint.name}' are both on {device.name}"
            help = f"keep one: channels to {first_owner.name}.{first.name} divide it by vlan and talks_to"
            labels = at(endpoint.device.span, "again"), at(first.device.span, "already here")
            problems.error("P148", text, *labels, help=help)


def _networks(scope: Scope) -> Iterator[tuple[RawPartition, RawEndpoint]]:
    for partition in scope.layout.partitions:
        for endpoint in partition.endpoints:
            if endpoint.kind == "network":
                yield partition, endpoint


def nobody_to_talk_to(scope: Scope, problems: Collector) -> None:
    """P149 (warning): a channel whose frames can go to no one."""
    for (server, endpoint), switch in switches(scope).items():
        for link in switch if certain(scope, switch) and scope.all_linked else ():
            assert link.endpoint is not None
            mine = names(scope, link)
            wire = not link.endpoint.closed and (mine is None or WIRE in mine)
            if wire or any(hears(scope, link, other) for other in switch):
                continue
            text = f"no frame of '{link.client.name}' on {server}.{endpoint} can reach anyone"
            others = [other.client.name for other in switch if other is not link]
            help = f"others there: {listing(others)}" if others else "lead another channel there, or remove this one"
            places = [at(link.endpoint.span, "this endpoint")]
            silent = [each for each in switch if not _lists(scope, each, link)]
            places += [at(each.raw.span, f"leaves '{link.client.name}' out") for each in silent if each is not link][:1]
            problems.warning("P149", text, at(link.raw.span, "talks to no one"), *places, help=help)


def _lists(scope: Scope, one: Link, other: Link) -> bool:
    mine = names(scope, one)
    return mine is None or other.client.name in mine


CHECKS = (
    not_for_one,
    not_for_many,
    address_twice,
    talks_to_nobody_there,
    talks_one_way,
    wire_of_a_closed_switch,
    too_many_groups,
    card_twice,
    nobody_to_talk_to,
)

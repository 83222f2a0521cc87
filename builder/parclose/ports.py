# SPDX-License-Identifier: Apache-2.0
"""The ports of the switch that a network endpoint is: their addresses, and who may exchange frames with whom."""

from __future__ import annotations

import hashlib

from parclose.layout import known
from parclose.model import WIRE, Port
from parclose.scope import Link, Scope

Switch = list[Link]


def switches(scope: Scope) -> dict[tuple[str, str], Switch]:
    """The channels of each network endpoint, by the names of its partition and its own."""
    found: dict[tuple[str, str], Switch] = {}
    for link in scope.links:
        if link.kind == "network" and link.endpoint is not None:
            found.setdefault((link.server.name, link.endpoint.name), []).append(link)
    return found


def derived_address(server: str, endpoint: str, client: str) -> bytes:
    """The address of a channel that says none: locally administered, and the same for the same names.

    Two machines of one layout have the same ones: on one wire they need addresses of their own, written in the layout.
    """
    digest = hashlib.sha256(f"{server}.{endpoint} {client}".encode()).digest()
    return bytes([0x02]) + digest[:5]  # IEEE 802, 8.4: bit 1 of the first byte is "local", bit 0 "group"


def address_of(link: Link) -> bytes | None:
    """The channel's Ethernet address; None where it could not be read."""
    if link.raw.mac is not None:
        return link.raw.mac.value
    assert link.endpoint is not None
    return derived_address(link.server.name, link.endpoint.name, link.client.name)


def vlan_of(link: Link) -> int:
    """0: frames without a tag."""
    return (link.raw.vlan.value if link.raw.vlan else None) or 0


def names(scope: Scope, link: Link) -> set[str] | None:
    """The partitions, and WIRE, that `talks_to` names; None: everyone."""
    if link.raw.talks_to is None:
        return None
    return {
        member for name, _ in known(link.raw.talks_to) for member in ((WIRE,) if name == WIRE else scope.members(name))
    }


def certain(scope: Scope, switch: Switch) -> bool:
    """Whether everything that decides who hears whom could be read."""
    vlans = [each.raw.vlan for each in switch]
    listed = [name.value for each in switch for name in each.raw.talks_to or ()]
    read = all(each is None or each.value is not None for each in vlans)
    return read and all(name == WIRE or (name is not None and scope.members(name)) for name in listed)


def hears(scope: Scope, one: Link, other: Link) -> bool:
    """Whether frames pass between two channels of a switch: both lists allow it, and they are in one VLAN."""
    mine, theirs = names(scope, one), names(scope, other)
    allowed = (mine is None or other.client.name in mine) and (theirs is None or one.client.name in theirs)
    return one is not other and allowed and vlan_of(one) == vlan_of(other)


def port(scope: Scope, link: Link, switch: Switch) -> Port:
    """The port of a channel in a layout without errors."""
    address, mine = address_of(link), names(scope, link)
    assert address is not None and link.endpoint is not None
    groups = {given.value for given in link.raw.groups or () if given.value is not None}
    return Port(
        mac=address,
        vlan=vlan_of(link),
        talks_to=tuple(other.client.name for other in switch if hears(scope, link, other)),
        wire=not link.endpoint.closed and (mine is None or WIRE in mine),
        groups=tuple(sorted(groups)),
    )

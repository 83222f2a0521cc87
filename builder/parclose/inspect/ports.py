# SPDX-License-Identifier: Apache-2.0
"""The ports of network endpoints, which stand on descriptor pages alone: the monitor knows nothing of them."""

from __future__ import annotations

from typing import Any

from parclose.constants import constants
from parclose.dwarf import Layouts
from parclose.inspect.database import Row
from parclose.model import address_text

Document = dict[str, Any]


def ports(page: Row | None, content: bytes, layouts: Layouts) -> dict[int, Document]:
    """The port of each network channel, by the channel's index in the partition's block of descriptors.

    `talks_to` names the far ends of the server's other channels; at a client `neighbours` are addresses instead.
    """
    if page is None:
        return {}
    channels = rows(page["channels"], "channel_descriptor", content, layouts)
    addresses = rows(page["addresses"], "address_descriptor", content, layouts)
    network, group = layouts.number("CLASS_NETWORK"), layouts.number("ADDRESS_GROUP")
    found = {}
    for row in (each for each in channels if each["class"] == network):
        own = addresses[row["first_address"] : row["first_address"] + row["address_count"]]
        talks = [channels[bit]["peer"] for bit in range(len(channels)) if row["talks"][bit // 64] >> bit % 64 & 1]
        found[row["index"]] = {
            "mac": address_text(bytes(row["mac"])),
            "vlan": row["vlan"],
            "wire": bool(row["wire"]),
            "talks_to": talks,
            "neighbours": [address_text(bytes(one["mac"])) for one in own if one["kind"] != group],
            "groups": [address_text(bytes(one["mac"])) for one in own if one["kind"] == group],
        }
    return found


def rows(table: Row, name: str, content: bytes, layouts: Layouts) -> list[Row]:
    """The rows of a descriptor page's table; none where it reaches beyond the page."""
    size, most = layouts.structs[name].size, constants()["LIMIT_EVENTS"] ** 2
    first, count = table["offset"], table["count"]
    if count > most or first + count * size > len(content):
        return []
    return [layouts.decode(name, content, first + index * size) for index in range(count)]


def text(port: Document) -> str:
    """One line of it."""
    parts = [f"mac {port['mac']}", f"vlan {port['vlan']}" if port["vlan"] else "no vlan"]
    others = [*port["talks_to"], *port["neighbours"], *["the wire"] * port["wire"]]
    parts.append(f"talks to {', '.join(others) or 'no one'}")
    if port["groups"]:
        parts.append(f"groups {', '.join(port['groups'])}")
    return ", ".join(parts)

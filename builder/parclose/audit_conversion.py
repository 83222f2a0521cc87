# SPDX-License-Identifier: Apache-2.0
"""Follows the rows of a finished image as the monitor does in a conversion: it must find what was planned.

What is expected comes from the plan's own values, not from the text that the database was compiled from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from parclose import dwarf
from parclose.constants import constants
from parclose.model import Access, ChannelClass, System
from parclose.planned import Plan, PlannedChannel, Resource

Row = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """The database in an image: `read` returns the bytes at a physical address."""

    read: Callable[[int, int], bytes]

    def at(self, struct: str, address: int) -> Row:
        """The row that the monitor finds at `address`, of ring 0. Raises `KeyError` where no database can be."""
        number, layouts = constants(), dwarf.layouts()
        size, place = layouts.structs[struct].size, address - number["DATABASE_ADDRESS"]
        if not 0 <= place <= number["DATABASE_SIZE"] - size:
            raise KeyError(f"{address:#x} is outside the database")
        return layouts.decode(struct, self.read(number["DATABASE_PHYSICAL"] + place, size))

    def descriptor(self, index: int) -> int:
        """The address of a row of descriptors; their table is found as the monitor finds it."""
        start, layouts = constants()["DATABASE_ADDRESS"], dwarf.layouts()
        table: Row = self.at("database", start)["descriptors"]
        return start + int(table["offset"]) + index * layouts.structs["descriptor_row"].size


def conversion_faults(system: System, plan: Plan, read: Callable[[int, int], bytes]) -> Iterator[str]:
    """A sentence for everything that a conversion finds and that was not planned."""
    rows = Rows(read)
    for place, descriptor in enumerate(plan.descriptors):
        converts = descriptor.server_end and plan.channels[descriptor.target].endpoint is not None
        if rows.at("descriptor_row", rows.descriptor(place))["converts"] != int(converts):
            owner = plan.partitions[descriptor.partition].partition.name
            yield f"partition '{owner}' may {'not ' * converts}convert by {descriptor.name}, against the plan"
    for index, channel in enumerate(plan.channels):
        what = f"channel {channel.channel.client}.{channel.channel.client_name}"
        try:
            yield from (f"{what}: {fault}" for fault in _channel_faults(system, plan, rows, index, channel))
        except KeyError as outside:
            yield f"{what}: conversion follows a row to nowhere: {outside.args[0]}"


def _channel_faults(system: System, plan: Plan, rows: Rows, index: int, channel: PlannedChannel) -> Iterator[str]:
    server = rows.at("descriptor_row", rows.descriptor(channel.server_descriptor))
    row = rows.at("channel_row", server["row"])
    if (row["index"], row["quota"]) != (index, min(channel.channel.quota, constants()["LIMIT_IN_FLIGHT"])):
        yield "conversions in flight are counted or limited as another channel's"
    if row["buffer_rights"] != _buffer_rights(system, channel):
        yield f"devices have rights {row['buffer_rights']:#x} to its client's buffers, against the plan"
    if channel.endpoint is not None:
        endpoint, planned = rows.at("endpoint_row", row["endpoint_row"]), plan.endpoints[channel.endpoint]
        found = endpoint["start"], endpoint["size"], endpoint["block_mask"]
        if found != (planned.endpoint.start, planned.endpoint.size, max(planned.block_size, 1) - 1):
            yield f"it reaches {found[1]:#x} bytes from {found[0]:#x} on the device, which is not its endpoint"
    yield from _region_faults(plan, rows, channel, row)


def _buffer_rights(system: System, channel: PlannedChannel) -> int:
    """What is read from the device is written to the buffer, and the other way round; none where no device moves it."""
    endpoint = None if channel.endpoint is None else system.endpoints[channel.endpoint]
    if endpoint is None or not endpoint.device or endpoint.channel_class is ChannelClass.CONSOLE:
        return 0
    writes = endpoint.access is Access.WRITE and channel.channel.access is Access.WRITE
    return constants()["RIGHT_WRITE"] | constants()["RIGHT_READ"] * writes


def _region_faults(plan: Plan, rows: Rows, channel: PlannedChannel, row: Row) -> Iterator[str]:
    """From the last region to the first, as a conversion goes; each must begin behind the end of the one before."""
    client, number = plan.partitions[channel.client], constants()
    block = plan.descriptors[client.first_descriptor :][: client.region_count]
    size = dwarf.layouts().structs["descriptor_row"].size
    if row["client_last_region"] - row["client_first_region"] != (len(block) - 1) * size:
        yield "addresses are converted by more or fewer regions than its client has"
        return
    end = 0
    for place, planned in enumerate(block):
        found = rows.at("descriptor_row", row["client_first_region"] + place * size)
        region, own = rows.at("region_row", found["row"]), plan.regions[planned.target]
        rights = number["RIGHT_READ"] | number["RIGHT_WRITE"] * planned.rights.write
        expected = (planned.address, own.physical, own.size, rights | number["RIGHT_EXECUTE"] * planned.rights.execute)
        if (found["address"], region["physical"], region["size"], found["rights"]) != expected:
            yield f"addresses are converted by a region at {found['address']:#x} that is not its client's {own.name}"
        if planned.resource is not Resource.REGION or found["address"] < end:
            yield f"its client's region {own.name} is not in the order of addresses"
        end = found["address"] + region["size"]

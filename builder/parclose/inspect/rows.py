# SPDX-License-Identifier: Apache-2.0
"""Where rows of the database contradict each other: indexes that lead nowhere, and facts said twice differently."""

from __future__ import annotations

from collections.abc import Iterator

from parclose.constants import constants
from parclose.inspect.database import Database, Row

# table, member, table that it points into, whether NONE is allowed
_REFERENCES = (
    ("slots", "partition", "partitions", False),
    ("partitions", "processor", "processors", False),
    ("descriptors", "partition", "partitions", False),
    ("regions", "owner", "partitions", True),
    ("devices", "owner", "partitions", True),
    ("interrupts", "device", "devices", False),
    ("interrupts", "partition", "partitions", False),
    ("endpoints", "server", "partitions", False),
    ("endpoints", "device", "devices", True),
    ("channels", "client", "partitions", False),
    ("channels", "server", "partitions", False),
    ("channels", "client_descriptor", "descriptors", False),
    ("channels", "server_descriptor", "descriptors", False),
    ("channels", "endpoint", "endpoints", True),
)
# table, first member, count member, table that holds the block
_BLOCKS = (
    ("processors", "first_frame", "frame_count", "frames"),
    ("frames", "first_slot", "slot_count", "slots"),
    ("partitions", "first_descriptor", "descriptor_count", "descriptors"),
    ("devices", "first_bar", "bar_count", "bars"),
    ("devices", "first_interrupt", "interrupt_count", "interrupts"),
)


def contradictions(database: Database) -> Iterator[str]:
    """All of them, a sentence each."""
    yield from _references(database)
    yield from _blocks(database)
    yield from _order(database)
    for index, partition in enumerate(database.tables["partitions"]):
        yield from _descriptors(index, partition, database)
    for index, channel in enumerate(database.tables["channels"]):
        yield from _channel(index, channel, database)
    for interrupt in database.tables["interrupts"]:
        device = database.row("devices", interrupt["device"])
        if device and device["owner"] != interrupt["partition"]:
            yield f"an interrupt of device {device['name']!r} goes to a partition that does not own it"


def _references(database: Database) -> Iterator[str]:
    for table, member, target, may_be_none in _REFERENCES:
        for index, row in enumerate(database.tables[table]):
            value = row[member]
            if may_be_none and value == constants()["NONE"]:
                continue
            if value >= len(database.tables[target]):
                yield f"row {index} of {table}: {member} {value} is no row of {target}"
    if database.header["manager"] >= len(database.tables["partitions"]):
        yield f"the manager, row {database.header['manager']}, is no row of partitions"


def _blocks(database: Database) -> Iterator[str]:
    for table, first, count, target in _BLOCKS:
        for index, row in enumerate(database.tables[table]):
            if row[first] + row[count] > len(database.tables[target]):
                yield f"row {index} of {table}: rows {row[first]} to {row[first] + row[count] - 1} leave {target}"


def _order(database: Database) -> Iterator[str]:
    expected = set(range(len(database.tables["partitions"]))) - {database.header["manager"]}
    if sorted(database.start_order) != sorted(expected):
        yield f"the start order {database.start_order} does not name each partition but the manager once"


def _descriptors(index: int, partition: Row, database: Database) -> Iterator[str]:
    number = database.layouts.number
    tables = {
        number("RESOURCE_REGION"): "regions",
        number("RESOURCE_DEVICE"): "devices",
        number("RESOURCE_CHANNEL"): "channels",
    }
    for place, descriptor in database.descriptors(partition):
        what = f"descriptor {place} ({descriptor['name']!r}) in the block of {partition['name']!r}"
        if descriptor["partition"] != index:
            yield f"{what} is another partition's"
        table = tables.get(descriptor["resource"])
        target = database.row(table, descriptor["target"]) if table else None
        if target is None:
            yield f"{what} names no resource"
        elif table != "channels" and target["owner"] not in (index, constants()["NONE"]):
            yield f"{what} is of {table[:-1] if table else ''} {target['name']!r}, which another partition owns"


def _channel(index: int, channel: Row, database: Database) -> Iterator[str]:
    what = f"channel {channel['name']!r}"
    for end, other in (("client", "server"), ("server", "client")):
        yield from _channel_end(index, channel, end, other, database)
    client = database.row("partitions", channel["client"])
    regions = (channel["client_regions"], channel["client_region_count"])
    if client and regions != (client["first_descriptor"], client["region_count"]):
        yield f"{what}: addresses are converted by regions that are not those of its client {client['name']!r}"
    endpoint = database.row("endpoints", channel["endpoint"]) if channel["endpoint"] != constants()["NONE"] else None
    if endpoint and endpoint["server"] != channel["server"]:
        yield f"{what}: its server is not the one that has endpoint {endpoint['name']!r}"
    if endpoint and channel["rights"] & ~endpoint["rights"]:
        yield f"{what} has rights that endpoint {endpoint['name']!r} lacks"
    if endpoint and endpoint["class"] != channel["class"]:
        yield f"{what} and endpoint {endpoint['name']!r} are of different classes"
    if channel["quota"] > constants()["LIMIT_IN_FLIGHT"]:
        yield f"{what}: its quota {channel['quota']} is above {constants()['LIMIT_IN_FLIGHT']}"


def _channel_end(index: int, channel: Row, end: str, other: str, database: Database) -> Iterator[str]:
    """What the descriptor of one end says differently: of itself, and of where its signals go."""
    own = database.row("descriptors", channel[f"{end}_descriptor"])
    far = database.row("descriptors", channel[f"{other}_descriptor"])
    what, number = f"channel {channel['name']!r}", database.layouts.number
    if own is None:
        return
    wanted = (channel[end], number("RESOURCE_CHANNEL"), index, number(f"END_{end.upper()}"))
    if tuple(own[member] for member in ("partition", "resource", "target", "end")) != wanted:
        yield f"{what}: descriptor {channel[f'{end}_descriptor']} is not its {end}'s"
    if own["other_partition"] != channel[other]:
        names = [database.name("partitions", one) for one in (own["other_partition"], channel[other])]
        yield f"{what}: signals of its {end} go to {names[0]}, its {other} is {names[1]}"
    if far is not None and own["other_event"] != far["event"]:
        yield f"{what}: signals of its {end} set event {own['other_event']}, its {other} waits for event {far['event']}"

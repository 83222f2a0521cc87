# SPDX-License-Identifier: Apache-2.0
"""Where rows of the database contradict each other: indexes that lead nowhere, and facts said twice differently."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from parclose.constants import constants
from parclose.inspect import names
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
        yield from _order_of_regions(partition, database)
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
        if table and descriptor["row"] != database.address(table, descriptor["target"]):
            yield f"{what}: the monitor looks for its row at {descriptor['row']:#x}, where it is not"
        target = database.row(table, descriptor["target"]) if table else None
        serves = table == "channels" and descriptor["end"] == number("END_SERVER")
        if target and descriptor["converts"] != int(serves and target["endpoint"] != constants()["NONE"]):
            yield f"{what} may {'not ' * (not descriptor['converts'])}convert addresses, its channel says otherwise"
        if target is None:
            yield f"{what} names no resource"
        elif table != "channels" and target["owner"] not in (index, constants()["NONE"]):
            yield f"{what} is of {table[:-1] if table else ''} {target['name']!r}, which another partition owns"


def _order_of_regions(partition: Row, database: Database) -> Iterator[str]:
    """A conversion relies on the order of a block's first rows, and on a gap or nothing between them."""
    ends = [
        (row["address"], row["address"] + region["size"] if (region := database.row("regions", row["target"])) else 0)
        for _, row in database.rows("descriptors", partition["first_descriptor"], partition["region_count"])
    ]
    if any(end > start for (_, end), (start, _) in pairwise(ends)):
        yield f"the regions in the block of {partition['name']!r} are not in the order of their addresses"


def _channel(index: int, channel: Row, database: Database) -> Iterator[str]:
    what = f"channel {channel['name']!r}"
    for end, other in (("client", "server"), ("server", "client")):
        yield from _channel_end(index, channel, end, other, database)
    yield from _conversion(index, channel, what, database)
    endpoint = database.row("endpoints", channel["endpoint"]) if channel["endpoint"] != constants()["NONE"] else None
    if endpoint and endpoint["server"] != channel["server"]:
        yield f"{what}: its server is not the one that has endpoint {endpoint['name']!r}"
    if endpoint and names.served_rights(channel["buffer_rights"]) & ~endpoint["rights"]:
        yield f"{what} has rights that endpoint {endpoint['name']!r} lacks"
    if endpoint and endpoint["class"] != channel["class"]:
        yield f"{what} and endpoint {endpoint['name']!r} are of different classes"
    if channel["quota"] > constants()["LIMIT_IN_FLIGHT"]:
        yield f"{what}: its quota {channel['quota']} is above {constants()['LIMIT_IN_FLIGHT']}"


def _conversion(index: int, channel: Row, what: str, database: Database) -> Iterator[str]:
    """What a conversion follows, which other members say as indexes."""
    client, none = database.row("partitions", channel["client"]), constants()["NONE"]
    regions = (channel["client_first_region"], channel["client_last_region"])
    if client:
        first, last = client["first_descriptor"], client["first_descriptor"] + client["region_count"] - 1
        if regions != (database.address("descriptors", first), database.address("descriptors", last)):
            yield f"{what}: addresses are converted by regions that are not those of its client {client['name']!r}"
    endpoint = 0 if channel["endpoint"] == none else database.address("endpoints", channel["endpoint"])
    if channel["endpoint_row"] != endpoint:
        yield f"{what}: addresses are converted for an endpoint that is not its own"
    if channel["index"] != index:
        yield f"{what}: conversions in flight are counted for channel {channel['index']}, it is {index}"


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

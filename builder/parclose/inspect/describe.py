# SPDX-License-Identifier: Apache-2.0
"""The database as one JSON-ready document: the parts that rows alone decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from parclose.constants import constants
from parclose.inspect import names
from parclose.inspect.database import Database, Row

Document = dict[str, Any]


def _word(database: Database, enum: str, value: int) -> str:
    return names.word(database.layouts, enum, value)


def machine(database: Database) -> Document:
    """What holds for the whole machine: identity, ports, features, planned memory, start order."""
    header = database.header
    return {
        "layout": header["layout"],
        "board": header["board"],
        "version": header["version"],
        "size": header["size"],
        "manager": database.name("partitions", header["manager"]),
        "on_end": _word(database, "on_end", header["on_end"]),
        "xcr0": header["xcr0"],
        "io_apic": header["io_apic_physical"],
        "ports": {name: header[f"{name}_port"] or None for name in ("monitor", "debug", "report")},
        "poweroff": _port_write(header["poweroff"]),
        "reboot": _port_write(header["reboot"]),
        "features": [_feature(row) for row in database.tables["features"]],
        "memory": [dict(row) for row in database.tables["memory"]],
        "start_order": [database.name("partitions", index) for index in database.start_order],
    }


def _port_write(row: Row) -> Document | None:
    return dict(row) if row["width"] else None


def _feature(row: Row) -> Document:
    register = dict(enumerate(("eax", "ebx", "ecx", "edx"))).get(row["output"], f"unknown ({row['output']})")
    return {**row, "output": register}


def processors(database: Database) -> list[Document]:
    """Each processor's major frame: its minor frames in turn with their lists."""
    return [
        {
            "apic_id": row["apic_id"],
            "frames": [
                {"length_ns": frame["length_ns"], "slots": [_slot(slot, database) for slot in _slots(frame, database)]}
                for _, frame in database.rows("frames", row["first_frame"], _most(row["frame_count"], "LIMIT_FRAMES"))
            ],
        }
        for row in database.tables["processors"][: constants()["LIMIT_PARTITIONS"]]
    ]


def _most(count: int, limit: str) -> int:
    """`count` within its limit, so that rows which claim too many cannot multiply the work."""
    return min(count, constants()[limit])


def _slots(frame: Row, database: Database) -> list[Row]:
    count = _most(frame["slot_count"], "LIMIT_SLOTS")
    return [slot for _, slot in database.rows("slots", frame["first_slot"], count)]


def _slot(slot: Row, database: Database) -> Document:
    return {"partition": database.name("partitions", slot["partition"]), **_budget(slot)}


def _budget(slot: Row) -> Document:
    """The budget as the layout has it, and what of it is the monitor's."""
    own, monitor = slot["budget_ns"], slot["monitor_ns"]
    return {"budget_ns": own + monitor if own else 0, "monitor_ns": monitor}


def partition(index: int, database: Database) -> Document:
    """One partition: role and calls, and all that its rows give it."""
    row = database.tables["partitions"][index]
    role = _word(database, "role", row["role"])
    return {
        "name": row["name"],
        "index": index,
        "role": role,
        "calls": names.role_calls(database.layouts, role, bool(row["debug"])),
        "processor": row["processor"],
        "debug": bool(row["debug"]),
        "root": row["root"],
        "entry": row["entry"],
        "stack_top": row["stack_top"],
        "health": _health(row, database),
        "regions": _described(row, "RESOURCE_REGION", "regions", _region, database),
        "channels": _described(row, "RESOURCE_CHANNEL", "channels", _channel_end, database),
        "devices": _described(row, "RESOURCE_DEVICE", "devices", _device_end, database),
        "endpoints": [one for one in endpoints(database) if one["server_index"] == index],
        "events": list(_events(index, row, database)),
        "frames": list(_frames(index, database)),
    }


def _health(row: Row, database: Database) -> Document:
    return {
        "fault": _word(database, "health_action", row["fault_action"]),
        "limit": row["fault_limit"],
        "within_ns": row["fault_within_ns"],
        "then": _word(database, "health_action", row["fault_then"]),
    }


def _described(
    row: Row, resource: str, table: str, describe: Callable[[Row, Row, Database], Document], database: Database
) -> list[Document]:
    """The descriptors of one kind, each together with the resource that it is of."""
    found = []
    for place, descriptor in database.descriptors(row):
        if descriptor["resource"] != database.layouts.number(resource):
            continue
        common = {"name": descriptor["name"], "descriptor": place, "required": bool(descriptor["required"])}
        target = database.row(table, descriptor["target"])
        detail = describe(descriptor, target, database) if target else {"fault": f"no row {descriptor['target']}"}
        found.append(common | detail)
    return found


def _region(descriptor: Row, region: Row, database: Database) -> Document:
    return {
        "address": descriptor["address"],
        "physical": region["physical"],
        "size": region["size"],
        "rights": names.rights(descriptor["rights"]),
        "kind": _word(database, "region_kind", region["kind"]),
        "region": region["name"],
        "owner": database.name("partitions", region["owner"]),
    }


def _channel_end(descriptor: Row, channel: Row, database: Database) -> Document:
    end = _word(database, "channel_end", descriptor["end"])
    return {
        "end": end,
        "peer": database.name("partitions", channel["client" if end == "server" else "server"]),
        "class": _word(database, "channel_class", channel["class"]),
        "endpoint": database.name("endpoints", channel["endpoint"]),
        "rights": names.rights(names.served_rights(channel["buffer_rights"])),
        "quota": channel["quota"],
        "event": descriptor["event"],
        "signals": {
            "partition": database.name("partitions", descriptor["other_partition"]),
            "event": descriptor["other_event"],
        },
        "address": descriptor["address"],
        "physical": channel["physical"],
        "size": channel["size"],
    }


def _device_end(_: Row, device: Row, database: Database) -> Document:
    known = {key: value for key, value in _device(device, database).items() if key != "name"}
    return {"device": device["name"]} | known


def _device(row: Row, database: Database) -> Document:
    pci = row["bus"] == database.layouts.number("BUS_PCI")
    return {
        "name": row["name"],
        "bus": _word(database, "bus", row["bus"]),
        "address": names.pci_address(row["address"]) if pci else None,
        "identity": names.pci_identity(row["identity"]) if pci else None,
        "class_code": row["class_code"],
        "owner": database.name("partitions", row["owner"]),
        "bus_master": bool(row["bus_master"]),
        "bars": [{**bar, "kind": _word(database, "bar_kind", bar["kind"])} for _, bar in database.bars(row)],
        "interrupts": [_interrupt(index, one, database) for index, one in _interrupts(row, database)],
        "source": row["source"],
    }


def _interrupts(device: Row, database: Database) -> list[tuple[int, Row]]:
    return database.rows("interrupts", device["first_interrupt"], device["interrupt_count"])


def _interrupt(index: int, row: Row, database: Database) -> Document:
    return {
        "kind": _word(database, "interrupt_kind", row["kind"]),
        "number": row["number"],
        "vector": constants()["VECTOR_DEVICE_FIRST"] + index,
        "partition": database.name("partitions", row["partition"]),
        "event": row["event"],
    }


def _events(index: int, row: Row, database: Database) -> Iterator[Document]:
    """Who can set which of the partition's events."""
    found = []
    for _, descriptor in database.descriptors(row):
        if descriptor["resource"] == database.layouts.number("RESOURCE_CHANNEL"):
            found.append({"event": descriptor["event"], "channel": descriptor["name"]})
    for interrupt in database.tables["interrupts"]:
        if interrupt["partition"] == index:
            device = database.name("devices", interrupt["device"])
            found.append({"event": interrupt["event"], "device": device, "interrupt": interrupt["number"]})
    yield from sorted(found, key=lambda one: int(one["event"]))


def _frames(index: int, database: Database) -> Iterator[Document]:
    """The minor frames in whose lists the partition stands, `position` counting from 0."""
    for processor, row in enumerate(database.tables["processors"][: constants()["LIMIT_PARTITIONS"]]):
        count = _most(row["frame_count"], "LIMIT_FRAMES")
        for number, (_, frame) in enumerate(database.rows("frames", row["first_frame"], count)):
            for position, slot in enumerate(_slots(frame, database)):
                if slot["partition"] == index:
                    yield {
                        "processor": processor,
                        "frame": number,
                        "position": position,
                        "length_ns": frame["length_ns"],
                        **_budget(slot),
                    }


def devices(database: Database) -> list[Document]:
    """All devices, those of no partition too."""
    return [_device(row, database) for row in database.tables["devices"]]


def endpoints(database: Database) -> list[Document]:
    """All endpoints; `start` and `size` are bytes on the device."""
    return [
        {
            "name": row["name"],
            "server": database.name("partitions", row["server"]),
            "server_index": row["server"],
            "class": _word(database, "channel_class", row["class"]),
            "device": database.name("devices", row["device"]),
            "block_size": row["block_mask"] + 1 if row["block_mask"] else 0,
            "start": row["start"],
            "size": row["size"],
            "rights": names.rights(row["rights"]),
            "shared": bool(row["shared"]),
        }
        for row in database.tables["endpoints"]
    ]


def channels(database: Database) -> list[Document]:
    """All channels with both ends."""
    return [
        {
            "name": row["name"],
            "client": database.name("partitions", row["client"]),
            "server": database.name("partitions", row["server"]),
            "class": _word(database, "channel_class", row["class"]),
            "endpoint": database.name("endpoints", row["endpoint"]),
            "rights": names.rights(names.served_rights(row["buffer_rights"])),
            "quota": row["quota"],
            "physical": row["physical"],
            "size": row["size"],
        }
        for row in database.tables["channels"]
    ]

# SPDX-License-Identifier: Apache-2.0
"""The rows of the resource database as C expressions: field by field, by the names of abi/database.h."""

from __future__ import annotations

from collections.abc import Iterator

from parclose.constants import constants
from parclose.errors import Span
from parclose.model import Access, ChannelClass, Endpoint, System
from parclose.place import align_up
from parclose.planned import (
    Extent,
    ExtentKind,
    Plan,
    PlannedChannel,
    PlannedDescriptor,
    PlannedDevice,
    PlannedPartition,
    Resource,
    Rights,
)

Row = dict[str, str]

# Each table of `struct database` and the type of its rows, in the order in which they are laid out.
TYPES = {
    "features": "struct feature_row",
    "memory": "struct memory_row",
    "processors": "struct processor_row",
    "frames": "struct frame_row",
    "slots": "struct slot_row",
    "partitions": "struct partition_row",
    "descriptors": "struct descriptor_row",
    "regions": "struct region_row",
    "devices": "struct device_row",
    "bars": "struct bar_row",
    "interrupts": "struct interrupt_row",
    "endpoints": "struct endpoint_row",
    "channels": "struct channel_row",
    "start_order": "uint32_t",
    "sums": "struct sum_row",
}

_SUMMED = (ExtentKind.TABLES, ExtentKind.DESCRIPTORS, ExtentKind.IO_BITMAP)
_WORD = 8  # bytes that a step of the checksum takes
_OWN = (ExtentKind.TABLES, ExtentKind.DESCRIPTORS, ExtentKind.CALL_PAGE, ExtentKind.CONTEXT, ExtentKind.IO_BITMAP)


def database_rows(system: System, plan: Plan) -> dict[str, list[Row] | list[str]]:
    """The rows of every table, by the table's name in `struct database`."""
    index = {partition.name: str(number) for number, partition in enumerate(system.partitions)}
    found: dict[str, list[Row] | list[str]] = {
        "features": _features(system),
        "memory": [_memory(extent, system) for extent in _merged(plan.extents)],
        **_schedule(system, plan, index),
        "partitions": [_partition(partition, system) for partition in plan.partitions],
        "descriptors": [_descriptor(row, plan) for row in plan.descriptors],
        "regions": _regions(plan),
        "devices": [_device(device) for device in plan.devices],
        "bars": _bars(plan),
        "interrupts": _interrupts(plan),
        "endpoints": _endpoints(plan),
        "channels": [_channel(index, channel, plan, system) for index, channel in enumerate(plan.channels)],
        "start_order": [index[name] for name in system.start_order],
        "sums": list(_sums(plan)),
    }
    return {name: found[name] for name in TYPES}


def text(value: str, limit: str = "LIMIT_NAME") -> str:
    """A C string literal of at most as many bytes as the constant `limit` says."""
    data = value.encode()[: constants()[limit]]
    return '"' + "".join(_character(byte) for byte in data) + '"'


def _character(byte: int) -> str:
    return chr(byte) if 0x20 <= byte < 0x7F and chr(byte) not in '"\\?' else f"\\{byte:03o}"


def place(span: Span) -> str:
    """A place as the machine names it at run time: "line.yaml:14". The folder is left out: it differs."""
    return text(f"{span.file.rpartition('/')[2]}:{span.line}", "LIMIT_SOURCE")


def rights(value: Rights) -> str:
    """`value` in the constants' names."""
    names = ["RIGHT_READ"] + ["RIGHT_WRITE"] * value.write + ["RIGHT_EXECUTE"] * value.execute
    return " | ".join(names)


def buffer_rights(value: Rights) -> str:
    """What a device may do to buffers of a client that has `value` to its disk: reading the disk writes them."""
    return " | ".join(["RIGHT_WRITE"] + ["RIGHT_READ"] * value.write)


def class_name(value: ChannelClass) -> str:
    """The constant of `enum channel_class`."""
    return f"CLASS_{value.name}"


def endpoint_rights(access: Access) -> Rights:
    """What an endpoint or channel of `access` permits."""
    return Rights(write=access is Access.WRITE)


def _features(system: System) -> list[Row]:
    return [
        {
            "leaf": hex(feature.leaf),
            "subleaf": str(feature.subleaf),
            "output": str(feature.output),
            "bit": str(feature.bit),
            "name": text(feature.name),
            "source": place(feature.span),
        }
        for feature in system.board.features
    ]


def _merged(extents: tuple[Extent, ...]) -> list[Extent]:
    """The extents, but each run of small pages of the monitor's own as one."""
    found: list[Extent] = []
    for extent in extents:
        own = Extent("tables", ExtentKind.TABLES, extent.physical, extent.size) if extent.kind in _OWN else extent
        if found and found[-1].kind is own.kind is ExtentKind.TABLES and found[-1].end == own.physical:
            found[-1] = Extent(own.name, own.kind, found[-1].physical, found[-1].size + own.size)
        else:
            found.append(own)
    return found


def _memory(extent: Extent, system: System) -> Row:
    return {
        "start": hex(extent.physical),
        "size": hex(extent.size),
        "name": text(extent.name),
        "source": place(extent.span or system.span),
    }


def _schedule(system: System, plan: Plan, index: dict[str, str]) -> dict[str, list[Row] | list[str]]:
    processors: list[Row] = []
    frames: list[Row] = []
    slots: list[Row] = []
    board = {processor.name: processor for processor in system.board.processors}
    for schedule, times in zip(system.schedules, plan.monitor_time, strict=True):
        processors.append(
            {
                "apic_id": str(board[schedule.processor].apic_id),
                "first_frame": str(len(frames)),
                "frame_count": str(len(schedule.frames)),
            }
        )
        for frame, shares in zip(schedule.frames, times, strict=True):
            first, count = str(len(slots)), str(len(frame.slots))
            frames.append({"length_ns": str(frame.length), "first_slot": first, "slot_count": count})
            slots += [
                {
                    "budget_ns": str(slot.budget - share),
                    "monitor_ns": str(share),
                    "partition": index[slot.partition],
                }
                for slot, share in zip(frame.slots, shares, strict=True)
            ]
    return {"processors": processors, "frames": frames, "slots": slots}


def _partition(planned: PlannedPartition, system: System) -> Row:
    partition = planned.partition
    processor = next(
        (
            number
            for number, schedule in enumerate(system.schedules)
            if any(slot.partition == partition.name for frame in schedule.frames for slot in frame.slots)
        ),
        0,
    )
    return {
        "name": text(partition.name),
        "role": f"ROLE_{partition.role.name}",
        "processor": str(processor),
        "first_descriptor": str(planned.first_descriptor),
        "descriptor_count": str(planned.descriptor_count),
        "region_count": str(planned.region_count),
        "debug": str(int(partition.debug)),
        "root": hex(planned.root),
        "entry": hex(planned.entry),
        "stack_top": hex(planned.stack_top),
        "fault_action": f"HEALTH_{partition.health.action.upper()}",
        "fault_limit": str(partition.health.limit),
        "fault_within_ns": str(partition.health.within),
        "fault_then": "HEALTH_STOP",
    }


def _descriptor(row: PlannedDescriptor, plan: Plan) -> Row:
    found = {
        "partition": str(row.partition),
        "resource": row.resource.value,
        "target": str(row.target),
        "rights": rights(row.rights),
        "required": "1",
        "row": _address(_TARGETS[row.resource], row.target),
    }
    if row.resource is Resource.CHANNEL:
        found |= {
            "end": "END_SERVER" if row.server_end else "END_CLIENT",
            "converts": str(int(row.server_end and plan.channels[row.target].endpoint is not None)),
            "event": str(row.event),
            "other_partition": str(row.other_partition),
            "other_event": str(row.other_event),
        }
    return found | {"address": hex(row.address), "name": text(row.name)}


_TARGETS = {Resource.REGION: "regions", Resource.DEVICE: "devices", Resource.CHANNEL: "channels"}


def _address(table: str, index: int) -> str:
    """Where the monitor sees row `index` of a table."""
    return f"ROW({table}, {index})"


def _regions(plan: Plan) -> list[Row]:
    return [
        {
            "physical": hex(region.physical),
            "size": hex(region.size),
            "kind": region.kind.value,
            "owner": "NONE" if region.owner is None else str(region.owner),
            "name": text(region.name),
        }
        for region in plan.regions
    ]


def _device(planned: PlannedDevice) -> Row:
    device = planned.device
    return {
        "name": text(device.name),
        "bus": f"BUS_{device.bus.name}",
        "address": hex(device.address),
        "identity": hex(device.identity),
        "class_code": hex(device.class_code),
        "owner": str(planned.owner),
        "bus_master": str(int(device.bus_master)),
        "first_bar": str(planned.first_bar),
        "bar_count": str(len(planned.bars)),
        "first_interrupt": str(planned.first_interrupt),
        "interrupt_count": str(len(planned.interrupts)),
        "msix_table": hex(planned.msix_table),
        "source": place(device.span),
    }


def _sums(plan: Plan) -> Iterator[Row]:
    """What is compared at start: the monitor's own bytes, and the tables that the processor and partitions read.

    The checksums themselves are put in when the bytes are there (seal.py)."""
    for segment in plan.monitor.segments:
        if segment.content and not segment.write:
            yield _sum("the monitor", segment.physical, align_up(segment.memory_size, _WORD))
    for extent in plan.extents:
        if extent.kind in _SUMMED:
            yield _sum(extent.name, extent.physical, extent.size)


def _sum(name: str, start: int, size: int) -> Row:
    return {"start": hex(start), "size": hex(size), "name": text(name)}


def _bars(plan: Plan) -> list[Row]:
    return [
        {
            "address": hex(bar.address),
            "size": hex(bar.bar.size),
            "kind": f"BAR_{bar.bar.kind.name}",
            "index": str(bar.bar.index),
        }
        for device in plan.devices
        for bar in device.bars
    ]


def _interrupts(plan: Plan) -> list[Row]:
    return [
        {
            "kind": f"INTERRUPT_{interrupt.kind.name}",
            "device": str(interrupt.device),
            "number": str(interrupt.number),
            "partition": str(interrupt.partition),
            "event": str(interrupt.event),
        }
        for interrupt in plan.interrupts
    ]


def _endpoints(plan: Plan) -> list[Row]:
    return [
        {
            "name": text(planned.endpoint.name),
            "server": str(planned.server),
            "class": class_name(planned.endpoint.channel_class),
            "device": "NONE" if planned.device is None else str(planned.device),
            "block_mask": hex(max(planned.block_size, 1) - 1),
            "start": hex(planned.endpoint.start),
            "size": hex(planned.endpoint.size),
            "rights": rights(endpoint_rights(planned.endpoint.access)),
            "shared": str(int(planned.endpoint.shared)),
        }
        for planned in plan.endpoints
    ]


def _channel(index: int, planned: PlannedChannel, plan: Plan, system: System) -> Row:
    channel = planned.channel
    client = plan.partitions[planned.client]
    endpoint = None if planned.endpoint is None else system.endpoints[planned.endpoint]
    return {
        "name": text(channel.client_name),
        "client": str(planned.client),
        "server": str(planned.server),
        "client_descriptor": str(planned.client_descriptor),
        "server_descriptor": str(planned.server_descriptor),
        "class": class_name(channel.channel_class),
        "endpoint": "NONE" if planned.endpoint is None else str(planned.endpoint),
        "buffer_rights": buffer_rights(convertible(channel.access, endpoint)) if _converts(endpoint) else "0",
        "quota": str(min(channel.quota, constants()["LIMIT_IN_FLIGHT"])),
        "physical": hex(planned.physical),
        "size": hex(planned.size),
        "endpoint_row": "0" if planned.endpoint is None else _address("endpoints", planned.endpoint),
        "client_first_region": _address("descriptors", client.first_descriptor),
        "client_last_region": _address("descriptors", client.first_descriptor + client.region_count - 1),
        "index": str(index),
    }


def _converts(endpoint: Endpoint | None) -> bool:
    """Whether buffers of a channel may be converted: only where a device moves them; others copy through the window."""
    converted = (ChannelClass.BLOCK, ChannelClass.NETWORK)
    return endpoint is not None and endpoint.channel_class in converted and endpoint.device != ""


def convertible(access: Access, endpoint: Endpoint | None) -> Rights:
    """What the client may ask of its endpoint: the endpoint's rights and the channel's together."""
    return Rights(write=access is Access.WRITE and (endpoint is None or endpoint.access is Access.WRITE))

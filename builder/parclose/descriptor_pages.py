# SPDX-License-Identifier: Apache-2.0
"""The descriptor pages as C expressions, by the names of abi/descriptor.h."""

from __future__ import annotations

from dataclasses import dataclass

from parclose.addresses import Address, addresses, reaches
from parclose.constants import constants
from parclose.model import Bus, ChannelClass, Device, Endpoint, System
from parclose.planned import Plan, PlannedDescriptor, PlannedDevice, PlannedPartition, Resource
from parclose.rows import class_name, convertible, rights

_CLASS_OF_16550 = 0x070002  # what the PCI specification calls a 16550-compatible serial controller


@dataclass(frozen=True)
class Page:
    """What the template needs of one partition. Values are numbers, names or C expressions."""

    index: int
    name: str
    role: str
    pages: int
    memory_end: int
    stack_top: int
    stack_size: int
    channels: list[dict[str, object]]
    devices: list[dict[str, object]]
    regions: list[dict[str, object]]
    configs: list[dict[str, object]]
    addresses: list[Address]
    labels: list[dict[str, object]]


def descriptor_pages(system: System, plan: Plan) -> list[Page]:
    """One page for each partition, in their order."""
    return [_page(system, plan, planned) for planned in plan.partitions]


def _page(system: System, plan: Plan, planned: PlannedPartition) -> Page:
    block = range(planned.first_descriptor, planned.first_descriptor + planned.descriptor_count)
    rows = [(position - planned.first_descriptor, plan.descriptors[position]) for position in block]
    devices = [(index, row) for index, row in rows if row.resource is Resource.DEVICE]
    places = {row.target: str(place) for place, (_, row) in enumerate(devices)}
    ends = [(index, row) for index, row in rows if row.resource is Resource.CHANNEL]
    macs = [addresses(system, plan.channels[row.target].channel, row.server_end) for _, row in ends]
    labelled = _labelled(plan, planned)
    masters = any(plan.devices[row.target].device.bus_master for _, row in devices)
    return Page(
        index=planned.index,
        name=planned.partition.name,
        role=f"ROLE_{planned.partition.role.name}",
        pages=planned.descriptor_pages,
        memory_end=planned.memory_end,
        stack_top=planned.stack_top,
        stack_size=planned.partition.stack,
        channels=[
            _channel(plan, index, row, places, labelled)
            | _port(plan, ends, row, sum(len(each) for each in macs[:place]), macs[place])
            for place, (index, row) in enumerate(ends)
        ],
        devices=[_device(index, plan.devices[row.target]) for index, row in devices],
        regions=[_region(plan, index, row, masters) for index, row in rows if row.resource is Resource.REGION],
        configs=[
            {"name": config.name, "address": config.virtual, "size": len(config.content)}
            for config in plan.configs
            if config.partition == planned.index
        ],
        addresses=[address for each in macs for address in each],
        labels=[_label(plan.endpoints[index].endpoint) for index in labelled],
    )


def _port(
    plan: Plan, ends: list[tuple[int, PlannedDescriptor]], row: PlannedDescriptor, first: int, macs: tuple[Address, ...]
) -> dict[str, object]:
    """What a network channel has besides. `ends` are all channels of this page, `first` counts its addresses."""
    channel = plan.channels[row.target].channel
    if channel.port is None:
        return {"first_address": 0, "address_count": 0, "mac": bytes(6), "vlan": 0, "wire": 0, "talks": []}
    others = [plan.channels[end.target].channel if end.server_end else None for _, end in ends]
    heard = [place for place, other in enumerate(others) if other is not None and reaches(channel, other)]
    return {
        "first_address": first,
        "address_count": len(macs),
        "mac": channel.port.mac,
        "vlan": channel.port.vlan,
        "wire": int(channel.port.wire),
        "talks": _words(heard if row.server_end else []),
    }


def _words(bits: list[int]) -> list[int]:
    """A set of bits as words of 64, as many as LIMIT_EVENTS makes."""
    return [
        sum(1 << bit % 64 for bit in bits if bit // 64 == word) for word in range(constants()["LIMIT_EVENTS"] // 64)
    ]


def _labelled(plan: Plan, planned: PlannedPartition) -> list[int]:
    """The indexes of the partition's endpoints that stand on a partition of a disk, by its label."""
    own = enumerate(each.endpoint for each in plan.endpoints)
    return [index for index, endpoint in own if endpoint.label and endpoint.partition == planned.partition.name]


def _label(endpoint: Endpoint) -> dict[str, object]:
    return {"name": endpoint.label, "start": endpoint.start, "size": endpoint.size}


def _channel(
    plan: Plan, index: int, row: PlannedDescriptor, devices: dict[int, str], labelled: list[int]
) -> dict[str, object]:
    planned = plan.channels[row.target]
    channel = planned.channel
    endpoint = None if planned.endpoint is None else plan.endpoints[planned.endpoint]
    block = endpoint is not None and channel.channel_class is ChannelClass.BLOCK
    served = block or channel.channel_class is ChannelClass.CONSOLE
    return {
        "name": row.name,
        "peer": channel.client if row.server_end else channel.server,
        "index": index,
        "number": row.target,
        "end": "END_SERVER" if row.server_end else "END_CLIENT",
        "class": class_name(channel.channel_class),
        "event": row.event,
        "address": row.address,
        "size": planned.size,
        "client_address": planned.client_address,
        "capacity": endpoint.endpoint.size if endpoint is not None and block else 0,
        "block_size": endpoint.block_size if endpoint is not None and block else 0,
        "rights": rights(convertible(channel.access, endpoint.endpoint if endpoint else None)) if served else 0,
        "device": devices[endpoint.device] if row.server_end and endpoint and endpoint.device is not None else "NONE",
        "endpoint": planned.endpoint if row.server_end and endpoint is not None else "NONE",
        "label": labelled.index(planned.endpoint) if row.server_end and planned.endpoint in labelled else "NONE",
        "share": channel.share,
        "buffer": channel.buffer if row.server_end else 0,
        "escape": endpoint.endpoint.escape if row.server_end and endpoint is not None else 0,
    }


def _device(index: int, planned: PlannedDevice) -> dict[str, object]:
    device = planned.device
    return {
        "name": device.name,
        "index": index,
        "bus": f"BUS_{device.bus.name}",
        "identity": device.identity,
        "class_code": _class_code(device),
        "interrupt_count": len(planned.interrupts),
        "first_event": planned.interrupts[0].event if planned.interrupts else 0,
        "bars": [
            {
                "index": bar.bar.index,
                "address": bar.virtual or bar.address,
                "size": bar.bar.size,
                "kind": f"BAR_{bar.bar.kind.name}",
            }
            for bar in planned.bars
        ],
        "parameters": [
            {"name": f"PARAMETER_{name.upper().replace('-', '_')}", "value": value} for name, value in device.parameters
        ],
    }


def _class_code(device: Device) -> int:
    if device.bus is Bus.ISA and device.kind == "16550":
        return _CLASS_OF_16550
    return device.class_code


def _region(plan: Plan, index: int, row: PlannedDescriptor, masters: bool) -> dict[str, object]:
    region = plan.regions[row.target]
    return {
        "name": row.name,
        "index": index,
        "kind": region.kind.value,
        "rights": rights(row.rights),
        "address": row.address,
        "size": region.size,
        "device_address": region.physical if masters else 0,
    }

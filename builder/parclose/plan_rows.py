# SPDX-License-Identifier: Apache-2.0
"""The part of the plan that fills the rows of the database, each partition's descriptors among them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from parclose.constants import constants
from parclose.model import Access, BarKind, Channel, ChannelClass, Endpoint, System
from parclose.plan_devices import OwnedDevice, interrupts, owned_devices
from parclose.plan_ground import Ground
from parclose.plan_program import memory_size, own_regions
from parclose.planned import (
    ExtentKind,
    Inputs,
    PlannedBar,
    PlannedChannel,
    PlannedConfig,
    PlannedDescriptor,
    PlannedDevice,
    PlannedEndpoint,
    PlannedInterrupt,
    PlannedRegion,
    RegionKind,
    Resource,
    Rights,
)


@dataclass(frozen=True)
class OwnRow:
    """A row of regions that belongs to one partition, and where that partition sees it."""

    row: PlannedRegion
    virtual: int


@dataclass(frozen=True)
class SharedRow:
    """A shared row of regions, and where each user sees it: (partition index, writes, virtual)."""

    row: PlannedRegion
    users: tuple[tuple[int, bool, int], ...]


@dataclass(frozen=True)
class Rows:
    """All rows. A region's index counts `own` first, then `shared`."""

    own: tuple[OwnRow, ...]
    shared: tuple[SharedRow, ...]
    owned: tuple[OwnedDevice, ...]
    devices: tuple[PlannedDevice, ...]
    endpoints: tuple[PlannedEndpoint, ...]
    channels: tuple[PlannedChannel, ...]
    configs: tuple[PlannedConfig, ...]
    descriptors: tuple[PlannedDescriptor, ...]

    @property
    def regions(self) -> tuple[PlannedRegion, ...]:
        """The rows of regions in the order of their indexes."""
        return (*(each.row for each in self.own), *(each.row for each in self.shared))


def rows(ground: Ground, inputs: Inputs) -> Rows:
    """Place what has a row, and number it. Problems are left in `ground`."""
    system = ground.system
    owned = owned_devices(system, ground.problems)
    channels = _channels(ground)
    devices = _devices(ground, owned)
    configs = _configs(ground, inputs)
    own = _own_regions(ground, inputs)
    shared = _shared_regions(ground, inputs)
    descriptors = _descriptors(system, own, shared, devices, channels)
    named = _name_descriptors(channels, descriptors)
    return Rows(own, shared, owned, devices, _endpoints(ground, owned), named, configs, descriptors)


def _channels(ground: Ground) -> tuple[PlannedChannel, ...]:
    return tuple(_channel(ground, channel) for channel in ground.system.channels)


def _channel(ground: Ground, channel: Channel) -> PlannedChannel:
    size = constants()["CHANNEL_HEADER_PAGES"] * constants()["PAGE_SIZE"] + channel.data_size
    name = f"channel {channel.client}.{channel.client_name}"
    endpoints = {(endpoint.partition, endpoint.name): index for index, endpoint in enumerate(ground.system.endpoints)}
    return PlannedChannel(
        channel=channel,
        client=ground.index[channel.client],
        server=ground.index[channel.server],
        endpoint=None if channel.endpoint is None else endpoints[channel.server, channel.endpoint],
        physical=ground.memory(name, ExtentKind.CHANNEL, size, span=channel.span),
        size=size,
        client_address=ground.virtual(channel.client, "channel windows", size, channel.span),
        server_address=ground.virtual(channel.server, "channel windows", size, channel.span),
        client_event=ground.event(channel.client, name, channel.span),
        server_event=ground.event(channel.server, name, channel.span),
        client_descriptor=-1,
        server_descriptor=-1,
    )


def _devices(ground: Ground, owned: tuple[OwnedDevice, ...]) -> tuple[PlannedDevice, ...]:
    """The rows of devices with their base addresses' rows, interrupts' rows and MSI-X tables numbered through."""
    found: list[PlannedDevice] = []
    first_bar = first_interrupt = 0
    msix_page = constants()["MSIX_ADDRESS"]
    for index, device in enumerate(owned):
        interrupts = _interrupts(ground, device, index, first_interrupt)
        table = 0
        if device.table is not None and device.device.msix is not None:
            bar = next(bar for bar in device.bars if bar.bar.index == device.device.msix.bar)
            table = msix_page + (bar.address + device.device.msix.table) - device.table[0]
            msix_page += device.table[1]
        bars = tuple(_see_bar(ground, device, bar) for bar in device.bars)
        owner = ground.index[device.owner.name]
        found.append(PlannedDevice(device.device, owner, bars, first_bar, first_interrupt, interrupts, table))
        first_bar += len(bars)
        first_interrupt += len(interrupts)
    if owned:
        ground.check_interrupts(first_interrupt, owned[-1].device)
    return tuple(found)


def _interrupts(ground: Ground, owned: OwnedDevice, index: int, first: int) -> tuple[PlannedInterrupt, ...]:
    partition, vector = ground.index[owned.owner.name], constants()["VECTOR_DEVICE_FIRST"] + first
    return tuple(
        PlannedInterrupt(
            kind=kind,
            device=index,
            number=number,
            partition=partition,
            event=ground.event(owned.owner.name, f"device {owned.device.name}", None),
            vector=vector + position,
        )
        for position, (kind, number) in enumerate(interrupts(owned.device))
    )


def _see_bar(ground: Ground, owned: OwnedDevice, bar: PlannedBar) -> PlannedBar:
    if bar.bar.kind is BarKind.PORTS:
        return bar
    virtual = ground.virtual(owned.owner.name, "device registers", bar.bar.size, owned.owner.span)
    return replace(bar, virtual=virtual)


def _configs(ground: Ground, inputs: Inputs) -> tuple[PlannedConfig, ...]:
    found = []
    for index, partition in enumerate(ground.system.partitions):
        for config in partition.config:
            content = inputs.files[config.path]
            size = max(len(content), 1)
            name = f"configuration {partition.name}.{config.name}"
            physical = ground.memory(name, ExtentKind.CONFIG, size, partition.name, config.span)
            virtual = ground.virtual(partition.name, "configuration", size, config.span)
            found.append(PlannedConfig(config.name, index, physical, virtual, content))
    return tuple(found)


def _own_regions(ground: Ground, inputs: Inputs) -> tuple[OwnRow, ...]:
    found = []
    for index, partition in enumerate(ground.system.partitions):
        program = inputs.programs[partition.name]
        size = memory_size(partition, program)
        name = f"partition {partition.name}"
        physical = ground.memory(name, ExtentKind.PARTITION, size, partition.name, partition.span)
        for region in own_regions(partition, program):
            row = PlannedRegion(region.name, region.kind, index, physical + region.offset, region.size)
            found.append(OwnRow(row, region.virtual))
    return tuple(found)


def _shared_regions(ground: Ground, inputs: Inputs) -> tuple[SharedRow, ...]:
    found = []
    for region in ground.system.regions:
        physical = ground.memory(f"region {region.name}", ExtentKind.REGION, region.size, span=region.span)
        content = inputs.files[region.source] if region.source is not None else b""
        row = PlannedRegion(region.name, RegionKind.SHARED, None, physical, region.size, content, region.span)
        names = sorted({*region.readers, *((region.writer,) if region.writer else ())}, key=ground.index.__getitem__)
        users = tuple(
            (
                ground.index[name],
                name == region.writer,
                ground.virtual(name, "shared regions", region.size, region.span),
            )
            for name in names
        )
        found.append(SharedRow(row, users))
    return tuple(found)


def _descriptors(
    system: System,
    own: tuple[OwnRow, ...],
    shared: tuple[SharedRow, ...],
    devices: tuple[PlannedDevice, ...],
    channels: tuple[PlannedChannel, ...],
) -> tuple[PlannedDescriptor, ...]:
    """One block for each partition: regions by address, then devices, then channels."""
    found: list[PlannedDescriptor] = []
    for partition in range(len(system.partitions)):
        regions = [
            PlannedDescriptor(partition, Resource.REGION, target, each.row.name, _own_rights(each.row), each.virtual)
            for target, each in enumerate(own)
            if each.row.owner == partition
        ]
        regions += [
            PlannedDescriptor(partition, Resource.REGION, len(own) + target, each.row.name, Rights(write), virtual)
            for target, each in enumerate(shared)
            for user, write, virtual in each.users
            if user == partition
        ]
        found += sorted(regions, key=lambda each: each.address)
        found += _device_descriptors(partition, devices)
        found += _channel_descriptors(partition, channels)
    return tuple(found)


def _own_rights(row: PlannedRegion) -> Rights:
    return Rights(write=row.kind in (RegionKind.DATA, RegionKind.STACK), execute=row.kind is RegionKind.TEXT)


def _device_descriptors(partition: int, devices: tuple[PlannedDevice, ...]) -> list[PlannedDescriptor]:
    return [
        PlannedDescriptor(partition, Resource.DEVICE, target, each.device.name, Rights(write=True))
        for target, each in enumerate(devices)
        if each.owner == partition
    ]


def _channel_descriptors(partition: int, channels: tuple[PlannedChannel, ...]) -> list[PlannedDescriptor]:
    found = []
    for target, each in enumerate(channels):
        channel = each.channel
        block = channel.channel_class is ChannelClass.BLOCK
        client = PlannedDescriptor(
            partition=each.client,
            resource=Resource.CHANNEL,
            target=target,
            name=channel.client_name,
            rights=Rights(write=not block or channel.access is Access.WRITE),
            address=each.client_address,
            event=each.client_event,
            other_partition=each.server,
            other_event=each.server_event,
        )
        server = replace(
            client,
            partition=each.server,
            name=channel.server_name,
            address=each.server_address,
            server_end=True,
            event=each.server_event,
            other_partition=each.client,
            other_event=each.client_event,
        )
        found += [end for end in (client, server) if end.partition == partition]
    return found


def _name_descriptors(
    channels: tuple[PlannedChannel, ...], descriptors: tuple[PlannedDescriptor, ...]
) -> tuple[PlannedChannel, ...]:
    place = {
        (row.target, row.server_end): index for index, row in enumerate(descriptors) if row.resource is Resource.CHANNEL
    }
    return tuple(
        replace(channel, client_descriptor=place[index, False], server_descriptor=place[index, True])
        for index, channel in enumerate(channels)
    )


def _block_size(owned: tuple[OwnedDevice, ...], device: dict[str, int], endpoint: Endpoint) -> int:
    """Of a network: any frame has a whole number of bytes."""
    return 1 if endpoint.channel_class is ChannelClass.NETWORK else owned[device[endpoint.device]].device.block_size


def _endpoints(ground: Ground, owned: tuple[OwnedDevice, ...]) -> tuple[PlannedEndpoint, ...]:
    device = {each.device.name: index for index, each in enumerate(owned)}
    return tuple(
        PlannedEndpoint(
            endpoint,
            ground.index[endpoint.partition],
            device[endpoint.device] if endpoint.device else None,
            _block_size(owned, device, endpoint),
        )
        for endpoint in ground.system.endpoints
    )

# SPDX-License-Identifier: Apache-2.0
"""The values of a plan: every address of one image, as `plan` computes them and all later stages read them.

Addresses named `physical` count from 0, `virtual` ones are partition-relative (or ring 0's own); sizes are bytes.
Indexes are those of the rows of the resource database (abi/database.h).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from parclose.constants import constants
from parclose.elf import Elf
from parclose.errors import Span
from parclose.model import Bar, Channel, Device, Endpoint, InterruptKind, Partition

ROW_MOST = 232  # bytes; neither the head nor a row of a descriptor page is larger (asserted where they are compiled)

ADDRESS_ROW = 8  # bytes of a row of addresses there (asserted likewise)


class ExtentKind(Enum):
    """What a stretch of physical memory is for."""

    MONITOR = "monitor"
    DATABASE = "database"
    TABLES = "page tables"
    DESCRIPTORS = "descriptor pages"
    CALL_PAGE = "call page"
    CONTEXT = "context"
    IO_BITMAP = "I/O bitmap"
    PARTITION = "partition"
    CHANNEL = "channel"
    REGION = "region"
    CONFIG = "configuration"


class RegionKind(Enum):
    """The names of `enum region_kind`."""

    TEXT = "REGION_TEXT"
    RODATA = "REGION_RODATA"
    DATA = "REGION_DATA"
    STACK = "REGION_STACK"
    SHARED = "REGION_SHARED"


@dataclass(frozen=True)
class Rights:
    """Everything mapped is readable."""

    write: bool = False
    execute: bool = False

    def __str__(self) -> str:
        return "r" + ("w" if self.write else "-") + ("x" if self.execute else "-")


@dataclass(frozen=True)
class Inputs:
    """What a plan needs besides the layout: programs by partition name, the bytes of configuration and region files,
    the monitor and the virtual address of its clock page."""

    monitor: Elf
    clock_page: int
    programs: Mapping[str, Elf]
    files: Mapping[Path, bytes]


@dataclass(frozen=True)
class Extent:
    """Physical memory that the image uses. `owner` is a partition's name, or "" for the monitor's and shared ones."""

    name: str
    kind: ExtentKind
    physical: int
    size: int
    owner: str = ""
    span: Span | None = None

    @property
    def end(self) -> int:
        return self.physical + self.size


@dataclass(frozen=True)
class Stretch:
    """A stretch of an address space. `user`: ring 3 may use it; `shared`: the same in all roots (global)."""

    label: str
    virtual: int
    physical: int
    size: int
    rights: Rights = Rights()
    user: bool = True
    uncached: bool = False
    shared: bool = False

    def pieces(self) -> Iterator[tuple[int, int, int]]:
        """(virtual, physical, size) of each page: 2 MiB ones where ring 3 uses it and both addresses allow."""
        small, large = constants()["PAGE_SIZE"], constants()["LARGE_PAGE_SIZE"]
        offset = 0
        while offset < self.size:
            virtual, physical = self.virtual + offset, self.physical + offset
            fits = self.user and self.size - offset >= large and virtual % large == 0 and physical % large == 0
            size = large if fits else small
            yield virtual, physical, size
            offset += size


@dataclass(frozen=True)
class PlannedPartition:
    """One partition: its extent is linear, so the physical address of a program address is
    `physical + (address - PROGRAM_ADDRESS)`; its stack is the last `partition.stack` bytes of the extent.

    `tables` are the physical addresses of its own page table pages, the root first. `ports` are (first, count).
    `bitmap` is None where it has no ports.
    """

    partition: Partition
    index: int
    program: Elf
    physical: int
    memory: int
    memory_end: int
    stack_top: int
    descriptor_page: int
    descriptor_pages: int
    call_page: int
    context: int
    bitmap: int | None
    ports: tuple[tuple[int, int], ...]
    tables: tuple[int, ...]
    stretches: tuple[Stretch, ...]
    first_descriptor: int
    descriptor_count: int
    region_count: int

    @property
    def root(self) -> int:
        return self.tables[0]

    @property
    def entry(self) -> int:
        return self.program.entry


@dataclass(frozen=True)
class PlannedRegion:
    """A row of regions. `owner` is a partition's index, None when shared. `content` fills a shared one."""

    name: str
    kind: RegionKind
    owner: int | None
    physical: int
    size: int
    content: bytes = b""
    span: Span | None = None


@dataclass(frozen=True)
class PlannedBar:
    """`address` is physical, or the first port; `virtual` is where the owner sees it, 0 for ports."""

    bar: Bar
    address: int
    virtual: int


@dataclass(frozen=True)
class PlannedInterrupt:
    """A row of interrupts. `number`: entry of the MSI-X table, offset of the MSI capability, or ISA interrupt."""

    kind: InterruptKind
    device: int
    number: int
    partition: int
    event: int
    vector: int


@dataclass(frozen=True)
class PlannedDevice:
    """A row of devices. `msix_table` is its ring-0 address, 0 without; `interrupts` are the rows `first_interrupt`…"""

    device: Device
    owner: int
    bars: tuple[PlannedBar, ...]
    first_bar: int
    first_interrupt: int
    interrupts: tuple[PlannedInterrupt, ...]
    msix_table: int


@dataclass(frozen=True)
class PlannedChannel:
    """A row of channels; addresses are those of the window at each end, descriptors are global indexes."""

    channel: Channel
    client: int
    server: int
    endpoint: int | None
    physical: int
    size: int
    client_address: int
    server_address: int
    client_event: int
    server_event: int
    client_descriptor: int
    server_descriptor: int


@dataclass(frozen=True)
class PlannedEndpoint:
    """A row of endpoints; `device` is None for a network without an uplink."""

    endpoint: Endpoint
    server: int
    device: int | None
    block_size: int


@dataclass(frozen=True)
class PlannedConfig:
    """A configuration blob in the memory of the partition with index `partition`."""

    name: str
    partition: int
    physical: int
    virtual: int
    content: bytes


class Resource(Enum):
    """The names of `enum resource`."""

    REGION = "RESOURCE_REGION"
    DEVICE = "RESOURCE_DEVICE"
    CHANNEL = "RESOURCE_CHANNEL"


@dataclass(frozen=True)
class PlannedDescriptor:
    """A row of descriptors. Of a channel: which end, its event, and partition and event of the other end."""

    partition: int
    resource: Resource
    target: int
    name: str
    rights: Rights
    address: int = 0
    server_end: bool = False
    event: int = 0
    other_partition: int = 0
    other_event: int = 0


@dataclass(frozen=True)
class Plan:
    """The whole plan. `extents` are sorted and do not overlap; `shared_stretches` are ring 0's, the same in all roots.

    `shared_tables` are the page tables behind the shared stretches; `ones` is a page of 0xff (no port allowed);
    `clock_page` is the monitor's, which every partition reads. `monitor_time`: nanoseconds of each budget that are the
    monitor's, by processor, frame and slot.
    """

    extents: tuple[Extent, ...]
    partitions: tuple[PlannedPartition, ...]
    regions: tuple[PlannedRegion, ...]
    devices: tuple[PlannedDevice, ...]
    interrupts: tuple[PlannedInterrupt, ...]
    endpoints: tuple[PlannedEndpoint, ...]
    channels: tuple[PlannedChannel, ...]
    configs: tuple[PlannedConfig, ...]
    descriptors: tuple[PlannedDescriptor, ...]
    monitor: Elf
    shared_stretches: tuple[Stretch, ...]
    shared_tables: tuple[int, ...]
    ones: int
    clock_page: int
    monitor_time: tuple[tuple[tuple[int, ...], ...], ...]

    def partition(self, name: str) -> PlannedPartition:
        """The planned partition called `name`."""
        return next(planned for planned in self.partitions if planned.partition.name == name)


@dataclass(frozen=True)
class Entry:
    """`flags` are names of abi/page.h; `comment` says what is behind the entry."""

    physical: int
    flags: tuple[str, ...]
    comment: str


@dataclass(frozen=True)
class Table:
    """One page of 512 entries, those that are not there left out."""

    physical: int
    label: str
    entries: Mapping[int, Entry]

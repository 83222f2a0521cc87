# SPDX-License-Identifier: Apache-2.0
"""Hand-made `System` values: a board like QEMU's q35 and layouts on it, without any YAML."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from parclose.errors import Span
from parclose.model import (
    Access,
    Bar,
    BarKind,
    Board,
    Bus,
    Channel,
    ChannelClass,
    Device,
    Endpoint,
    Frame,
    Health,
    MemoryRange,
    Msix,
    OnEnd,
    Partition,
    PortWrite,
    Processor,
    ProcessorSchedule,
    Program,
    Region,
    Role,
    Slot,
    System,
)

MIB = 1 << 20
SPAN = Span("line.yaml", 3, 5, 9)
BOARD_SPAN = Span("qemu-q35.yaml", 7, 3, 8)

NVME = Device(
    name="nvme0",
    bus=Bus.PCI,
    kind="nvme",
    span=BOARD_SPAN,
    address=0x20,
    identity=0x00101B36,
    class_code=0x010802,
    bars=(Bar(0, BarKind.MEMORY_64, 0x4000),),
    msix=Msix(entries=65, bar=0, table=0x2000, pending_bar=0, pending=0x3000),
    bus_master=True,
    block_size=512,
    capacity=64 * MIB,
)
COM1 = Device("com1", Bus.ISA, "16550", BOARD_SPAN, bars=(Bar(0, BarKind.PORTS, 8, 0x3F8),), isa_interrupts=(4,))
COM2 = Device("com2", Bus.ISA, "16550", BOARD_SPAN, bars=(Bar(0, BarKind.PORTS, 8, 0x2F8),), isa_interrupts=(3,))

BOARD = Board(
    name="qemu-q35",
    path=Path("qemu-q35.yaml"),
    memory=(MemoryRange(0x100000, 255 * MIB, BOARD_SPAN),),
    features=(),
    xcr0=7,
    processors=(Processor("cpu0", 0),),
    devices=(NVME, COM1, COM2),
    pci_window=(0xE0000000, 0x1000000),
    io_apic=0xFEC00000,
    local_apic=0xFEE00000,
    monitor_port=0x3F8,
    debug_port=0xE9,
    report_port=0x402,
    poweroff=PortWrite(0x604, 2, 0x2000),
    reboot=PortWrite(0xCF9, 1, 6),
    console="com1",
    qemu=None,
)


def partition(name: str, role: Role = Role.GUEST, program: Program | None = None, **other: object) -> Partition:
    """A partition with small defaults."""
    made = Partition(
        name=name,
        role=role,
        program=program or Program(sources=(Path(f"{name}.c"),), span=SPAN),
        memory=None,
        stack=64 * 1024,
        devices=(),
        config=(),
        after=(),
        health=Health("stop", 0, 0),
        debug=False,
        dma_trusted=False,
        span=SPAN,
    )
    return replace(made, **other)  # type: ignore[arg-type]


def channel(client: str, name: str, server: str, endpoint: str | None = None, **other: object) -> Channel:
    """A block channel to `endpoint`, or one between guests."""
    made = Channel(
        client=client,
        client_name=name,
        server=server,
        server_name=f"{name}.server",
        channel_class=ChannelClass.PEER if endpoint is None else ChannelClass.BLOCK,
        endpoint=endpoint,
        access=Access.WRITE,
        data_size=0x1000,
        quota=64,
        share=1,
        span=SPAN,
    )
    return replace(made, **other)  # type: ignore[arg-type]


def system(
    partitions: tuple[Partition, ...],
    channels: tuple[Channel, ...] = (),
    endpoints: tuple[Endpoint, ...] = (),
    regions: tuple[Region, ...] = (),
    board: Board = BOARD,
    path: Path = Path("line.yaml"),
) -> System:
    """A layout of `partitions`, the manager first; every other has one frame of 1 ms."""
    frames = [Frame(50_000, (Slot(partitions[0].name, 0),), None)]
    frames += [Frame(1_000_000, (Slot(each.name, 0),), None) for each in partitions[1:]]
    return System(
        name=path.stem,
        path=path,
        board=board,
        partitions=partitions,
        endpoints=endpoints,
        channels=channels,
        regions=regions,
        schedules=(ProcessorSchedule("cpu0", tuple(frames)),),
        start_order=tuple(each.name for each in partitions[1:]),
        on_end=OnEnd.STAY,
        defaults=(),
        span=SPAN,
    )


MANAGER = partition("manager", Role.MANAGER, Program(builtin="manager", span=SPAN))


def line(root: Path = Path()) -> System:
    """Two guests that share a disk and a console through an I/O partition, a channel of their own and a region."""
    io = partition(
        "io",
        Role.IO,
        Program(builtin="io", span=SPAN),
        devices=("nvme0", "com1"),
        dma_trusted=True,
        memory=4 * MIB,
    )
    sensor = partition("sensor", program=Program(sources=(root / "sensor.c",), span=SPAN), memory=4 * MIB)
    logger = partition("logger", program=Program(sources=(root / "logger.c",), span=SPAN))
    endpoints = (
        Endpoint("records", "io", ChannelClass.BLOCK, "nvme0", 0, 8 * MIB, Access.WRITE, False, SPAN),
        Endpoint("archive", "io", ChannelClass.BLOCK, "nvme0", 8 * MIB, 8 * MIB, Access.READ, True, SPAN),
        Endpoint("line", "io", ChannelClass.CONSOLE, "com1", 0, 0, Access.WRITE, True, SPAN),
    )
    channels = (
        channel("sensor", "disk", "io", "records"),
        channel("logger", "disk", "io", "archive", access=Access.READ),
        channel("sensor", "tty", "io", "line", channel_class=ChannelClass.CONSOLE, data_size=0x2000),
        channel("logger", "tty", "io", "line", channel_class=ChannelClass.CONSOLE, data_size=0x2000),
        channel("sensor", "feed", "logger", data_size=0x10000),
    )
    regions = (Region("table", MIB, None, "sensor", ("logger",), SPAN),)
    path = root / "line.yaml"
    return system((MANAGER, io, sensor, logger), channels, endpoints, regions, path=path)

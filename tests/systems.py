# SPDX-License-Identifier: Apache-2.0
"""Hand-made `System` values: a board like QEMU's q35 and layouts on it, without any YAML."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from parclose.constants import constants
from parclose.elf import Elf, Segment
from parclose.errors import Span
from parclose.model import (
    Access,
    Bar,
    BarKind,
    Board,
    Bus,
    Channel,
    ChannelClass,
    Config,
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
from parclose.plan import plan
from parclose.planned import Inputs, Plan

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


def reported(folder: str = "/home/somebody") -> System:
    """Much like `line`, as if read from `folder`/line.yaml and a board beside the tool: everything has its own line.

    The logger has no disk, both guests have the console for a schedule of real length, and the sensor a configuration.
    """
    made = line()
    manager, io, sensor, logger = (
        replace(each, span=_at(folder, number), health=Health("restart", 3, 60_000_000_000), memory=memory * MIB)
        for each, number, memory in zip(made.partitions, (1, 5, 12, 23), (1, 4, 4, 4), strict=True)
    )
    toml = Config("sensor.toml", Path("sensor.toml"), _at(folder, 21))
    records, _, console = made.endpoints
    disk, _, sensor_tty, logger_tty, feed = made.channels
    return replace(
        made,
        path=Path(folder, "line.yaml"),
        board=_lab(),
        partitions=(manager, io, replace(sensor, config=(toml,), debug=True), logger),
        endpoints=(replace(records, span=_at(folder, 8)), replace(console, span=_at(folder, 9))),
        channels=(
            replace(disk, data_size=16384, span=_at(folder, 15)),
            replace(sensor_tty, data_size=16384, span=_at(folder, 16)),
            replace(logger_tty, data_size=16384, span=_at(folder, 26)),
            replace(feed, server_name="sensed", quota=0, span=_at(folder, 17)),
        ),
        regions=tuple(replace(each, span=_at(folder, 30)) for each in made.regions),
        schedules=(_shared_frames(),),
        defaults=("partition 'sensor': stack 64 KiB",),
        span=_at(folder, 1),
    )


def planned(of: System) -> Plan:
    """The plan of `of` with programs of one text and one data page, and a monitor as small."""
    known = constants()
    base, monitor, local = known["PROGRAM_ADDRESS"], known["MONITOR_ADDRESS"], known["LOCAL_CPU"]
    program = _pages(base, (base, base, False, True), (base + 0x1000, base + 0x1000, True, False))
    ring0 = _pages(
        monitor,
        (monitor, known["MONITOR_PHYSICAL"], False, True),
        (monitor + 0x1000, known["MONITOR_PHYSICAL"] + 0x1000, True, False),
        (local, known["MONITOR_PHYSICAL"] + 0x2000, True, False),
    )
    files = {Path("sensor.toml"): b"rate = 100\n"}
    programs = {partition.name: program for partition in of.partitions}
    return plan(of, Inputs(ring0, monitor + 0x1000, programs, files))


def _at(folder: str, number: int) -> Span:
    return Span(f"{folder}/line.yaml", number, 3, 9)


def _lab() -> Board:
    """The board in a file of its own, with memory from where the plan begins."""
    here = Span("/opt/boards/lab.yaml", 2, 3, 9)
    return replace(
        BOARD,
        name="lab",
        path=Path("/opt/boards/lab.yaml"),
        memory=(MemoryRange(0x1000000, 0xDA00000, here),),
        devices=tuple(replace(each, span=here) for each in BOARD.devices),
        pci_window=(BOARD.pci_window[0], 64 * MIB),
    )


def _shared_frames() -> ProcessorSchedule:
    """Each guest in a frame of its own, after the I/O partition with a budget."""

    def frame(length: int, *slots: tuple[str, int]) -> Frame:
        return Frame(length, tuple(Slot(*slot) for slot in slots), None)

    return ProcessorSchedule(
        "cpu0",
        (
            frame(50_000, ("manager", 0)),
            frame(2_000_000, ("io", 300_000), ("sensor", 0)),
            frame(1_000_000, ("io", 300_000), ("logger", 0)),
        ),
    )


def _pages(start: int, *segments: tuple[int, int, bool, bool]) -> Elf:
    loaded = tuple(
        Segment(virtual, physical, 0x1000, write, execute, bytes(0x1000))
        for virtual, physical, write, execute in segments
    )
    return Elf(64, True, "EM_X86_64", "ET_EXEC", start, loaded, ())

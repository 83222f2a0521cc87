# SPDX-License-Identifier: Apache-2.0
"""A checked layout and its plan made by hand, for tests of what reads plans: no YAML, no compiler."""

from __future__ import annotations

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

MILLISECOND = 1_000_000
HEALTH = Health("restart", 3, 60_000_000_000)


folder = "/home/somebody"  # of the layout; a test may move it


def at(line: int, file: str = "") -> Span:
    return Span(file or f"{folder}/line.yaml", line, 3, 9)


def board() -> Board:
    here = at(2, "/opt/boards/lab.yaml")
    nvme = Device(
        "nvme0",
        Bus.PCI,
        "nvme",
        here,
        address=0x20,
        identity=0x00101B36,
        class_code=0x010802,
        bars=(Bar(0, BarKind.MEMORY_64, 0x4000),),
        msix=Msix(65, 0, 0x2000, 0, 0x3000),
        bus_master=True,
        block_size=512,
        capacity=64 << 20,
    )
    com1, com2 = (
        Device(name, Bus.ISA, "16550", here, bars=(Bar(0, BarKind.PORTS, 8, port),), isa_interrupts=(number,))
        for name, port, number in (("com1", 0x3F8, 4), ("com2", 0x2F8, 3))
    )
    return Board(
        name="lab",
        path=Path("/opt/boards/lab.yaml"),
        memory=(MemoryRange(0x1000000, 0xDA00000, here),),
        features=(),
        xcr0=7,
        processors=(Processor("cpu0", 0),),
        devices=(nvme, com1, com2),
        pci_window=(0xE0000000, 64 << 20),
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


def partition(name: str, role: Role, line: int, **more: object) -> Partition:
    settings: dict[str, object] = {
        "memory": 4 << 20,
        "stack": 65536,
        "devices": (),
        "config": (),
        "after": (),
        "health": HEALTH,
        "debug": False,
        "dma_trusted": False,
    }
    return Partition(name=name, role=role, program=Program(), span=at(line), **(settings | more))  # type: ignore[arg-type]


def system() -> System:
    """Two guests that share a disk and a console, a channel between them, a shared region and a configuration."""
    toml = Config("sensor.toml", Path("sensor.toml"), at(21))
    partitions = (
        partition("manager", Role.MANAGER, 1, memory=1 << 20),
        partition("io", Role.IO, 5, devices=("nvme0", "com1"), dma_trusted=True),
        partition("sensor", Role.GUEST, 12, config=(toml,), debug=True),
        partition("logger", Role.GUEST, 23),
    )
    return System(
        name="line",
        path=Path("/home/somebody/line.yaml"),
        board=board(),
        partitions=partitions,
        endpoints=(
            Endpoint("records", "io", ChannelClass.BLOCK, "nvme0", 0, 8 << 20, Access.WRITE, False, at(8)),
            Endpoint("line", "io", ChannelClass.CONSOLE, "com1", 0, 0, Access.WRITE, True, at(9)),
        ),
        channels=(
            _channel("sensor", "disk", "records", ChannelClass.BLOCK, 15),
            _channel("sensor", "tty", "line", ChannelClass.CONSOLE, 16),
            _channel("logger", "tty", "line", ChannelClass.CONSOLE, 26),
            Channel("sensor", "feed", "logger", "sensed", ChannelClass.PEER, None, Access.WRITE, 65536, 0, 1, at(17)),
        ),
        regions=(Region("table", 1 << 20, None, "sensor", ("logger",), at(30)),),
        schedules=(schedule(),),
        start_order=("io", "sensor", "logger"),
        on_end=OnEnd.STAY,
        defaults=("partition 'sensor': stack 64 KiB",),
        span=at(1),
    )


def _channel(client: str, name: str, endpoint: str, kind: ChannelClass, line: int) -> Channel:
    return Channel(client, name, "io", endpoint, kind, endpoint, Access.WRITE, 16384, 64, 1, at(line))


def schedule() -> ProcessorSchedule:
    def frame(length: int, *slots: tuple[str, int]) -> Frame:
        return Frame(length, tuple(Slot(*slot) for slot in slots), None)

    return ProcessorSchedule(
        "cpu0",
        (
            frame(MILLISECOND // 20, ("manager", 0)),
            frame(2 * MILLISECOND, ("io", 300_000), ("sensor", 0)),
            frame(MILLISECOND, ("io", 300_000), ("logger", 0)),
        ),
    )


def _elf(start: int, *segments: tuple[int, int, bool, bool]) -> Elf:
    loaded = tuple(
        Segment(virtual, physical, 0x1000, write, execute, bytes(0x1000))
        for virtual, physical, write, execute in segments
    )
    return Elf(64, True, "EM_X86_64", "ET_EXEC", start, loaded, ())


def planned(of: System) -> Plan:
    """The plan of `of` with programs of one text and one data page."""
    known = constants()
    base, monitor, local = known["PROGRAM_ADDRESS"], known["MONITOR_ADDRESS"], known["LOCAL_CPU"]
    program = _elf(base, (base, base, False, True), (base + 0x1000, base + 0x1000, True, False))
    ring0 = _elf(
        monitor,
        (monitor, known["MONITOR_PHYSICAL"], False, True),
        (monitor + 0x1000, known["MONITOR_PHYSICAL"] + 0x1000, True, False),
        (local, known["MONITOR_PHYSICAL"] + 0x2000, True, False),
    )
    files = {Path("sensor.toml"): b"rate = 100\n"}
    programs = {partition.name: program for partition in of.partitions}
    return plan(of, Inputs(ring0, monitor + 0x1000, programs, files))

# SPDX-License-Identifier: Apache-2.0
"""The values that pass from stage to stage. Sizes are bytes, times nanoseconds, addresses physical.

`System` is what `check` makes of a layout and a board: every default filled in,
every name resolved, everything valid. `plan` and all later stages read it and
nothing of the YAML. Places (`Span`) are kept where a later stage may still have
to complain or where the machine names them at run time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from parclose.errors import Span

WIRE = "wire"  # in `talks_to`: the uplink, and whoever is behind it


class Role(Enum):
    GUEST = "guest"
    IO = "io"
    MANAGER = "manager"


class ChannelClass(Enum):
    BLOCK = "block"
    CONSOLE = "console"
    PEER = "peer"  # between two guests
    NETWORK = "network"


class Bus(Enum):
    PCI = "pci"
    ISA = "isa"


class BarKind(Enum):
    MEMORY_32 = "memory32"
    MEMORY_64 = "memory64"
    PORTS = "ports"


class InterruptKind(Enum):
    MSIX = "msix"
    MSI = "msi"
    ISA = "isa"


class OnEnd(Enum):
    STAY = "stay"
    POWEROFF = "poweroff"
    REBOOT = "reboot"
    HALT = "halt"


class Access(Enum):
    READ = "read"
    WRITE = "write"  # reads too


# --- the board -------------------------------------------------------------


@dataclass(frozen=True)
class MemoryRange:
    """Usable memory of the board."""

    start: int
    size: int
    span: Span


@dataclass(frozen=True)
class Feature:
    """A processor feature by its CPUID place: leaf, subleaf, output register (0 EAX to 3 EDX), bit."""

    name: str
    leaf: int
    subleaf: int
    output: int
    bit: int
    span: Span


@dataclass(frozen=True)
class Bar:
    """A base address register: `index` 0 to 5. `address`: None for a PCI BAR (the plan's), else the first port."""

    index: int
    kind: BarKind
    size: int
    address: int | None = None


@dataclass(frozen=True)
class Msix:
    """MSI-X of a function: number of entries, and where table and pending bits stand (offsets in the BAR, bytes)."""

    entries: int
    bar: int
    table: int
    pending_bar: int
    pending: int


@dataclass(frozen=True)
class DiskPartition:
    """A partition of a disk, by the name in its partition table: `start` and `size` in bytes."""

    name: str
    start: int
    size: int
    span: Span


@dataclass(frozen=True)
class Device:
    """A device of the board. `address` is bus << 8 | device << 3 | function for PCI, 0 for ISA.

    `msi`: offset of the MSI capability of a function without MSI-X, or 0. `isa_interrupts`: I/O APIC inputs (edge,
    active high). `kind`: one of `kinds.KINDS`, or "". `block_size`, `capacity`, `partitions` (those that layouts name):
    of a disk. `parameters`: facts of its configuration space that its driver needs. `qemu` makes QEMU have the device,
    where its machine has not got it: as `Qemu.arguments`, with `{disk:NAME}` for a disk of its name and capacity.
    """

    name: str
    bus: Bus
    kind: str
    span: Span
    address: int = 0
    identity: int = 0
    class_code: int = 0
    bars: tuple[Bar, ...] = ()
    msix: Msix | None = None
    msi: int = 0
    isa_interrupts: tuple[int, ...] = ()
    bus_master: bool = False
    block_size: int = 0
    capacity: int = 0
    parameters: tuple[tuple[str, int], ...] = ()
    partitions: tuple[DiskPartition, ...] = ()
    qemu: tuple[str, ...] = ()


@dataclass(frozen=True)
class PortWrite:
    port: int
    width: int
    value: int


@dataclass(frozen=True)
class Processor:
    name: str  # "cpu0"
    apic_id: int


@dataclass(frozen=True)
class Qemu:
    """How `run` starts QEMU for this board: argument lists with `{disk:NAME}` where a disk image's file belongs.

    `disks` maps a device's name to the size in bytes of the sparse file that `run` makes for it.
    """

    arguments: tuple[str, ...]
    disks: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Board:
    """The facts of one machine."""

    name: str
    path: Path
    memory: tuple[MemoryRange, ...]
    features: tuple[Feature, ...]
    xcr0: int
    processors: tuple[Processor, ...]
    devices: tuple[Device, ...]
    pci_window: tuple[int, int]  # start, size: where the plan puts memory BARs
    io_apic: int  # physical address
    local_apic: int
    monitor_port: int  # 16550 that the monitor prints on; 0: none
    debug_port: int
    report_port: int
    poweroff: PortWrite | None
    reboot: PortWrite | None
    console: str  # the first console device's name, "" where there is none
    qemu: Qemu | None
    roles: tuple[tuple[str, str, Span], ...] = ()  # other names of devices: role, device, place


# --- the layout, resolved ---------------------------------------------------


@dataclass(frozen=True)
class Fetch:
    """Sources of a Debian source package. `archive` is a file of it; `sources` and `include` are paths inside.

    `folder` is where the archive was unpacked, once it was.
    """

    package: str
    archive: str
    sha256: str
    licence: str
    sources: tuple[str, ...]
    include: tuple[str, ...]
    folder: Path | None = None


@dataclass(frozen=True)
class Program:
    """Where a partition's program comes from. Exactly one of `sources`, `elf`, `builtin` is set."""

    sources: tuple[Path, ...] = ()
    cflags: tuple[str, ...] = ()
    define: tuple[tuple[str, str], ...] = ()
    elf: Path | None = None
    builtin: str = ""  # "io", "manager"
    fetch: Fetch | None = None
    span: Span | None = None


@dataclass(frozen=True)
class Endpoint:
    """What channels end at. `start` and `size` are the extent in bytes of a block endpoint.

    `device` is "" for a network without an uplink: a switch for its guests alone. `escape` is the key that opens a
    console's menu, 1 for Ctrl-A. `label` names the partition of the disk that has to be there at boot; "": an extent by
    numbers.
    """

    name: str
    partition: str
    channel_class: ChannelClass
    device: str
    start: int
    size: int
    access: Access
    shared: bool
    span: Span
    escape: int = 0
    label: str = ""


def address_text(address: bytes) -> str:
    """An Ethernet address as people write it: "52:54:00:00:00:0a"."""
    return address.hex(":")


@dataclass(frozen=True)
class Port:
    """A network channel's place on the switch that its endpoint is.

    `mac` has six bytes; `vlan` is 0 for untagged frames on the wire. `talks_to` names the clients of the same endpoint
    that it may exchange frames with, both lists and the VLANs considered; `wire` says the same of the uplink.
    """

    mac: bytes
    vlan: int
    talks_to: tuple[str, ...]
    wire: bool
    groups: tuple[bytes, ...]


@dataclass(frozen=True)
class Channel:
    """One channel, said once: `client` and `server` are partitions, `endpoint` is None between guests.

    An endpoint's name is unique in its partition only: `(server, endpoint)` is `(Endpoint.partition, Endpoint.name)`.
    `server_name` is then the endpoint's name, so a server tells its ends apart by it and the client together.

    `data_size` is the data area's size in bytes (whole pages, may be 0 for block). `buffer` is what a console's server
    keeps for it, in bytes; a console channel with `Access.READ` is a log.
    """

    client: str
    client_name: str
    server: str
    server_name: str
    channel_class: ChannelClass
    endpoint: str | None
    access: Access
    data_size: int
    quota: int
    share: int
    span: Span
    port: Port | None = None  # of a network channel
    buffer: int = 0


@dataclass(frozen=True)
class Config:
    """A read-only blob that the program finds under `name` (the file's name)."""

    name: str
    path: Path
    span: Span


@dataclass(frozen=True)
class Health:
    """What follows a fault: `action` "restart" or "stop"; after `limit` restarts (0: any) in `within` ns, stop."""

    action: str
    limit: int
    within: int


@dataclass(frozen=True)
class Partition:
    """`memory` is None where the layout leaves it to the program's size. `devices` are names of board devices."""

    name: str
    role: Role
    program: Program
    memory: int | None
    stack: int
    devices: tuple[str, ...]
    config: tuple[Config, ...]
    after: tuple[str, ...]
    health: Health
    debug: bool
    dma_trusted: bool
    span: Span


@dataclass(frozen=True)
class Region:
    """Shared or preloaded memory. `source` fills it; the rest is zero."""

    name: str
    size: int
    source: Path | None
    writer: str | None
    readers: tuple[str, ...]
    span: Span


@dataclass(frozen=True)
class Slot:
    """An entry of a minor frame; `budget` in ns, 0: what the earlier ones leave. `span` is of a written budget."""

    partition: str
    budget: int
    span: Span | None = None


@dataclass(frozen=True)
class Frame:
    length: int
    slots: tuple[Slot, ...]
    span: Span | None


@dataclass(frozen=True)
class ProcessorSchedule:
    """The major frame of one processor: the manager's slot is its first frame, put there already."""

    processor: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True)
class System:
    """A valid layout on a board. `partitions` holds the manager first, then I/O partitions, then guests, in file order.

    `start_order` names the partitions but the manager. `defaults` are lines that say what was filled in (for `-v`).
    """

    name: str  # of the layout: its file's stem, or its folder's name where the file is layout.yaml
    path: Path
    board: Board
    partitions: tuple[Partition, ...]
    endpoints: tuple[Endpoint, ...]
    channels: tuple[Channel, ...]
    regions: tuple[Region, ...]
    schedules: tuple[ProcessorSchedule, ...]
    start_order: tuple[str, ...]
    on_end: OnEnd
    defaults: tuple[str, ...]
    span: Span


# --- for programs built elsewhere -------------------------------------------


@dataclass(frozen=True)
class Kit:
    """What programs built elsewhere are linked with, as files, and the compiler's flags for them."""

    start: Path
    library: Mapping[str, Path]  # objects by the names of their sources, without suffix
    script: Path
    headers: Mapping[str, Path]  # by their places in the kit
    flags: tuple[str, ...]

# SPDX-License-Identifier: Apache-2.0
"""The devices of a board file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from parclose.constants import constants
from parclose.errors import Span
from parclose.kinds import KINDS, OTHER, Kind
from parclose.model import Bar, BarKind, Bus, Device, DiskPartition, Msix
from parclose.problems import at
from parclose.source import Entry, Node, Scalar
from parclose.values import Fields, Given, Reader
from parclose.wording import listing

PORT_LIMIT = 0x10000
_PCI_KEYS = [
    "kind",
    "pci",
    "identity",
    "class",
    "bars",
    "msix",
    "msi",
    "bus-master",
    "block-size",
    "capacity",
    "partitions",
    "parameters",
    "qemu",
]
_ISA_KEYS = ["kind", "ports", "interrupt", "qemu"]
_CLASS_16550 = 0x070002
_PCI_ADDRESS = re.compile(r"([0-9a-fA-F]{2}):([0-9a-fA-F]{2})\.([0-7])")
_IDENTITY = re.compile(r"([0-9a-fA-F]{4}):([0-9a-fA-F]{4})")
_CLASS = re.compile(r"([0-9a-fA-F]{2}):([0-9a-fA-F]{2}):([0-9a-fA-F]{2})")
_BAR_KEYS = {"memory32": BarKind.MEMORY_32, "memory64": BarKind.MEMORY_64, "ports": BarKind.PORTS}


@dataclass(frozen=True)
class PortRange:
    """ISA ports from `start` on."""

    name: str
    start: int
    count: int
    span: Span


def port_range(reader: Reader, name: Scalar, node: Node) -> PortRange | None:
    """Ports as a board writes them: `{start: 0x3f8, count: 8}`."""
    fields = reader.fields(node, f"the ports of '{name.text}'", name.span, ("start", "count"))
    if fields is None:
        return None
    start = fields.need("start", lambda node, what: reader.integer(node, what, 0, PORT_LIMIT - 1))
    count = fields.need("count", lambda node, what: reader.integer(node, what, 1, 256))
    if start.value is None or count.value is None:
        return None
    return PortRange(name.text, start.value, count.value, name.span)


def read_devices(board: Fields, reader: Reader) -> tuple[Device, ...]:
    """The devices that could be read; problems of the others are noted."""
    entry = board.entry("devices")
    mapping = reader.mapping(entry.value, "'devices'") if entry else None
    if entry is None:
        board.missing("devices")
    devices = [_device(each, reader) for each in mapping.entries] if mapping else []
    return tuple(device for device in devices if device is not None)


def _device(entry: Entry, reader: Reader) -> Device | None:
    name = reader.name(entry.key, "a device")
    mapping = reader.mapping(entry.value, f"the device '{entry.key.text}'")
    if mapping is None or name.value is None:
        return None
    is_pci = mapping.get("pci") is not None
    fields = Fields(reader, mapping, f"the device '{name.value}'", entry.key.span)
    fields.refuse_others(_PCI_KEYS if is_pci else _ISA_KEYS, {})
    kind = fields.need("kind", lambda node, what: _kind(reader, node, what)).value or ""
    return _pci_device(name.value, kind, fields) if is_pci else _isa_device(name.value, kind, fields)


def _kind(reader: Reader, node: Node, what: str) -> Given[str]:
    given = reader.choice(node, what, (*KINDS, OTHER))
    return Given("" if given.value == OTHER else given.value, given.span)


def _isa_device(name: str, kind: str, fields: Fields) -> Device | None:
    reader = fields.reader
    entry = fields.entry("ports")
    if entry is None:
        fields.missing("ports", "a device is on PCI (pci: 00:04.0) or has ports: {start: 0x3f8, count: 8}")
    ports = port_range(reader, Scalar(fields.place, name, True), entry.value) if entry else None
    interrupt = fields.get("interrupt", lambda node, what: reader.integer(node, what, 0, 23))
    if ports is None:
        return None
    return Device(
        name=name,
        bus=Bus.ISA,
        kind=kind,
        span=fields.place,
        class_code=_CLASS_16550 if kind == "16550" else 0,
        bars=(Bar(0, BarKind.PORTS, ports.count, ports.start),),
        isa_interrupts=(interrupt.value,) if interrupt is not None and interrupt.value is not None else (),
        qemu=_qemu(fields),
    )


def _pci_device(name: str, kind: str, fields: Fields) -> Device | None:
    reader = fields.reader
    address = fields.need("pci", lambda node, what: _pattern(reader, node, what, _PCI_ADDRESS, "P213", "00:04.0"))
    identity = fields.need("identity", lambda node, what: _pattern(reader, node, what, _IDENTITY, "P214", "1b36:0010"))
    code = fields.need("class", lambda node, what: _pattern(reader, node, what, _CLASS, "P214", "01:08:02"))
    master = fields.get("bus-master", reader.boolean)
    known = KINDS.get(kind, Kind("", "", options=_all_parameters()))
    block = fields.need("block-size", reader.size) if known.disk else fields.get("block-size", reader.size)
    capacity = fields.need("capacity", reader.size) if known.disk else fields.get("capacity", reader.size)
    return Device(
        name=name,
        bus=Bus.PCI,
        kind=kind,
        span=fields.place,
        address=_bdf(address.value),
        identity=_identity(identity.value),
        class_code=int((code.value or "0").replace(":", ""), 16),
        bars=_bars(fields),
        msix=_msix(fields),
        msi=_msi(fields),
        bus_master=bool(master and master.value),
        block_size=(block.value or 0) if block else 0,
        capacity=(capacity.value or 0) if capacity else 0,
        parameters=_parameters(fields, known),
        partitions=_partitions(fields),
        qemu=_qemu(fields),
    )


def _partitions(fields: Fields) -> tuple[DiskPartition, ...]:
    """Of a disk: `{records: {start: 1 MiB, size: 8 MiB}}`."""
    entry = fields.entry("partitions")
    mapping = fields.reader.mapping(entry.value, f"'partitions' of {fields.what}") if entry else None
    found = [_partition(each, fields.reader) for each in mapping.entries] if mapping else []
    return tuple(each for each in found if each is not None)


def _partition(entry: Entry, reader: Reader) -> DiskPartition | None:
    name = entry.key.text
    fields = reader.fields(entry.value, f"the partition '{name[:40]}'", entry.key.span, ("start", "size"))
    if fields is None:
        return None
    start, size = fields.need("start", reader.address), fields.need("size", reader.size)
    if start.value is None or size.value is None:
        return None
    return DiskPartition(name, start.value, size.value, entry.key.span)


def _all_parameters() -> tuple[str, ...]:
    """All that abi/descriptor.h has a place for: a program of the user's may need any."""
    prefix = "PARAMETER_"
    names = [name.removeprefix(prefix) for name in constants() if name.startswith(prefix)]
    return tuple(name.lower().replace("_", "-") for name in names if name != "COUNT")


def _parameters(fields: Fields, kind: Kind) -> tuple[tuple[str, int], ...]:
    entry = fields.entry("parameters")
    if entry is None:
        if kind.parameters:
            fields.missing("parameters", f"a device of kind {kind.name} needs {listing(kind.parameters)}")
        return ()
    reader, what = fields.reader, f"'parameters' of {fields.what}"
    inner = reader.fields(entry.value, what, entry.key.span, (*kind.parameters, *kind.options))
    if inner is None:
        return ()
    given = [(name, inner.need(name, _parameter(reader))) for name in kind.parameters]
    given += [(name, value) for name in kind.options if (value := inner.get(name, _parameter(reader))) is not None]
    return tuple((name, value.value) for name, value in given if value.value is not None)


def _parameter(reader: Reader) -> Callable[[Node, str], Given[int]]:
    return lambda node, what: reader.integer(node, what, 0, (1 << 32) - 1)


def _qemu(fields: Fields) -> tuple[str, ...]:
    entry = fields.entry("qemu")
    return words(fields.reader, entry.value) if entry else ()


def words(reader: Reader, node: Node) -> tuple[str, ...]:
    """Arguments of QEMU, in groups or one by one: `[[-m, "256"], -no-reboot]`."""
    found: list[str] = []
    for item in reader.items(node, "QEMU's arguments") or ():
        nested = (item,) if isinstance(item, Scalar) else reader.items(item, "a group of QEMU's arguments")
        texts = [reader.text(word, "an argument of QEMU") for word in nested or ()]
        found += [text.value for text in texts if text.value is not None]
    return tuple(found)


def _pattern(reader: Reader, node: Node, what: str, form: re.Pattern[str], code: str, example: str) -> Given[str]:
    scalar = reader.scalar(node, what)
    if scalar is not None and form.fullmatch(scalar.text):
        return Given(scalar.text, scalar.span)
    if scalar is not None:
        text = f"{what} is written as {example}, not '{scalar.text[:40]}'"
        reader.problems.error(code, text, at(scalar.span, "not of this form"), help=f"for example {example}")
    return Given(None, node.span)


def _bdf(text: str | None) -> int:
    found = _PCI_ADDRESS.fullmatch(text or "")
    return int(found[1], 16) << 8 | int(found[2], 16) << 3 | int(found[3]) if found else 0


def _identity(text: str | None) -> int:
    """Device id << 16 | vendor id, of `vendor:device`."""
    found = _IDENTITY.fullmatch(text or "")
    return int(found[2], 16) << 16 | int(found[1], 16) if found else 0


def _bars(fields: Fields) -> tuple[Bar, ...]:
    entry = fields.entry("bars")
    mapping = fields.reader.mapping(entry.value, f"'bars' of {fields.what}") if entry else None
    bars = [_bar(each, fields) for each in mapping.entries] if mapping else []
    return tuple(bar for bar in bars if bar is not None)


def _bar(entry: Entry, fields: Fields) -> Bar | None:
    reader = fields.reader
    index = reader.integer(entry.key, f"a BAR of {fields.what}", 0, constants()["LIMIT_BARS"] - 1)
    inner = reader.fields(entry.value, f"BAR {entry.key.text} of {fields.what}", entry.key.span, list(_BAR_KEYS))
    if inner is None or index.value is None:
        return None
    for key, kind in _BAR_KEYS.items():
        size = inner.get(key, reader.size)
        if size is not None:
            return Bar(index.value, kind, size.value) if size.value is not None else None
    inner.missing("memory64", "a BAR is memory32, memory64 or ports, with its size")
    return None


def _msi(fields: Fields) -> int:
    """Offset of the MSI capability: beyond the header, in the function's first 256 bytes (PCI 3.0, 6.7)."""
    entry = fields.entry("msi")
    reader = fields.reader
    inner = reader.fields(entry.value, f"'msi' of {fields.what}", entry.key.span, ("capability",)) if entry else None
    if inner is None:
        return 0
    offset = inner.need("capability", lambda node, what: reader.integer(node, what, 0x40, 0xF0))
    return offset.value or 0


def _msix(fields: Fields) -> Msix | None:
    entry = fields.entry("msix")
    keys = "entries", "bar", "table", "pending"
    reader = fields.reader
    inner = reader.fields(entry.value, f"'msix' of {fields.what}", entry.key.span, keys) if entry else None
    if inner is None:
        return None
    entries = inner.need("entries", lambda node, what: reader.integer(node, what, 1, 2048))
    bar = inner.need("bar", lambda node, what: reader.integer(node, what, 0, constants()["LIMIT_BARS"] - 1))
    table, pending = inner.need("table", reader.address), inner.need("pending", reader.address)
    if entries.value is None or bar.value is None or table.value is None or pending.value is None:
        return None
    return Msix(entries.value, bar.value, table.value, bar.value, pending.value)

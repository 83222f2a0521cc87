# SPDX-License-Identifier: Apache-2.0
"""A board file → `Board`: the facts of one machine, read as strictly as a layout.

`FEATURES` says where the processor reports what a board may name (Intel SDM 2A, CPUID).
"""

from __future__ import annotations

from pathlib import Path

from parclose.board_checks import BoardFacts, check_board
from parclose.board_devices import PORT_LIMIT, PortRange, port_range, read_devices, words
from parclose.errors import Span
from parclose.model import Board, Device, Feature, MemoryRange, PortWrite, Processor, Qemu
from parclose.problems import Collector, at
from parclose.source import Mapping, Node, Scalar, read
from parclose.values import Fields, Given, Reader
from parclose.wording import suggestion

# name → leaf, subleaf, output register (0 EAX to 3 EDX), bit
FEATURES = {
    "SSE2": (1, 0, 3, 26),
    "XSAVE": (1, 0, 2, 26),
    "AVX": (1, 0, 2, 28),
    "SSE4.2": (1, 0, 2, 20),
    "AES": (1, 0, 2, 25),
    "RDRAND": (1, 0, 2, 30),
    "FSGSBASE": (7, 0, 1, 0),
    "SMEP": (7, 0, 1, 7),
    "SMAP": (7, 0, 1, 20),
    "AVX2": (7, 0, 1, 5),
    "UMIP": (7, 0, 2, 2),
    "SYSCALL": (0x80000001, 0, 3, 11),
    "NX": (0x80000001, 0, 3, 20),
    "RDTSCP": (0x80000001, 0, 3, 27),
    "PAGE1GB": (0x80000001, 0, 3, 26),
}

_KEYS = [
    "board",
    "name",
    "processors",
    "memory",
    "features",
    "xcr0",
    "local-apic",
    "io-apic",
    "pci-window",
    "ports",
    "poweroff",
    "reboot",
    "devices",
    "roles",
    "reserved",
    "qemu",
]


def load_board(path: Path, problems: Collector) -> tuple[Board | None, bool]:
    """The board in the file `path`, and whether it is sound. One with errors, which stand in `problems` then, holds
    what could be read of it, so that a layout's own problems still show; None when nothing could be read."""
    before = problems.count_errors()
    node = read(path, problems)
    if node is None:
        return None, False
    reader = _BoardReader(path, Reader(problems))
    facts = reader.facts(node)
    if facts is None:
        return None, False
    check_board(facts, problems)
    return facts.board, problems.count_errors() == before


class _BoardReader:
    def __init__(self, path: Path, reader: Reader) -> None:
        self.path = path
        self.reader = reader

    def facts(self, node: Node) -> BoardFacts | None:
        top = Span(node.span.file, node.span.line, node.span.column, node.span.column + 1)
        fields = self.reader.fields(node, "the board", top, _KEYS)
        if fields is None:
            return None
        self._version(fields)
        name = self._name(fields)
        devices = read_devices(fields, self.reader)
        ports = self._ports(fields)
        board = Board(
            name=name,
            path=self.path,
            memory=self._memory(fields),
            features=self._features(fields),
            xcr0=self._number(fields, "xcr0", (1 << 63) - 1),
            processors=self._processors(fields),
            devices=devices,
            pci_window=self._window(fields),
            io_apic=self._address(fields, "io-apic"),
            local_apic=self._address(fields, "local-apic"),
            monitor_port=ports.get("monitor", 0),
            debug_port=ports.get("debug", 0),
            report_port=ports.get("report", 0),
            poweroff=self._port_write(fields, "poweroff"),
            reboot=self._port_write(fields, "reboot"),
            console=self._console(fields, devices),
            qemu=self._qemu(fields),
            roles=self._roles(fields),
        )
        return BoardFacts(board, top, *self._reserved(fields), self._key_spans(fields))

    def _key_spans(self, fields: Fields) -> dict[str, Span]:
        return {entry.key.text: entry.key.span for entry in fields.mapping.entries}

    def _version(self, fields: Fields) -> None:
        version = fields.need("board", lambda node, what: self.reader.integer(node, what, 0, 1 << 31), "write board: 1")
        if version.value is not None and version.value != 1:
            text = f"board files of version {version.value} are not known"
            self.reader.problems.error(
                "P217", text, at(version.span, "unknown version"), help="this tool reads board: 1"
            )

    def _name(self, fields: Fields) -> str:
        name = fields.need("name", self.reader.name, f"write name: {self.path.stem}")
        if name.value is not None and name.value != self.path.stem:
            text = f"the board calls itself '{name.value}' in a file named {self.path.name}"
            help = f"write name: {self.path.stem}, or rename the file to {name.value}.yaml"
            self.reader.problems.error("P221", text, at(name.span, "another name"), help=help)
        return name.value or self.path.stem

    def _memory(self, fields: Fields) -> tuple[MemoryRange, ...]:
        entry = fields.entry("memory")
        items = self.reader.items(entry.value, "the board's memory") if entry else None
        if entry is None:
            fields.missing("memory", "list the usable ranges, as in - {start: 0x1000000, size: 218 MiB}")
        found = [self._memory_range(item) for item in items or ()]
        return tuple(each for each in found if each is not None)

    def _memory_range(self, node: Node) -> MemoryRange | None:
        fields = self.reader.fields(node, "a range of memory", node.span, ("start", "size"))
        if fields is None:
            return None
        start, size = fields.need("start", self.reader.address), fields.need("size", self.reader.size)
        if start.value is None or size.value is None:
            return None
        return MemoryRange(start.value, size.value, node.span)

    def _features(self, fields: Fields) -> tuple[Feature, ...]:
        entry = fields.entry("features")
        if entry is None:
            fields.missing("features")
        found = []
        for item in (self.reader.items(entry.value, "'features'") if entry else None) or ():
            given = self.reader.text(item, "a feature")
            if given.value is not None and given.value not in FEATURES:
                help = suggestion(given.value, list(FEATURES), "known features")
                text = f"unknown processor feature '{given.value[:40]}'"
                self.reader.problems.error("P207", text, at(given.span, "unknown"), help=help)
            elif given.value is not None:
                found.append(Feature(given.value, *FEATURES[given.value], given.span))
        return tuple(found)

    def _processors(self, fields: Fields) -> tuple[Processor, ...]:
        entry = fields.entry("processors")
        mapping = self.reader.mapping(entry.value, "'processors'") if entry else None
        if entry is None:
            fields.missing("processors", "write processors: {cpu0: {apic: 0}}")
        found = []
        for each in mapping.entries if mapping else ():
            name = self.reader.name(each.key, "a processor")
            inner = self.reader.fields(each.value, f"the processor '{each.key.text}'", each.key.span, ("apic",))
            apic = inner.need("apic", lambda node, what: self.reader.integer(node, what, 0, 254)) if inner else None
            if name.value is not None and apic is not None and apic.value is not None:
                found.append(Processor(name.value, apic.value))
        return tuple(found)

    def _number(self, fields: Fields, key: str, high: int) -> int:
        return fields.need(key, lambda node, what: self.reader.integer(node, what, 0, high)).value or 0

    def _address(self, fields: Fields, key: str) -> int:
        return fields.need(key, self.reader.address).value or 0

    def _window(self, fields: Fields) -> tuple[int, int]:
        entry = fields.entry("pci-window")
        if entry is None:
            fields.missing("pci-window")
            return 0, 0
        inner = self.reader.fields(entry.value, "the PCI window", entry.key.span, ("start", "size"))
        if inner is None:
            return 0, 0
        start, size = inner.need("start", self.reader.address), inner.need("size", self.reader.size)
        return start.value or 0, size.value or 0

    def _ports(self, fields: Fields) -> dict[str, int]:
        entry = fields.entry("ports")
        if entry is None:
            return {}
        names = ("monitor", "debug", "report")
        inner = self.reader.fields(entry.value, "'ports'", entry.key.span, names)
        given = {name: inner.get(name, self._port) for name in names} if inner else {}
        return {name: port.value for name, port in given.items() if port is not None and port.value is not None}

    def _port(self, node: Node, what: str) -> Given[int]:
        return self.reader.integer(node, what, 1, PORT_LIMIT - 1)

    def _port_write(self, fields: Fields, key: str) -> PortWrite | None:
        entry = fields.entry(key)
        inner = (
            self.reader.fields(entry.value, f"'{key}'", entry.key.span, ("port", "width", "value")) if entry else None
        )
        if inner is None:
            return None
        port = inner.need("port", self._port)
        width = inner.need("width", lambda node, what: self.reader.integer(node, what, 1, 4))
        value = inner.need("value", lambda node, what: self.reader.integer(node, what, 0, (1 << 32) - 1))
        if port.value is None or width.value is None or value.value is None:
            return None
        return PortWrite(port.value, width.value, value.value)

    def _roles(self, fields: Fields) -> tuple[tuple[str, str, Span], ...]:
        entry = fields.entry("roles")
        mapping = self.reader.mapping(entry.value, "'roles'") if entry else None
        found = []
        for each in mapping.entries if mapping else ():
            role = self.reader.name(each.key, "a role")
            device = self.reader.name(each.value, "a device")
            if role.value is not None and device.value is not None:
                found.append((role.value, device.value, device.span))
        return tuple(found)

    def _console(self, fields: Fields, devices: tuple[Device, ...]) -> str:
        """The device of the role 'console', else the first serial port."""
        entry = fields.entry("roles")
        role = entry.value.get("console") if entry and isinstance(entry.value, Mapping) else None
        if role is not None and isinstance(role.value, Scalar):
            return role.value.text
        return next((device.name for device in devices if device.kind == "16550"), "")

    def _reserved(self, fields: Fields) -> tuple[tuple[PortRange, ...], tuple[tuple[str, int, Span], ...]]:
        entry = fields.entry("reserved")
        inner = (
            self.reader.fields(entry.value, "'reserved'", entry.key.span, ("ports", "interrupts")) if entry else None
        )
        if inner is None:
            return (), ()
        return self._reserved_ports(inner), self._reserved_interrupts(inner)

    def _reserved_ports(self, fields: Fields) -> tuple[PortRange, ...]:
        entry = fields.entry("ports")
        mapping = self.reader.mapping(entry.value, "'ports'") if entry else None
        ranges = [port_range(self.reader, each.key, each.value) for each in mapping.entries] if mapping else []
        return tuple(each for each in ranges if each is not None)

    def _reserved_interrupts(self, fields: Fields) -> tuple[tuple[str, int, Span], ...]:
        entry = fields.entry("interrupts")
        mapping = self.reader.mapping(entry.value, "'interrupts'") if entry else None
        found = []
        for each in mapping.entries if mapping else ():
            number = self.reader.integer(each.value, f"the interrupt of '{each.key.text}'", 0, 23)
            if number.value is not None:
                found.append((each.key.text, number.value, each.key.span))
        return tuple(found)

    def _qemu(self, fields: Fields) -> Qemu | None:
        entry = fields.entry("qemu")
        inner = self.reader.fields(entry.value, "'qemu'", entry.key.span, ("arguments", "disks")) if entry else None
        if inner is None:
            return None
        arguments = inner.entry("arguments")
        if arguments is None:
            inner.missing("arguments")
        given = words(self.reader, arguments.value) if arguments else ()
        return Qemu(given, tuple(self._disks(inner)))

    def _disks(self, fields: Fields) -> list[tuple[str, int]]:
        entry = fields.entry("disks")
        mapping = self.reader.mapping(entry.value, "'disks'") if entry else None
        found = []
        for each in mapping.entries if mapping else ():
            size = self.reader.size(each.value, f"the disk of '{each.key.text}'")
            if size.value is not None:
                found.append((each.key.text, size.value))
        return found

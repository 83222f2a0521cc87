# SPDX-License-Identifier: Apache-2.0
"""A small image made by hand, so that `inspect` is tested without the builder: rows by the compiler from
`inspect_sample.c`, page tables and ELF file by the few lines below."""

from __future__ import annotations

import functools
import struct
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from parclose import dwarf, paths
from parclose.constants import constants
from parclose.inspect.physical import Physical

PAGE = 4096
USER, WRITE, NX, UNCACHED, GLOBAL, LARGE = 4, 2, 1 << 63, 16, 256, 128
READ_ONLY, READ_WRITE, CODE = USER | NX, USER | WRITE | NX, USER
RING0 = WRITE | NX

# Where the sample's things stand; handed to the compiler as macros.
PLACES = {
    "TEXT": 0x1400000,  # + 0x100000 for each partition: text 2 pages, data 2 pages, stack 1 page
    "STEP": 0x100000,
    "TABLE": 0x1800000,  # the shared region
    "DISK_WINDOW": 0x1900000,
    "LINE_WINDOW": 0x1910000,
    "NVME_BAR": 0xE0000000,
    "ROOT": 0x1180000,  # + 0x10000 for each partition
    "STACK": 0x3FFEF000,
}
CLOCK = constants()["MONITOR_PHYSICAL"] + 0x8000
ONES = 0x1300000
PRIVATE = 0x1310000  # + 0x10000 for each partition: descriptor, call page, context, bitmap (2), configuration
NAMES = ("manager", "io", "sensor")


@dataclass
class Sample:
    """The image's bytes by physical address, to be changed by a test and written."""

    chunks: dict[int, bytearray] = field(default_factory=dict)

    def poke(self, address: int, data: bytes) -> None:
        """Change bytes that are there already."""
        for start, chunk in self.chunks.items():
            if start <= address < start + len(chunk):
                chunk[address - start : address - start + len(data)] = data
                return
        raise KeyError(hex(address))

    def row(self, table: str, index: int, member: str) -> int:
        """The physical address of a member of a row."""
        place, layouts = constants()["DATABASE_PHYSICAL"], dwarf.layouts()
        head = layouts.decode("database", bytes(self.chunks[place]))
        row = layouts.structs[{"memory": "memory_row"}.get(table, table.removesuffix("s") + "_row")]
        first = head[table]["offset"]  # type: ignore[call-overload,index]
        return int(place + first + index * row.size + row.field(member).offset)

    def map(self, root: int, virtual: int, physical: int, flags: int, pages: int = 1) -> None:
        """Map pages; table pages are taken from behind the root."""
        for number in range(pages):
            self._map_page(root, virtual + number * PAGE, physical + number * PAGE, flags)

    def entry(self, root: int, virtual: int) -> int:
        """The physical address of the last-level entry for `virtual`."""
        table = root
        for level in (3, 2, 1):
            place = table + 8 * (virtual >> (12 + 9 * level) & 511)
            table = self._number(place) & 0xFFFFFFFFFF000
        return table + 8 * (virtual >> 12 & 511)

    def _map_page(self, root: int, virtual: int, physical: int, flags: int) -> None:
        table = root
        for level in (3, 2, 1):
            place = table + 8 * (virtual >> (12 + 9 * level) & 511)
            if not self._number(place):
                self.poke(place, struct.pack("<Q", self._fresh(root) | 0x27))
            table = self._number(place) & 0xFFFFFFFFFF000
        self.poke(table + 8 * (virtual >> 12 & 511), struct.pack("<Q", physical | flags | 0x61))

    def _fresh(self, root: int) -> int:
        page = root + PAGE
        while any(self.chunks[root][page - root : page - root + PAGE]) or page in self._taken(root):
            page += PAGE
        return page

    def _taken(self, root: int) -> set[int]:
        words = struct.unpack(f"<{len(self.chunks[root]) // 8}Q", self.chunks[root])
        return {word & 0xFFFFFFFFFF000 for word in words}

    def _number(self, place: int) -> int:
        for start, chunk in self.chunks.items():
            if start <= place < start + len(chunk):
                return int.from_bytes(chunk[place - start : place - start + 8], "little")
        raise KeyError(hex(place))

    def elf(self) -> bytes:
        """An ELF64 file with one PT_LOAD for each chunk."""
        chunks = sorted(self.chunks.items())
        header = struct.pack(
            "<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 0, 64, 0, 0, 64, 56, len(chunks), 64, 0, 0
        )
        offset, entries = 64 + 56 * len(chunks), b""
        for start, data in chunks:
            entries += struct.pack("<IIQQQQQQ", 1, 6, offset, start, start, len(data), len(data), PAGE)
            offset += len(data)
        return header + entries + b"".join(bytes(data) for _, data in chunks)

    def write(self, path: Path) -> Path:
        path.write_bytes(self.elf())
        return path


def row_of(memory: Physical, table: str, index: int, member: str) -> int:
    """The physical address of a member of a row in a built image."""
    place, size = constants()["DATABASE_PHYSICAL"], dwarf.layouts().structs["database"].size
    made = Sample({place: bytearray(memory.read(place, size) or b"")})
    return made.row(table, index, member)


def entry_of(memory: Physical, root: int, virtual: int) -> int:
    """The physical address of the last-level entry for `virtual` in a built image; small pages only."""
    table = root
    for level in (3, 2, 1):
        entry = memory.read(table + 8 * (virtual >> (12 + 9 * level) & 511), 8)
        assert entry is not None
        table = int.from_bytes(entry, "little") & 0xFFFFFFFFFF000
    return table + 8 * (virtual >> 12 & 511)


def file_offset(content: bytearray, address: int) -> int:
    """Where the byte at physical `address` stands in the file."""
    first, count = int.from_bytes(content[32:40], "little"), int.from_bytes(content[56:58], "little")
    for index in range(count):
        header = content[first + 56 * index : first + 56 * index + 56]
        offset, start, size = (int.from_bytes(header[at : at + 8], "little") for at in (8, 24, 32))
        if header[0] == 1 and start <= address < start + size:
            return offset + address - start
    raise AssertionError(f"{address:#x} is in no segment")


@functools.cache
def database() -> bytes:
    """The sample's rows as the compiler lays them out."""
    source = Path(__file__).with_name("inspect_sample.c")
    macros = [f"-D{name}={value:#x}" for name, value in PLACES.items()]
    with tempfile.TemporaryDirectory() as folder:
        compiled, plain = Path(folder) / "sample.o", Path(folder) / "sample.bin"
        command = ["gcc", "-std=c17", "-Wall", "-Wextra", "-Werror", "-c", f"-I{paths.data('abi')}", *macros]
        subprocess.run([*command, str(source), "-o", str(compiled)], check=True)
        subprocess.run(["objcopy", "-O", "binary", "-j", ".rodata", str(compiled), str(plain)], check=True)
        return plain.read_bytes()


def sample() -> Sample:
    """A whole image in which rows and tables agree."""
    known = constants()
    made = Sample({known["DATABASE_PHYSICAL"]: bytearray(database()), ONES: bytearray(b"\xff" * PAGE)})
    for index in range(len(NAMES)):
        _address_space(made, index)
    return made


def root(index: int) -> int:
    return PLACES["ROOT"] + index * 0x10000


def _address_space(made: Sample, index: int) -> None:
    known, top, own = constants(), root(index), PRIVATE + index * 0x10000
    made.chunks[top] = bytearray(0x10000)
    made.chunks[own] = bytearray(0x6000)
    made.poke(own, _descriptor_page(index))
    text = PLACES["TEXT"] + index * PLACES["STEP"]
    made.map(top, known["PROGRAM_ADDRESS"], text, CODE, 2)
    made.map(top, known["PROGRAM_ADDRESS"] + 0x2000, text + 0x2000, READ_WRITE, 2)
    made.map(top, PLACES["STACK"], text + 0x4000, READ_WRITE)
    made.map(top, known["DESCRIPTOR_ADDRESS"], own, READ_ONLY)
    made.map(top, known["CALL_PAGE_ADDRESS"], own + 0x1000, READ_WRITE)
    made.map(top, known["CLOCK_PAGE_ADDRESS"], CLOCK, READ_ONLY)
    _ring0(made, index)
    if index == 0:
        made.map(top, known["DATABASE_USER_ADDRESS"], known["DATABASE_PHYSICAL"], READ_ONLY, 0x80)
    else:
        window = known["CHANNEL_ADDRESS"]
        made.map(top, window, PLACES["DISK_WINDOW"], READ_WRITE, 4)
        made.map(top, window + 0x10000, PLACES["LINE_WINDOW"], READ_WRITE, 5)
    if index == 1:
        made.map(top, known["DEVICE_ADDRESS"], PLACES["NVME_BAR"], READ_WRITE | UNCACHED, 2)
        made.map(top, known["DEVICE_ADDRESS"] + 0x3000, PLACES["NVME_BAR"] + 0x3000, READ_WRITE | UNCACHED)
    if index == 2:
        made.map(top, known["REGION_ADDRESS"], PLACES["TABLE"], READ_WRITE, 2)
        made.map(top, known["CONFIG_ADDRESS"], own + 0x5000, READ_ONLY)


def _ring0(made: Sample, index: int) -> None:
    known, top, own = constants(), root(index), PRIVATE + index * 0x10000
    made.map(top, known["MONITOR_ADDRESS"], known["MONITOR_PHYSICAL"], GLOBAL, 4)
    made.map(top, known["MONITOR_ADDRESS"] + 0x8000, known["MONITOR_PHYSICAL"] + 0x8000, RING0 | GLOBAL, 2)
    made.map(top, known["DATABASE_ADDRESS"], known["DATABASE_PHYSICAL"], NX | GLOBAL, 0x80)
    made.map(top, known["LOCAL_CPU"], known["MONITOR_PHYSICAL"] + 0x10000, RING0)
    made.map(top, known["MSIX_ADDRESS"], PLACES["NVME_BAR"] + 0x2000, RING0 | UNCACHED | GLOBAL)
    made.map(top, known["LOCAL_CONTEXT"], own + 0x2000, RING0)
    made.map(top, known["LOCAL_CALL_PAGE"], own + 0x1000, RING0)
    made.map(top, known["LOCAL_IO_BITMAP"], own + 0x3000, NX, 2)
    made.map(top, known["LOCAL_IO_BITMAP"] + 0x2000, ONES, NX)
    bitmap = bytearray(b"\xff" * 2 * PAGE)
    for port in {0: [0x402, 0x604, 0x605, 0xCF9], 1: range(0x3F8, 0x400)}.get(index, ()):
        bitmap[port // 8] &= ~(1 << port % 8)
    made.poke(own + 0x3000, bytes(bitmap))


def _descriptor_page(index: int) -> bytes:
    layouts, known = dwarf.layouts(), constants()
    head, config = layouts.structs["descriptor_page"], layouts.structs["config_descriptor"]
    page = bytearray(PAGE)

    def put(offset: int, value: int, size: int) -> None:
        page[offset : offset + size] = value.to_bytes(size, "little")

    put(head.field("magic").offset, known["DESCRIPTOR_MAGIC"], 4)
    put(head.field("version").offset, known["DATABASE_VERSION"], 4)
    if index == 2:
        put(head.field("configs").offset, head.size, 4)
        put(head.field("configs").offset + 4, 1, 4)
        page[head.size : head.size + 11] = b"sensor.toml"
        put(head.size + config.field("address").offset, known["CONFIG_ADDRESS"], 8)
        put(head.size + config.field("size").offset, 300, 8)
    return bytes(page)

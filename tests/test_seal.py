# SPDX-License-Identifier: Apache-2.0
"""The tables carry checksums: a changed bit, a cut file or parts of two builds are refused at start, by a message that
says which table. Which bits are tried depends on the commit."""

from __future__ import annotations

import re
import shutil
import struct
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chance import chance
from image_kit import file_offset
from parclose import dwarf, emulator, paths, pipeline, seal
from parclose.constants import constants
from parclose.emulator import Emulator, Machine, Options

LAYOUT = Path(__file__).parent.parent / "examples" / "hello" / "layout.yaml"
REFUSED = re.compile(
    r"planned for\r\n  (?:checksum of )?(.+): planned (0x[0-9a-f]{16}), found (0x[0-9a-f]{16})\r\n"
    r"  as said in the image itself.*\r\n  nothing was started\r\n"
)
PLANNED = "the machine is the planned one"
PATIENCE = 15.0  # seconds
PORTS = "monitor_port", "debug_port", "report_port", "ports_check"


@dataclass(frozen=True)
class Start:
    """What a boot left behind once the monitor had decided."""

    console: str
    report: str
    log: str

    def refused(self) -> tuple[str, int, int]:
        """What was refused, and the numbers planned and found."""
        assert PLANNED not in self.console
        match = REFUSED.search(self.console)
        assert match, f"no message: {self.console!r}, QEMU said {self.log!r}"
        return match[1], int(match[2], 16), int(match[3], 16)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    made = pipeline.build(LAYOUT, tmp_path_factory.mktemp("sealed") / "out")
    return emulator.machine(made.system.board, made.image)


def start(machine: Machine, content: bytes, folder: Path, report_within: float = PATIENCE) -> Start:
    """Boot `content` until the monitor says yes or no, or QEMU ends; a no is reported `report_within` seconds."""
    image = folder / "image.elf"
    image.write_bytes(content)
    with Emulator(replace(machine, image=image), Options(folder, fresh=True)) as running:
        running.console.setblocking(False)
        said, limit = b"", time.monotonic() + PATIENCE
        while time.monotonic() < limit and running.process.poll() is None:
            with suppress(BlockingIOError):
                said += running.console.recv(4096)
            if PLANNED.encode() in said or b"nothing was started\r\n" in said:
                break
            time.sleep(0.005)
        report = running.options.file("report.log")
        limit = min(limit, time.monotonic() + report_within)
        # the firmware's own text comes to the same port, before
        while b"nothing was started" in said and "refused" not in report.read_text() and time.monotonic() < limit:
            time.sleep(0.005)
        time.sleep(0.01)
        return Start(said.decode(errors="replace"), report.read_text(), running.log())


def flipped(content: bytes, address: int, bit: int) -> bytes:
    """`content` with one bit of the byte at physical `address` changed."""
    changed = bytearray(content)
    changed[file_offset(changed, address)] ^= 1 << bit
    return bytes(changed)


def test_as_built_it_starts(built: Machine, tmp_path: Path) -> None:
    content = built.image.read_bytes()
    assert all(each.said == each.found for each in seal.sums(content))
    assert seal.seal(content) == content
    assert PLANNED in start(built, content, tmp_path).console


def test_each_table_has_a_checksum(built: Machine) -> None:
    names = [each.name for each in seal.sums(built.image.read_bytes())]
    assert names[:2] == ["resource database", "the monitor"] and "page tables" in names and "page of ones" in names
    for kind, owners in (
        ("descriptor page", ("manager", "_io", "hello")),
        ("I/O bitmap", ("manager", "_io")),
    ):
        assert {f"{kind} of {owner}" for owner in owners} <= set(names)


def refused_as(built: Machine, name: str, address: int, bit: int, folder: Path) -> None:
    """That bit changed, the start is refused by that name, and the report says so where its port can be believed."""
    content = flipped(built.image.read_bytes(), address, bit)
    ended = start(built, content, folder, 0.05 if _in_ports(address) else PATIENCE)
    what, planned, found = ended.refused()
    assert planned != found
    assert what == name or (name == "resource database" and what.startswith(name)), (what, name, hex(address))
    if not _in_ports(address):
        assert '{"event":"refused-machine"}' in ended.report, (hex(address), bit, ended)


def _in_ports(address: int) -> bool:
    row = dwarf.layouts().structs["database"]
    fields = [row.field(name) for name in PORTS]
    return any(
        field.offset <= address - constants()["DATABASE_PHYSICAL"] < field.offset + field.size for field in fields
    )


def in_file(content: bytes, address: int) -> bool:
    """Whether the byte at physical `address` is stored; zeros at the end of a segment are not."""
    try:
        return file_offset(bytearray(content), address) >= 0
    except AssertionError:
        return False


def sampled(built: Machine, what: str, count: int) -> list[tuple[str, int, int]]:
    """(table, address, bit): `count` places of each table, wherever they fall; with several the first and last byte.

    Not of the monitor: with a changed bit in its own code nothing can be promised. Its checksum is there to tell that
    it is of another build."""
    random, content = chance(what), built.image.read_bytes()
    found = []
    for each in (each for each in seal.sums(content) if each.name != "the monitor"):
        last = next(place for place in reversed(range(each.size)) if in_file(content, each.start + place))
        offsets = [random.randrange(last + 1) for _ in range(count)] + ([0, last] if count > 1 else [])
        found += [(each.name, each.start + offset, random.randrange(8)) for offset in offsets]
    return found


def test_a_changed_bit_of_any_table_is_refused(built: Machine, tmp_path: Path) -> None:
    for name, address, bit in sampled(built, "one bit of each table", 1):
        refused_as(built, name, address, bit, tmp_path)


def test_a_changed_bit_of_the_databases_head_is_refused(built: Machine, tmp_path: Path) -> None:
    """The head says where everything stands and on which ports the refusal is printed."""
    random, head = chance("the head"), dwarf.layouts().structs["database"]
    base = constants()["DATABASE_PHYSICAL"]
    for name in ("magic", "version", "size", "checksum", "sums", "manager", *PORTS):
        field = head.field(name)
        refused_as(built, "resource database", base + field.offset + random.randrange(field.size), 3, tmp_path)


@pytest.mark.slow
def test_many_changed_bits_of_every_table_are_refused(built: Machine, tmp_path: Path) -> None:
    for name, address, bit in sampled(built, "many bits of each table", 12):
        refused_as(built, name, address, bit, tmp_path)


@pytest.mark.slow
def test_every_byte_of_the_databases_head(built: Machine, tmp_path: Path) -> None:
    random, base = chance("every byte of the head"), constants()["DATABASE_PHYSICAL"]
    for offset in range(dwarf.layouts().structs["database"].size):
        refused_as(built, "resource database", base + offset, random.randrange(8), tmp_path)


def test_no_changed_bit_leaves_the_checksum_as_it_was(built: Machine) -> None:
    """Every bit of the database, without booting: the checksum that the monitor compares is another one."""
    first = seal.sums(built.image.read_bytes())[0]
    content = built.image.read_bytes()
    offset = file_offset(bytearray(content), first.start)
    database = content[offset : offset + first.size]
    states = [constants()["CHECKSUM_START"]]
    for place in range(0, len(database), 8):
        states.append(seal.checksum(database[place : place + 8], states[-1]))
    for place in range(0, len(database), 8):
        word = int.from_bytes(database[place : place + 8], "little")
        for bit in range(64):
            changed = seal.checksum((word ^ 1 << bit).to_bytes(8, "little"), states[place // 8])
            assert changed != states[place // 8 + 1], (place, bit)
    # from there on each step is a bijection: what differs before a word differs after it
    assert constants()["CHECKSUM_PRIME"] % 2 == 1


def test_a_file_that_is_cut_never_starts(built: Machine, tmp_path: Path) -> None:
    content = built.image.read_bytes()
    for part in (0.2, 0.6, 0.95):
        ended = start(built, content[: int(len(content) * part)], tmp_path)
        assert PLANNED not in ended.console and "while loading elf" in ended.log, ended


def test_a_segment_that_is_cut_is_refused(built: Machine, tmp_path: Path) -> None:
    """The loader believes the program header: what it does not fill is zero."""
    content = bytearray(built.image.read_bytes())
    tables = next(each for each in seal.sums(bytes(content)) if each.name == "page tables")
    place = file_offset(content, tables.start)
    first, count = struct.unpack_from("<Q", content, 32)[0], struct.unpack_from("<H", content, 56)[0]
    for header in range(first, first + 56 * count, 56):
        offset, filled = (struct.unpack_from("<Q", content, header + at)[0] for at in (8, 32))
        if offset <= place < offset + filled:
            struct.pack_into("<Q", content, header + 32, place + tables.size // 2 - offset)
    assert start(built, bytes(content), tmp_path).refused()[0] == "page tables"


def transplanted(target: bytes, donor: bytes, name: str) -> bytes:
    """`target` with the table `name` of `donor` where its own stands."""
    changed = bytearray(target)
    for into, source in zip(seal.sums(target), seal.sums(donor), strict=True):
        if name == into.name == source.name:
            assert (into.start, into.size) == (source.start, source.size)
            there, here = file_offset(changed, into.start), file_offset(bytearray(donor), source.start)
            changed[there : there + into.size] = donor[here : here + source.size]
    assert bytes(changed) != target
    return bytes(changed)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The same layout with one letter more in its guest's name and another monitor of the same size."""
    folder = tmp_path_factory.mktemp("other")
    sources = shutil.copytree(paths.data("monitor_asm"), folder / "monitor_asm")
    main = sources / "main.c"
    text = main.read_text()
    assert "parclose monitor: " in text
    main.write_text(text.replace("parclose monitor: ", "Parclose Monitor: "))
    shutil.copytree(LAYOUT.parent, folder / "hello")
    layout = folder / "hello" / LAYOUT.name
    layout.write_text(layout.read_text().replace("hello:", "hallo:"))
    return pipeline.build(layout, folder / "out", monitor_sources=sources).image.read_bytes()


@pytest.mark.parametrize("part", ["resource database", "the monitor", "page tables"])
def test_parts_of_two_builds_are_refused(built: Machine, other: bytes, part: str, tmp_path: Path) -> None:
    content = built.image.read_bytes()
    if part == "page tables":  # of the same layout they would be the same
        tables = next(each for each in seal.sums(other) if each.name == part)
        offset = file_offset(bytearray(other), tables.start)
        other = seal.seal(flipped(other, tables.start + tables.size - 1, 7))
        assert other[offset : offset + tables.size] != content[offset : offset + tables.size]
    what, planned, found = start(built, transplanted(content, other, part), tmp_path).refused()
    assert planned != found
    assert what == ("the monitor" if part == "resource database" else part)

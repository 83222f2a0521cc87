# SPDX-License-Identifier: Apache-2.0
"""Program files that others made: each defect has its problem, and no file whatever makes a traceback."""

from __future__ import annotations

import random
import struct
import subprocess
from pathlib import Path

import pytest

from parclose import elf, paths, program_checks
from parclose.elf import BadElf
from parclose.errors import Problem
from parclose.model import Program
from systems import MIB, SPAN, partition

SOURCE = """
volatile int counter = 5;
int room[100];
const char text[] = "read only";
void runtime_main(void) { for (;;) room[counter & 63]++; }
"""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A ready program, linked by hand with the kit's start object and linker script."""
    return link(tmp_path_factory.mktemp("good"), SOURCE)


def link(folder: Path, source: str, script: str | None = None, *options: str) -> bytes:
    abi = f"-I{paths.data('abi')}"
    (folder / "main.c").write_text(source)
    flags = ["-ffreestanding", "-fno-pic", "-O1", "-fno-asynchronous-unwind-tables", abi]
    start = paths.data("partitions", "runtime", "start.S")
    subprocess.run(["gcc", *flags, "-c", "main.c", start], cwd=folder, check=True)
    if script is None:
        script = kit_script()
    (folder / "script").write_text(script)
    words = ["ld", "-T", "script", "--build-id=none", "-z", "max-page-size=4096", "-o", "out.elf", *options]
    subprocess.run([*words, "main.o", "start.o"], cwd=folder, check=True, capture_output=True)
    return (folder / "out.elf").read_bytes()


def kit_script() -> str:
    words = ["gcc", "-E", "-P", "-x", "c", f"-I{paths.data('abi')}", paths.data("partitions", "partition.ld.S")]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def examine(data: bytes, memory: int | None = None) -> list[Problem]:
    subject = partition("g", program=Program(elf=Path("g.elf"), span=SPAN), memory=memory)
    program, problems = program_checks.examine(subject, data)
    assert problems or program is not None
    return problems


def codes(data: bytes, memory: int | None = None) -> list[str]:
    return [problem.code for problem in examine(data, memory)]


def patched(data: bytes, offset: int, form: str, value: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into(form, changed, offset, value)
    return bytes(changed)


def program_header(data: bytes, kind: int, flags: int | None = None) -> int:
    """The offset of the first program header of type `kind` (with `flags`)."""
    start, count = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    for place in range(start, start + 56 * count, 56):
        found = struct.unpack_from("<II", data, place)
        if found[0] == kind and flags in (None, found[1]):
            return place
    raise AssertionError(kind)


R, RX, RW = 4, 5, 6
LOAD, NOTE = 1, 4


def test_a_program_of_the_kit_is_good(good: bytes) -> None:
    assert codes(good) == []


def test_the_reader_agrees_with_readelf(good: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(good)
    listed = subprocess.run(["readelf", "-lW", tmp_path / "x"], capture_output=True, text=True, check=True).stdout
    loads = [line.split() for line in listed.splitlines() if line.split()[:1] == ["LOAD"]]
    found = elf.read(good)
    wanted = [(int(words[2], 16), int(words[3], 16), int(words[5], 16)) for words in loads]
    assert [(each.virtual, each.physical, each.memory_size) for each in found.segments] == wanted
    assert f"Entry point {found.entry:#x}" in listed
    named = subprocess.run(["nm", tmp_path / "x"], capture_output=True, text=True, check=True).stdout
    values = {words[2]: int(words[0], 16) for words in map(str.split, named.splitlines()) if len(words) == 3}
    ours = {symbol.name: symbol.value for symbol in elf.symbols(good)}
    assert values and {name: ours[name] for name in values} == values


@pytest.mark.parametrize(
    ("offset", "form", "value", "words"),
    [
        (18, "<H", 40, "ARM"),
        (18, "<H", 0xFFF0, "65520"),
        (16, "<H", 3, "ET_DYN"),
        (16, "<H", 1, "ET_REL"),
    ],
)
def test_another_machine_or_kind(good: bytes, offset: int, form: str, value: int, words: str) -> None:
    (problem,) = examine(patched(good, offset, form, value))
    assert problem.code == "P301" and words in problem.message and problem.labels[0].span == SPAN


def test_an_object_file_a_32_bit_program_and_a_script_are_refused(good: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("int main(void) { return 0; }\n")
    subprocess.run(["gcc", "-c", "a.c"], cwd=tmp_path, check=True)
    assert codes((tmp_path / "a.o").read_bytes()) == ["P301"]
    assert codes(b"#!/bin/sh\n") == ["P309"]
    assert codes(b"") == ["P309"]
    assert codes(patched(good, 4, "<B", 1)) in (["P301"], ["P309"])  # the class byte says 32 bits


def test_undefined_symbols_are_named(good: bytes) -> None:
    """GNU ld leaves none behind even when told to go on, so they are made here: section index 0, as others write it."""
    changed, weak = bytearray(good), b""
    for name, place in symbol_entries(good):
        if name in ("runtime_main", "counter"):
            struct.pack_into("<H", changed, place + 6, 0)
        if name == "room":
            weak = name.encode()
            struct.pack_into("<BBH", changed, place + 4, 2 << 4, 0, 0)
    (problem,) = examine(bytes(changed))
    assert problem.code == "P302" and "runtime_main" in problem.message and "counter" in problem.message
    assert weak and weak.decode() not in problem.message


def symbol_entries(data: bytes) -> list[tuple[str, int]]:
    """(name, offset in the file) of every symbol, found by way of the section headers."""
    start, count = struct.unpack_from("<Q", data, 40)[0], struct.unpack_from("<H", data, 60)[0]
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, start + 64 * index) for index in range(count)]
    table = next(header for header in headers if header[1] == 2)  # SHT_SYMTAB
    names = headers[table[6]][4]
    found = []
    for place in range(table[4], table[4] + table[5], 24):
        name = names + struct.unpack_from("<I", data, place)[0]
        found.append((data[name : data.index(b"\0", name)].decode(), place))
    return found


def test_a_writable_and_executable_segment(good: bytes) -> None:
    assert "P303" in codes(patched(good, program_header(good, LOAD, RX) + 4, "<I", 7))


@pytest.mark.parametrize("entry", [0, 0x400FFF, 0x402000, 1 << 63])
def test_an_entry_outside_the_text(good: bytes, entry: int) -> None:
    assert codes(patched(good, 24, "<Q", entry)) == ["P304"]


@pytest.mark.parametrize("address", [0x1000, 0x3FF000, 0x40000000, 0x7FFFFFFFF000, 0xFFFFFFFF80000000])
def test_a_segment_outside_the_programs_place(good: bytes, address: int) -> None:
    assert "P305" in codes(patched(good, program_header(good, LOAD, RW) + 16, "<Q", address))


def test_a_program_larger_than_its_memory_says_what_it_needs(good: bytes) -> None:
    (problem,) = examine(good, 64 * 1024)
    assert problem.code == "P307" and "stack 64 KiB" in problem.message and "has 64 KiB" in problem.message
    needed = problem.help.split("memory: ")[1].split("'")[0]
    assert examine(good, int(needed.split()[0]) * 1024) == []
    assert codes(good, (int(needed.split()[0]) - 4) * 1024) == ["P307"]


def test_much_more_memory_than_needed_is_a_warning(good: bytes) -> None:
    (problem,) = examine(good, 64 * MIB)
    assert (problem.code, problem.severity) == ("P308", "warning")


@pytest.mark.parametrize("change", ["name", "type", "version", "gone"])
def test_a_program_without_the_note_of_the_kit(good: bytes, change: str) -> None:
    header = program_header(good, NOTE)
    note = struct.unpack_from("<Q", good, header + 8)[0]
    places = {"name": (note + 12, "<B", 0x58), "type": (note + 8, "<I", 2), "version": (note + 24, "<I", 99)}
    places["gone"] = (header, "<I", 0x6FFFFFFF)
    assert codes(patched(good, *places[change])) == ["P306"]


def test_thread_local_variables_are_refused(tmp_path: Path) -> None:
    script = kit_script().replace("note PT_NOTE FLAGS(4);", "note PT_NOTE FLAGS(4); tls PT_TLS FLAGS(4);")
    script = script.replace("data_image = .;", ".tdata : { *(.tdata) } :rodata :tls\n data_image = .;", 1)
    data = link(tmp_path, SOURCE + "_Thread_local int mine = 3;\n", script)
    (problem,) = examine(data)
    assert problem.code == "P310" and "thread-local" in problem.message


def test_data_whose_load_address_is_its_own_is_refused(good: bytes) -> None:
    place = program_header(good, LOAD, RW)
    (virtual,) = struct.unpack_from("<Q", good, place + 16)
    (problem,) = examine(patched(good, place + 24, "<Q", virtual))
    assert problem.code == "P311" and f"{virtual:#x}" in problem.message


def test_segments_that_share_a_page_are_refused(good: bytes) -> None:
    text = program_header(good, LOAD, RX)
    (virtual,) = struct.unpack_from("<Q", good, program_header(good, LOAD, RW) + 16)
    assert "P311" in codes(patched(good, text + 40, "<Q", virtual + 0x10 - 0x400000))


# --- whatever the bytes: problems or a program, never anything else ---


def test_every_truncation(good: bytes) -> None:
    for length in [*range(1200), *range(1200, len(good), 97)]:
        examine(good[:length])


def test_every_byte_of_the_headers(good: bytes) -> None:
    count = struct.unpack_from("<H", good, 56)[0]
    for offset in range(4, 64 + 56 * count):
        for value in (0, 0x80, 0xFF, good[offset] ^ 4):
            changed = bytearray(good)
            changed[offset] = value
            examine(bytes(changed))


def test_every_byte_of_the_section_headers(good: bytes) -> None:
    start, count = struct.unpack_from("<Q", good, 40)[0], struct.unpack_from("<H", good, 60)[0]
    for offset in range(start, start + 64 * count):
        for value in (0, 0xFF):
            changed = bytearray(good)
            changed[offset] = value
            examine(bytes(changed))


WIDE = [0, 1, 0x7FFFFFFF, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]


@pytest.mark.parametrize("table", ["program", "section", "file"])
def test_wild_numbers_in_every_field(good: bytes, table: str) -> None:
    programs, sections = struct.unpack_from("<QQ", good, 32)
    first, count, size = {
        "program": (programs, struct.unpack_from("<H", good, 56)[0], 56),
        "section": (sections, struct.unpack_from("<H", good, 60)[0], 64),
        "file": (24, 1, 24),
    }[table]
    for place in range(first, first + count * size, 8):
        for value in WIDE:
            examine(patched(good, place, "<Q", value))


def test_many_random_changes_at_once(good: bytes) -> None:
    source = random.Random(4)
    for _ in range(1000):
        changed = bytearray(good)
        for _ in range(source.choice((1, 2, 8, 60))):
            where = source.choice((source.randrange(len(good)), source.randrange(64 * 8)))
            changed[where] = source.randrange(256)
        examine(bytes(changed))
        if source.random() < 0.2:
            examine(bytes(changed[: source.randrange(len(changed))]))


def test_random_bytes_behind_the_magic() -> None:
    source = random.Random(5)
    for _ in range(500):
        examine(b"\x7fELF" + source.randbytes(source.randrange(2000)))


def test_notes_that_lie_about_their_sizes() -> None:
    for words in ((0xFFFFFFFF, 4, 1), (4, 0xFFFFFFFF, 1), (9, 5, 1), (0, 0, 0)):
        data = struct.pack("<III", *words) + b"Par"
        with pytest.raises((BadElf, struct.error)):
            list(elf._notes(data))


def test_no_number_in_a_file_makes_the_plan_large(good: bytes) -> None:
    assert "P305" in codes(patched(good, program_header(good, LOAD, RW) + 40, "<Q", 1 << 45))

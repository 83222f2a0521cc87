# SPDX-License-Identifier: Apache-2.0
"""Reads program files. The only module that lets pyelftools loose on a file whose bytes are not to be trusted.

Format: System V ABI, ELF-64 object file format; notes as in its chapter 5.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

_UNDEFINED, _RESERVED, _WEAK = 0, 0xFF00, 2  # SHN_UNDEF, SHN_LORESERVE, STB_WEAK


class BadElf(Exception):
    """The file is no ELF file that can be read; the message says why, for a reader who has the file."""


@dataclass(frozen=True)
class Segment:
    """A PT_LOAD. `content` is as long as the file part; what follows up to `memory_size` is zero."""

    virtual: int
    physical: int
    memory_size: int
    write: bool
    execute: bool
    content: bytes

    @property
    def end(self) -> int:
        """The first virtual address after it."""
        return self.virtual + self.memory_size


@dataclass(frozen=True)
class Note:
    name: str
    type: int
    content: bytes


@dataclass(frozen=True)
class Elf:
    """What later stages need of a program file. `bits` is 32 or 64; `machine` and `type` are as EM_X86_64, ET_EXEC.

    `other_segments` are the types of the segments that are neither loaded nor notes, as PT_TLS.
    """

    bits: int
    little: bool
    machine: str
    type: str
    entry: int
    segments: tuple[Segment, ...]
    notes: tuple[Note, ...]
    other_segments: tuple[str, ...] = ()

    def physical(self, virtual: int) -> int | None:
        """Where a segment loads the byte at `virtual`; None when no segment holds it."""
        for segment in self.segments:
            if segment.virtual <= virtual < segment.end:
                return segment.physical + virtual - segment.virtual
        return None


@dataclass(frozen=True)
class Symbol:
    """`section` is "" for an undefined one."""

    name: str
    value: int
    size: int
    weak: bool
    section: str


def read(data: bytes) -> Elf:
    """The program file in `data`. Raises `BadElf` for anything that cannot be read whole."""
    if data[:4] != b"\x7fELF":
        raise BadElf("it does not begin with the four bytes of an ELF file")
    try:
        return _read(ELFFile(io.BytesIO(data)), len(data))
    except BadElf:
        raise
    except Exception as problem:  # pyelftools raises whatever its parts raise on a broken file
        raise BadElf(f"it is damaged ({type(problem).__name__})") from problem


def read_file(path: Path) -> Elf:
    """The program file at `path`. Raises `BadElf`, and `OSError` when it cannot be opened."""
    return read(path.read_bytes())


def _read(file: ELFFile, length: int) -> Elf:
    header = file.header
    segments: list[Segment] = []
    notes: list[Note] = []
    other: list[str] = []
    for segment in file.iter_segments():
        if segment["p_type"] == "PT_LOAD" and segment["p_memsz"]:
            segments.append(_segment(segment, length))
        elif segment["p_type"] == "PT_NOTE":
            _whole(segment, length)
            notes += _notes(segment.data())
        else:
            other.append(str(segment["p_type"]))
    return Elf(
        bits=file.elfclass,
        little=file.little_endian,
        machine=str(header["e_machine"]),
        type=str(header["e_type"]),
        entry=int(header["e_entry"]),
        segments=tuple(segments),
        notes=tuple(notes),
        other_segments=tuple(other),
    )


def _whole(segment: object, length: int) -> None:
    """Refuse a segment that leaves the file or the address space."""
    header = segment.header  # type: ignore[attr-defined]
    if header["p_offset"] + header["p_filesz"] > length:
        raise BadElf(f"a segment ends at byte {header['p_offset'] + header['p_filesz']:,} of a file of {length:,}")
    if header["p_filesz"] > header["p_memsz"]:
        raise BadElf(f"the segment at {header['p_vaddr']:#x} is larger in the file than in memory")
    if header["p_vaddr"] + header["p_memsz"] > 1 << 64:
        raise BadElf(f"the segment at {header['p_vaddr']:#x} leaves the address space")


def _segment(segment: object, length: int) -> Segment:
    _whole(segment, length)
    header = segment.header  # type: ignore[attr-defined]
    return Segment(
        virtual=header["p_vaddr"],
        physical=header["p_paddr"],
        memory_size=header["p_memsz"],
        write=bool(header["p_flags"] & 2),
        execute=bool(header["p_flags"] & 1),
        content=segment.data(),  # type: ignore[attr-defined]
    )


def _notes(data: bytes) -> Iterator[Note]:
    """The notes in a segment. Not by pyelftools, which gives the type as a name that depends on the file's kind."""
    offset = 0
    while offset < len(data):
        name_size, size, kind = struct.unpack_from("<III", data, offset)
        name = offset + 12
        content = name + _align4(name_size)
        offset = content + _align4(size)
        if offset > len(data):
            raise BadElf("a note leaves its segment")
        yield Note(data[name : name + name_size].rstrip(b"\0").decode("latin-1"), kind, data[content : content + size])


def _align4(size: int) -> int:
    return (size + 3) & ~3


def symbols(data: bytes) -> tuple[Symbol, ...]:
    """The symbol table of the ELF64 file in `data`, the nameless ones left out. Raises `BadElf`."""
    try:
        return tuple(_symbols(ELFFile(io.BytesIO(data))))
    except BadElf:
        raise
    except Exception as problem:  # as in `read`
        raise BadElf(f"its symbol table is damaged ({type(problem).__name__})") from problem


def _symbols(file: ELFFile) -> Iterator[Symbol]:
    """Entry by entry (gABI, symbol table), which takes a hundredth of the time that pyelftools takes for it."""
    table, strings = file.get_section_by_name(".symtab"), file.get_section_by_name(".strtab")
    if table is None or strings is None:
        return
    names, sections = strings.data(), [section.name for section in file.iter_sections()]
    for name, info, _, index, value, size in struct.iter_unpack("<IBBHQQ", table.data()):
        if name:
            text = names[name : names.index(b"\0", name)].decode("utf-8", "replace")
            section = "" if index == _UNDEFINED else sections[index] if index < _RESERVED else "*ABS*"
            yield Symbol(text, value, size, weak=info >> 4 == _WEAK, section=section)


def sections(data: bytes) -> dict[str, bytes]:
    """The bytes of every named section of the object file in `data`, which is of our own making."""
    return {
        section.name: bytes(section.data()) for section in ELFFile(io.BytesIO(data)).iter_sections() if section.name
    }

# SPDX-License-Identifier: Apache-2.0
"""Memory as it is when the monitor takes over: the image's loadable segments at their physical addresses."""

from __future__ import annotations

import bisect
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from parclose.errors import ParcloseError

MOST_SEGMENTS = 16384  # far above what a plan makes; a bound on the work that a foreign file can cause
_PHYSICAL_END = 1 << 52  # Intel SDM 3A, 4.1.4: the most that a physical address can have


@dataclass(frozen=True, order=True)
class Segment:
    """`size` bytes from physical address `start`; what is beyond `data` is zero."""

    start: int
    size: int
    data: bytes


class Physical:
    """Bytes by physical address. `name` is the image's, for messages."""

    def __init__(self, name: str, segments: Iterable[Segment]) -> None:
        self.name = name
        self._segments = sorted(segment for segment in segments if segment.size)
        self._starts = [segment.start for segment in self._segments]
        for before, after in zip(self._segments, self._segments[1:], strict=False):
            if after.start < before.start + before.size:
                raise ParcloseError(f"{name} loads two segments over each other at {after.start:#x}")

    def read(self, address: int, size: int) -> bytes | None:
        """The `size` bytes from physical `address` on, or None where they are not all in one loaded segment."""
        place = bisect.bisect_right(self._starts, address) - 1
        if place < 0:
            return None
        segment = self._segments[place]
        first = address - segment.start
        if first + size > segment.size:
            return None
        return segment.data[first : first + size].ljust(size, b"\0")

    def limit(self, address: int) -> int:
        """How many bytes are loaded from physical `address` to its segment's end; 0 where none are."""
        place = bisect.bisect_right(self._starts, address) - 1
        if place < 0:
            return 0
        return max(0, self._segments[place].start + self._segments[place].size - address)


def load(image: Path) -> Physical:
    """The segments of the ELF file `image`. Raises `ParcloseError` when it is no image or is cut off."""
    if image.exists() and not image.is_file():  # reading a pipe or a device may never end
        raise ParcloseError(f"{image} is no regular file")
    try:
        content = image.read_bytes()
    except OSError as error:
        raise ParcloseError(f"{image} cannot be read: {error.strerror or error}") from error
    try:
        return Physical(str(image), _segments(content, str(image)))
    except ParcloseError:
        raise
    except Exception as error:  # pyelftools raises whatever it stumbles on
        raise ParcloseError(f"{image} is no image: {error or type(error).__name__}") from error


def _segments(content: bytes, name: str) -> list[Segment]:
    from elftools.common.utils import struct_parse
    from elftools.elf.elffile import ELFFile

    stream = io.BytesIO(content)
    elf = ELFFile(stream)
    header = elf.header
    if elf.elfclass != 64 or not elf.little_endian or header.e_machine != "EM_X86_64":
        raise ParcloseError(f"{name} is no image: not a 64-bit x86 ELF file")
    if header.e_phnum > MOST_SEGMENTS:
        raise ParcloseError(f"{name} is no image: it has {header.e_phnum} segments")
    found = []
    for index in range(header.e_phnum):
        # not get_segment(): for other types that would go on to read what they point at
        entry = struct_parse(elf.structs.Elf_Phdr, stream, header.e_phoff + index * header.e_phentsize)
        if entry.p_type == "PT_LOAD":
            found.append(_segment(entry.p_paddr, entry.p_offset, entry.p_filesz, entry.p_memsz, content, name))
    return found


def _segment(start: int, offset: int, filled: int, size: int, content: bytes, name: str) -> Segment:
    if offset + filled > len(content):
        raise ParcloseError(f"{name} is cut off: the segment at {start:#x} needs {filled} bytes from {offset:#x} on")
    if filled > size or start + size > _PHYSICAL_END:
        raise ParcloseError(f"{name} is no image: the segment at {start:#x} has impossible sizes")
    return Segment(start, size, content[offset : offset + filled])

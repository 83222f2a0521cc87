# SPDX-License-Identifier: Apache-2.0
"""The layout of the contract's structures, as the compiler decided it and DWARF says it.

`layouts()` compiles the headers in `abi/` once into a small object, reads its
debug information with pyelftools and keeps the answer as JSON in the cache, so
that the common path neither compiles nor parses anything.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from parclose import paths, tools
from parclose.errors import ParcloseError

_FORMAT = 1  # of the cached JSON; raise it when the dataclasses below change
_FLAGS = ("-std=c17", "-ffreestanding", "-g", "-gdwarf-4", "-fno-eliminate-unused-debug-types", "-O0")

Value = int | str | dict[str, Any] | list[Any]


@dataclass(frozen=True)
class Field:
    """A member: `offset` and `size` in bytes. `count` is the number of elements of an array, 0 for a single value.

    `struct` names the structure of each element ("" for numbers); `text` is set for an array of char.
    """

    name: str
    offset: int
    size: int
    count: int = 0
    struct: str = ""
    text: bool = False


@dataclass(frozen=True)
class Struct:
    """A structure of `size` bytes. One without a name of its own is called `outer.member`."""

    name: str
    size: int
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """The member `name`. Raises `KeyError`."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"struct {self.name} has no member {name}")


@dataclass(frozen=True)
class Layouts:
    """Structures and enumerations by name; an enumeration maps a constant's name to its value."""

    structs: Mapping[str, Struct]
    enums: Mapping[str, Mapping[str, int]]

    def number(self, constant: str) -> int:
        """The value of an enumeration's constant. Raises `KeyError`."""
        for values in self.enums.values():
            if constant in values:
                return values[constant]
        raise KeyError(f"no enumeration in abi/ has a constant {constant}")

    def decode(self, name: str, data: bytes, offset: int = 0) -> dict[str, Value]:
        """The members of struct `name` in the little-endian bytes of `data` from `offset` on.

        Raises `KeyError` for an unknown structure and `ValueError` where `data` is too short.
        """
        struct = self.structs[name]
        if offset < 0 or offset + struct.size > len(data):
            raise ValueError(f"struct {name} needs {struct.size} bytes at {offset}, there are {len(data)}")
        return {field.name: self._member(field, data, offset + field.offset) for field in struct.fields}

    def _member(self, field: Field, data: bytes, offset: int) -> Value:
        if field.text:
            return _printable(data[offset : offset + field.size].split(b"\0", 1)[0])
        if not field.count:
            return self._element(field, data, offset, field.size)
        step = field.size // field.count
        return [self._element(field, data, offset + index * step, step) for index in range(field.count)]

    def _element(self, field: Field, data: bytes, offset: int, size: int) -> Value:
        if field.struct:
            return self.decode(field.struct, data, offset)
        return int.from_bytes(data[offset : offset + size], "little")


def _printable(data: bytes) -> str:
    """ASCII text; any other byte as \\xNN, so that a foreign image cannot send a terminal its own sequences."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in data)


def layouts() -> Layouts:
    """The layouts of all structures and enumerations in `abi/*.h`.

    A copy in the cache serves whichever compiler left it: the x86-64 psABI lays out these fixed-width types in one way
    only. (The monitor's own debug information would not do: it lacks what the monitor does not use.) Raises
    `MissingTool` when there is neither a copy nor a compiler.
    """
    return _cached(paths.cache(), paths.data("abi"))


def from_elf(path: Path) -> Layouts:
    """The structures and enumerations that the debug information of the ELF file `path` describes.

    Raises `ParcloseError` when it is no ELF file with debug information.
    """
    from elftools.elf.elffile import ELFFile  # here, since loading it takes longer than a cached answer

    try:
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            if not elf.has_dwarf_info():
                raise ParcloseError(f"{path} has no debug information")
            reader = _Reader()
            for unit in elf.get_dwarf_info().iter_CUs():
                reader.unit(unit.get_top_DIE())
            return Layouts(reader.structs, reader.enums)
    except ParcloseError:
        raise
    except Exception as error:  # pyelftools raises whatever it stumbles on
        raise ParcloseError(f"{path} cannot be read: {error or type(error).__name__}") from error


@functools.cache
def _cached(cache: Path, _headers: Path) -> Layouts:
    copy = cache / f"abi-{_headers_hash()}.json"
    found = _load(copy)
    if found is None:
        found = _compile()
        _store(copy, found)
    return found


def _headers() -> list[Path]:
    headers = sorted(paths.data("abi").glob("*.h"))
    if not headers:
        raise ParcloseError("the headers in abi/ are missing from this installation")
    return headers


def _headers_hash() -> str:
    digest = hashlib.sha256(f"{_FORMAT} {_FLAGS}".encode())
    for header in _headers():
        digest.update(header.name.encode() + b"\0" + header.read_bytes() + b"\0")
    return digest.hexdigest()[:20]


def _compile() -> Layouts:
    includes = "".join(f'#include "{header.name}"\n' for header in _headers())
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "abi.o"
        command: list[str | Path] = ["gcc", *_FLAGS, f"-I{paths.data('abi')}", "-x", "c", "-c", "-", "-o", target]
        tools.run(command, stdin=includes)
        return from_elf(target)


def _store(copy: Path, found: Layouts) -> None:
    """Keep `found`. A cache that cannot be written only costs time, so that is no error."""
    text = json.dumps({"structs": [asdict(struct) for struct in found.structs.values()], "enums": found.enums})
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=copy.parent, delete=False, encoding="utf-8") as beside:
            beside.write(text)
        os.replace(beside.name, copy)
    except OSError:
        return


def _load(copy: Path) -> Layouts | None:
    """The layouts in the JSON file `copy`, or None where it is not there or not whole."""
    try:
        found = json.loads(copy.read_text(encoding="utf-8"))
        structs = [
            Struct(struct["name"], struct["size"], tuple(Field(**field) for field in struct["fields"]))
            for struct in found["structs"]
        ]
        return Layouts({struct.name: struct for struct in structs}, found["enums"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


class _Reader:
    """Collects named structures and enumerations from debugging information entries (DWARF 4, 5.5 and 5.7)."""

    def __init__(self) -> None:
        self.structs: dict[str, Struct] = {}
        self.enums: dict[str, dict[str, int]] = {}

    def unit(self, top: Any) -> None:
        for entry in top.iter_children():
            if entry.tag == "DW_TAG_structure_type" and "DW_AT_byte_size" in entry.attributes:
                if name := _name(entry):
                    self._struct(entry, name)
            elif entry.tag == "DW_TAG_enumeration_type":
                self._enum(entry)

    def _enum(self, entry: Any) -> None:
        values = {_name(child): _number(child, "DW_AT_const_value") for child in entry.iter_children()}
        name = _name(entry) or next(iter(values), "")
        self.enums[name] = values

    def _struct(self, entry: Any, name: str) -> None:
        if name in self.structs:
            return
        members = [child for child in entry.iter_children() if child.tag == "DW_TAG_member"]
        fields = tuple(self._field(member, name) for member in members)
        self.structs[name] = Struct(name, _number(entry, "DW_AT_byte_size"), fields)

    def _field(self, member: Any, outer: str) -> Field:
        name, offset = _name(member), _number(member, "DW_AT_data_member_location")
        kind, count = _target(member), 0
        if kind.tag == "DW_TAG_array_type":
            count, kind = _array_count(kind), _target(kind)
        size = _number(kind, "DW_AT_byte_size")
        struct = ""
        if kind.tag == "DW_TAG_structure_type":
            struct = _name(kind) or f"{outer}.{name}"
            self._struct(kind, struct)
        text = bool(count) and _name(kind) == "char"
        return Field(name, offset, size * (count or 1), count, struct, text)


def _name(entry: Any) -> str:
    found = entry.attributes.get("DW_AT_name")
    return found.value.decode() if found else ""


def _number(entry: Any, attribute: str) -> int:
    return int(entry.attributes[attribute].value) if attribute in entry.attributes else 0


def _target(entry: Any) -> Any:
    """The type of `entry`, through typedefs and qualifiers."""
    kind = entry.get_DIE_from_attribute("DW_AT_type")
    while kind.tag in ("DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type"):
        kind = kind.get_DIE_from_attribute("DW_AT_type")
    return kind


def _array_count(entry: Any) -> int:
    ranges = [child for child in entry.iter_children() if child.tag == "DW_TAG_subrange_type"]
    if len(ranges) != 1:
        raise ParcloseError("an array of arrays in abi/ is not expected")
    if "DW_AT_count" in ranges[0].attributes:
        return _number(ranges[0], "DW_AT_count")
    return _number(ranges[0], "DW_AT_upper_bound") + 1

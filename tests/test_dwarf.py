# SPDX-License-Identifier: Apache-2.0
"""Structure layouts come from the compiler, and are the compiler's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from parclose import dwarf, paths, tools
from parclose.errors import MissingTool, ParcloseError


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    dwarf._cached.cache_clear()
    return tmp_path / "parclose"


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(command: list[str], **_: object) -> str:
        raise MissingTool(f"{command[0]} is not installed", tools.install_hint("gcc"))

    monkeypatch.setattr(tools, "run", missing)


def test_the_compiler_agrees_on_every_member(tmp_path: Path) -> None:
    checks = []
    for struct in dwarf.layouts().structs.values():
        if "." in struct.name:
            continue
        checks.append(f"_Static_assert(sizeof(struct {struct.name}) == {struct.size}, {struct.name!r});")
        checks += [
            f"_Static_assert(__builtin_offsetof(struct {struct.name}, {field.name}) == {field.offset}"
            f" && sizeof(((struct {struct.name} *)0)->{field.name}) == {field.size}, {field.name!r});"
            for field in struct.fields
            if field.name  # an anonymous union is no member of that name
        ]
    headers = "".join(f'#include "{header.name}"\n' for header in sorted(paths.data("abi").glob("*.h")))
    source = tmp_path / "agree.c"
    source.write_text(headers + "\n".join(checks).replace("'", '"'))
    subprocess.run(["gcc", "-std=c17", "-fsyntax-only", f"-I{paths.data('abi')}", str(source)], check=True)
    assert len(checks) > 150


def test_members_of_every_shape() -> None:
    found = dwarf.layouts()
    assert found.structs["database"].field("layout").text
    assert found.structs["database"].field("partitions").struct == "table"
    bars = found.structs["device_descriptor"].field("bar")
    assert (bars.count, bars.struct) == (6, "device_descriptor.bar")
    assert found.enums["role"] == {"ROLE_GUEST": 0, "ROLE_IO": 1, "ROLE_MANAGER": 2, "ROLE_COUNT": 3}
    with pytest.raises(KeyError, match="no member nonsense"):
        found.structs["database"].field("nonsense")


def test_decode_numbers_text_and_nested() -> None:
    found = dwarf.layouts()
    data = bytearray(found.structs["device_descriptor"].size)
    data[0:9] = b"nv\x1bme\xff\0zz"
    bar = found.structs["device_descriptor"].field("bar").offset + found.structs["device_descriptor.bar"].size
    data[bar : bar + 8] = (0xFEBF0000).to_bytes(8, "little")
    row = found.decode("device_descriptor", bytes(data))
    assert row["name"] == "nv\\x1bme\\xff"
    assert row["bar"][1]["address"] == 0xFEBF0000  # type: ignore[index,call-overload]
    with pytest.raises(ValueError, match=f"needs {len(data)} bytes"):
        found.decode("device_descriptor", bytes(len(data) - 1))


def test_the_second_time_nothing_is_compiled(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = dwarf.layouts()
    assert [entry.suffix for entry in empty_cache.iterdir()] == [".json"]
    dwarf._cached.cache_clear()
    monkeypatch.setattr(dwarf, "_compile", lambda: pytest.fail("compiled again"))
    assert dwarf.layouts() == first


def test_a_damaged_copy_is_made_anew(empty_cache: Path) -> None:
    first = dwarf.layouts()
    copy = next(empty_cache.iterdir())
    for damage in ('{"structs": [', "[]", '{"structs": [{"name": 1}], "enums": {}}', ""):
        copy.write_text(damage)
        dwarf._cached.cache_clear()
        assert dwarf.layouts() == first


def test_another_header_is_another_copy(empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dwarf.layouts()
    changed = tmp_path / "abi"
    changed.mkdir()
    for header in paths.data("abi").glob("*.h"):
        (changed / header.name).write_text(header.read_text())
    (changed / "note.h").write_text("struct added { unsigned long long wide; };\n")
    monkeypatch.setattr(paths, "data", lambda *parts: tmp_path.joinpath(*parts))
    dwarf._cached.cache_clear()
    assert dwarf.layouts().structs["added"].size == 8
    assert len(list(empty_cache.iterdir())) == 2


def test_without_a_compiler_a_copy_serves(empty_cache: Path, request: pytest.FixtureRequest) -> None:
    first = dwarf.layouts()
    dwarf._cached.cache_clear()
    request.getfixturevalue("no_compiler")
    assert dwarf.layouts() == first


def test_without_both_the_hint_says_what_to_install(empty_cache: Path, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("no_compiler")
    with pytest.raises(MissingTool, match="gcc") as caught:
        dwarf.layouts()
    assert "apt-get install" in caught.value.hint


def test_an_elf_file_with_debug_information(tmp_path: Path) -> None:
    source, elf = tmp_path / "m.c", tmp_path / "m.o"
    source.write_text('#include "database.h"\nstruct database base;\nstruct partition_row row;\n')
    subprocess.run(["gcc", "-g", "-c", f"-I{paths.data('abi')}", str(source), "-o", str(elf)], check=True)
    assert dwarf.from_elf(elf).structs["partition_row"] == dwarf.layouts().structs["partition_row"]
    subprocess.run(["strip", "-g", str(elf)], check=True)
    with pytest.raises(ParcloseError, match="no debug information"):
        dwarf.from_elf(elf)


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF\x02\x01\x01" + bytes(57), b"text", bytes(4096)])
def test_what_is_no_elf_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.elf"
    path.write_bytes(content)
    with pytest.raises(ParcloseError, match=r"odd\.elf"):
        dwarf.from_elf(path)


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    dwarf._cached.cache_clear()
    assert dwarf.layouts().structs["table"].size == 8

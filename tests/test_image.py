# SPDX-License-Identifier: Apache-2.0
"""From a hand-made layout to the bytes of an image: what is in it, that it is the same everywhere, and what is kept."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from parclose import compile as compile_stage
from parclose import elf, objects, paths, pipeline, publish, tools
from parclose.constants import constants
from parclose.errors import LayoutProblems, ParcloseError
from parclose.model import Config, Program, Region
from small_images import MAIN, build, loaded, make_kit
from systems import MANAGER, MIB, SPAN, line, partition, system

PAGE = 0x1000


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_kit(tmp_path_factory.mktemp("kit"))


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of this module's own, so that nothing of the user's answers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def built(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> pipeline.BuildResult:
    return build(kit, tmp_path_factory.mktemp("built") / "out")


def test_the_image_is_entered_by_the_monitors_pvh_note(built: pipeline.BuildResult) -> None:
    image, monitor = elf.read_file(built.image), elf.read_file(built.image.parent / "monitor.elf")
    assert image.entry == monitor.entry
    assert [(note.name, note.type) for note in image.notes] == [("Xen", 18)]
    assert int.from_bytes(image.notes[0].content, "little") == monitor.entry


def test_the_database_is_where_the_monitor_looks(built: pipeline.BuildResult) -> None:
    data = loaded(built.image.read_bytes(), constants()["DATABASE_PHYSICAL"], 16)
    magic, version, size = struct.unpack("<QII", data)
    assert (magic, version) == (constants()["DATABASE_MAGIC"], constants()["DATABASE_VERSION"])
    assert 0 < size <= constants()["DATABASE_SIZE"]


def test_a_program_is_where_its_partition_is(built: pipeline.BuildResult) -> None:
    image = built.image.read_bytes()
    for planned in built.plan.partitions:
        program = elf.read_file(built.image.parent / "partitions" / f"{planned.partition.name}.elf")
        text = next(segment for segment in program.segments if segment.execute)
        assert loaded(image, planned.physical, len(text.content)) == text.content


def test_writable_data_is_not_loaded_but_its_image_is(built: pipeline.BuildResult) -> None:
    image = built.image.read_bytes()
    planned = built.plan.partition("sensor")
    data = next(segment for segment in planned.program.segments if segment.write)
    base = planned.physical - constants()["PROGRAM_ADDRESS"]
    assert data.content[:4] == b"\x05\0\0\0"
    assert loaded(image, base + data.physical, len(data.content)) == data.content
    with pytest.raises(AssertionError):
        loaded(image, base + data.virtual, 4)


def test_descriptor_pages_name_their_partitions(built: pipeline.BuildResult) -> None:
    image = built.image.read_bytes()
    for planned in built.plan.partitions:
        data = loaded(image, planned.descriptor_page, 40)
        assert struct.unpack("<I", data[:4])[0] == constants()["DESCRIPTOR_MAGIC"]
        assert data[8:].split(b"\0")[0].decode() == planned.partition.name


def test_bitmaps_clear_the_bits_of_the_ports_and_no_others(built: pipeline.BuildResult) -> None:
    image = built.image.read_bytes()
    assert loaded(image, built.plan.ones, PAGE) == b"\xff" * PAGE
    for planned in built.plan.partitions:
        if planned.bitmap is not None:
            bits = int.from_bytes(loaded(image, planned.bitmap, 2 * PAGE), "little")
            clear = {port for port in range(65536) if not bits >> port & 1}
            assert clear == {port for first, count in planned.ports for port in range(first, first + count)}


def test_files_of_the_layout_are_loaded(kit: Path, tmp_path: Path) -> None:
    (tmp_path / "g.toml").write_bytes(b"rate = 5\n")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "table").write_bytes(b"0123456789")
    config = tuple(Config(name, tmp_path / name, SPAN) for name in ("g.toml", "empty"))
    guest = partition("g", program=Program(sources=(kit / "sensor.c",), span=SPAN), config=config)
    regions = (Region("table", 2 * PAGE, tmp_path / "table", "g", (), SPAN),)
    made = pipeline.build_system(
        system((MANAGER, guest), regions=regions), tmp_path / "out", (), pipeline.Options(partitions_sources=kit)
    )
    image = made.image.read_bytes()
    assert loaded(image, made.plan.configs[0].physical, 10) == b"rate = 5\n\0"
    region = next(each for each in made.plan.regions if each.name == "table")
    assert loaded(image, region.physical, 2 * PAGE) == b"0123456789".ljust(2 * PAGE, b"\0")


def test_a_file_that_is_gone_is_a_problem(kit: Path, tmp_path: Path) -> None:
    guest = partition("g", program=Program(sources=(kit / "sensor.c",)), config=(Config("x", tmp_path / "x", SPAN),))
    with pytest.raises(LayoutProblems) as caught:
        pipeline.build_system(system((MANAGER, guest)), tmp_path / "out", (), pipeline.Options(partitions_sources=kit))
    assert [problem.code for problem in caught.value.problems] == ["P312"]


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


_ELSEWHERE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from parclose import paths, pipeline
from systems import line
assert "another checkout" in str(paths.data())
kit, out = Path(sys.argv[1]), Path(sys.argv[2])
pipeline.build_system(line(kit), out, (), pipeline.Options(partitions_sources=kit))
"""


def test_the_same_inputs_give_the_same_bytes_elsewhere(kit: Path, built: pipeline.BuildResult, tmp_path: Path) -> None:
    """Another checkout, folder of sources and of output, cache, umask, locale, zone, current folder and file dates."""
    moved, tool = tmp_path / "another place", tmp_path / "another checkout"
    shutil.copytree(kit, moved)
    for name in ("abi", "builder", "monitor_asm", "partitions", "templates"):
        shutil.copytree(paths.data(name), tool / name)
    for path in [*moved.rglob("*"), *tool.rglob("*")]:
        os.utime(path, (1, 1))
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}
    environment |= {
        "LANG": "de_DE.UTF-8",
        "HOME": str(tmp_path),
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": str(tool / "builder"),
    }
    command = [sys.executable, "-c", _ELSEWHERE, str(moved), str(tmp_path / "o"), str(Path(__file__).parent)]
    subprocess.run(command, env=environment, cwd=tmp_path, umask=0o077, check=True, timeout=120)
    here, there = everything(built.image.parent), everything(tmp_path / "o")
    assert sorted(here) == sorted(there)
    assert [name for name in here if here[name] != there[name]] == []


def test_no_output_names_the_folder_it_was_made_in(kit: Path, built: pipeline.BuildResult) -> None:
    for name, data in everything(built.image.parent).items():
        assert str(kit).encode() not in data, name
        assert str(paths.data()).encode() not in data, name


def test_a_failing_build_leaves_the_last_good_image(kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    build(kit, out)
    before = everything(out)
    original = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        if self.name == "image.elf":
            raise OSError(28, "No space left on device")
        return original(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ParcloseError, match="No space left"):
        publish.publish(out, {"monitor.elf": b"new", "image.elf": b"new"})
    assert everything(out) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_disks_are_kept_and_programs_of_an_earlier_layout_are_not(kit: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for folder in ("disks", "partitions"):
        (out / folder).mkdir(parents=True)
        (out / folder / "old.elf").write_bytes(b"x")
    (out / "image.elf").write_bytes(b"of an earlier build")
    build(kit, out)
    assert (out / "disks" / "old.elf").exists() and not (out / "partitions" / "old.elf").exists()


def test_a_folder_that_cannot_be_made_is_an_error_with_its_name(kit: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ParcloseError, match="file"):
        build(kit, tmp_path / "file" / "out")


def test_a_changed_layout_compiles_neither_monitor_nor_programs(
    kit: Path, built: pipeline.BuildResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    original = tools.run

    def run(command: list[str | Path], **rest: object) -> str:
        commands.append([str(word) for word in command])
        return original(command, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(tools, "run", run)
    of = line(kit)
    larger = tuple(replace(each, memory=6 * MIB) if each.name == "sensor" else each for each in of.partitions)
    made = pipeline.build_system(
        replace(of, partitions=larger), tmp_path / "out", (), pipeline.Options(partitions_sources=kit)
    )
    assert commands and all(command[0] == "gcc" and command[-1] == "-" for command in commands)
    for name in ("monitor.elf", "partitions/sensor.elf", "partitions/io.elf"):
        assert (made.image.parent / name).read_bytes() == (built.image.parent / name).read_bytes()


def test_a_changed_header_compiles_what_includes_it(kit: Path, tmp_path: Path) -> None:
    (tmp_path / "rate.h").write_text("#define RATE 1\n")
    (tmp_path / "g.c").write_text('#include "rate.h"\nvolatile int rate = RATE;\nvoid runtime_main(void) { rate++; }\n')
    of = system((MANAGER, partition("g", program=Program(sources=(tmp_path / "g.c",), span=SPAN))))

    def rate() -> bytes:
        made = pipeline.build_system(of, tmp_path / "out", (), pipeline.Options(partitions_sources=kit))
        return next(each for each in made.plan.partition("g").program.segments if each.write).content[:4]

    assert rate() == b"\x01\0\0\0"
    (tmp_path / "rate.h").write_text("#define RATE 2\n")
    assert rate() == b"\x02\0\0\0"
    (tmp_path / "rate.h").write_text("#define RATE 1\n")
    assert rate() == b"\x01\0\0\0"


def test_a_changed_file_that_assembly_takes_in_is_seen(kit: Path, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"first")
    (tmp_path / "g.c").write_text(MAIN)
    (tmp_path / "b.S").write_text(f'        .section .rodata\n        .incbin "{tmp_path / "blob"}"\n')
    sources = (tmp_path / "g.c", tmp_path / "b.S")
    of = system((MANAGER, partition("g", program=Program(sources=sources, span=SPAN))))

    def program() -> bytes:
        pipeline.build_system(of, tmp_path / "out", (), pipeline.Options(partitions_sources=kit))
        return (tmp_path / "out" / "partitions" / "g.elf").read_bytes()

    assert b"first" in program()
    (tmp_path / "blob").write_bytes(b"other")
    assert b"other" in program()


def test_an_error_in_a_source_is_the_compilers_own(kit: Path, tmp_path: Path) -> None:
    (tmp_path / "g.c").write_text("void runtime_main(void) { return }\n")
    of = system((MANAGER, partition("g", program=Program(sources=(tmp_path / "g.c",), span=SPAN))))
    with pytest.raises(ParcloseError, match=r"g\.c:1:34: error: ") as caught:
        pipeline.build_system(of, tmp_path / "out", (), pipeline.Options(partitions_sources=kit))
    assert caught.value.exit_code == 1 and "gcc" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_an_unresolved_name_is_the_linkers_own_with_the_partition(kit: Path, tmp_path: Path) -> None:
    (tmp_path / "g.c").write_text("void helper(void);\nvoid runtime_main(void) { helper(); }\n")
    of = system((MANAGER, partition("g", program=Program(sources=(tmp_path / "g.c",), span=SPAN))))
    with pytest.raises(ParcloseError, match=r"partition 'g': (?s:.*)helper"):
        pipeline.build_system(of, tmp_path / "out", (), pipeline.Options(partitions_sources=kit))


def test_flags_and_definitions_reach_the_program(kit: Path, tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text(
        "volatile int rate = RATE;\n#ifdef WHOLE\nvoid runtime_main(void) { rate++; }\n#endif\n"
    )
    (tmp_path / "b.S").write_text('        .section .rodata\n        .ascii "from assembly"\n')
    given = Program(
        sources=(tmp_path / "a.c", tmp_path / "b.S"), cflags=("-DWHOLE",), define=(("RATE", "77"),), span=SPAN
    )
    made = pipeline.build_system(
        system((MANAGER, partition("g", program=given))), tmp_path / "out", (), pipeline.Options(partitions_sources=kit)
    )
    program = (made.image.parent / "partitions" / "g.elf").read_bytes()
    assert b"from assembly" in program and struct.pack("<I", 77) in program


def test_a_cache_that_cannot_be_written_is_an_error_with_a_way_out(
    kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ParcloseError, match="cache") as caught:
        build(kit, tmp_path / "out")
    assert "XDG_CACHE_HOME" in caught.value.hint


def test_warnings_of_programs_reach_the_result(kit: Path, tmp_path: Path) -> None:
    guest = partition("g", program=Program(sources=(kit / "sensor.c",), span=SPAN), memory=64 * MIB)
    of = system((MANAGER, guest))
    made = pipeline.build_system(of, tmp_path / "out", (), pipeline.Options(partitions_sources=kit))
    assert [problem.code for problem in made.warnings] == ["P308"]


def test_a_damaged_ready_program_and_a_missing_one_are_problems_together(kit: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.elf").write_bytes(b"\x7fELF and no more")
    guests = [partition(name, program=Program(elf=tmp_path / f"{name}.elf", span=SPAN)) for name in ("bad", "gone")]
    of = system((MANAGER, *guests))
    with pytest.raises(LayoutProblems) as caught:
        pipeline.build_system(of, tmp_path / "out", (), pipeline.Options(partitions_sources=kit))
    assert [problem.code for problem in caught.value.problems] == ["P309", "P312"]


def test_a_ready_program_is_taken_as_it_is(kit: Path, built: pipeline.BuildResult, tmp_path: Path) -> None:
    ready = built.image.parent / "partitions" / "sensor.elf"
    guest = partition("g", program=Program(elf=ready, span=SPAN))
    of = system((MANAGER, guest))
    made = pipeline.build_system(of, tmp_path / "out", (), pipeline.Options(partitions_sources=kit))
    assert (tmp_path / "out" / "partitions" / "g.elf").read_bytes() == ready.read_bytes()
    planned = made.plan.partition("g")
    text = next(segment for segment in planned.program.segments if segment.execute)
    assert loaded(made.image.read_bytes(), planned.physical, len(text.content)) == text.content


def test_the_disassembly_of_monitor_and_programs_is_left(built: pipeline.BuildResult) -> None:
    folder = built.image.parent
    for name in ("monitor", *(f"partitions/{each.partition.name}" for each in built.plan.partitions)):
        listing = (folder / f"{name}.lst").read_text()
        functions = [
            each.name for each in elf.symbols((folder / f"{name}.elf").read_bytes()) if each.section == ".text"
        ]
        assert any(f"<{function}>:\n" in listing for function in functions)


def test_warnings_of_the_compiler_are_shown_each_time(
    kit: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "g.c").write_text("void runtime_main(void)\n{\n#warning not finished\n}\n")
    of = system((MANAGER, partition("g", program=Program(sources=(tmp_path / "g.c",), span=SPAN))))
    for _ in range(2):
        pipeline.build_system(of, tmp_path / "out", (), pipeline.Options(partitions_sources=kit))
        assert "g.c:3:2: warning: #warning not finished" in capfd.readouterr().err


def test_a_new_header_before_a_recorded_one_is_seen(kit: Path, tmp_path: Path) -> None:
    for folder in ("near", "far"):
        (tmp_path / folder).mkdir()
    (tmp_path / "far" / "rate.h").write_text("#define RATE 1\n")
    (tmp_path / "g.c").write_text("#include <rate.h>\nvolatile int rate = RATE;\nvoid runtime_main(void) { rate++; }\n")
    flags = (f"-I{tmp_path / 'near'}", "-I", str(tmp_path / "far"))
    of = system((MANAGER, partition("g", program=Program(sources=(tmp_path / "g.c",), cflags=flags, span=SPAN))))

    def rate() -> bytes:
        made = pipeline.build_system(of, tmp_path / "out", (), pipeline.Options(partitions_sources=kit))
        return next(each for each in made.plan.partition("g").program.segments if each.write).content[:4]

    assert rate() == b"\x01\0\0\0"
    (tmp_path / "near" / "rate.h").write_text("#define RATE 2\n")
    assert rate() == b"\x02\0\0\0"
    (tmp_path / "near" / "rate.h").unlink()
    assert rate() == b"\x01\0\0\0"


def test_folders_of_headers_in_the_environment_do_not_count(
    kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rate.h").write_text("#define RATE 1\n")
    (tmp_path / "g.c").write_text(f"#include <rate.h>\n{MAIN}")
    monkeypatch.setenv("CPATH", str(tmp_path))
    of = system((MANAGER, partition("g", program=Program(sources=(tmp_path / "g.c",), span=SPAN))))
    with pytest.raises(ParcloseError, match=r"rate\.h: No such file"):
        pipeline.build_system(of, tmp_path / "out", (), pipeline.Options(partitions_sources=kit))


def test_a_source_that_asks_for_a_header_is_compiled_anew(kit: Path, tmp_path: Path) -> None:
    text = '#if __has_include("rate.h")\n#warning found\n#endif\n'
    (tmp_path / "g.c").write_text(f"{text}{MAIN}")
    (unit,) = compile_stage._program_units(Program(sources=(tmp_path / "g.c",), span=SPAN), kit)
    assert objects.compile_unit(unit).messages == ""
    (tmp_path / "rate.h").write_text("")
    assert "found" in objects.compile_unit(unit).messages

# SPDX-License-Identifier: Apache-2.0
"""Programs built elsewhere with nothing but the kit: by hand, by CMake, in C, C++ and Rust, together in one layout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from parclose.testing.machine import RunningMachine

SOURCES = Path(__file__).parent / "sdk"
RUST = ("--edition", "2021", "--crate-type", "staticlib", "-C", "panic=abort", "-C", "relocation-model=static", "-O")
HELLO = '#include "parclose.h"\nint main(void) { printf("by hand\\n"); return 0; }\n'
LAYOUT = "layout: 1\nboard: qemu-q35\npartitions:\n"

Boot = Callable[..., RunningMachine]


def need(program: str, *, required_by: str = "PARCLOSE_REQUIRE_QEMU") -> str:
    """`program`, or a skip that says how to install it; a failure where the environment says that it must be there."""
    found = shutil.which(program)
    if found is None:
        reason = f"{program} is not installed: apt-get install --no-install-recommends -y {program}"
        if os.environ.get(required_by) == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return found


def parclose(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "parclose", *words], capture_output=True, text=True, timeout=120)


def write_kit(folder: Path, layout: str = "  one: {program: one.elf}\n") -> Path:
    """The kit of a layout whose programs are not there yet."""
    (folder / "layout.yaml").write_text(LAYOUT + layout)
    done = parclose("sdk", folder / "layout.yaml", "-o", folder / "kit")
    assert done.returncode == 0, done.stderr
    return folder / "kit"


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_kit(tmp_path_factory.mktemp("sdk"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def gcc(kit: Path, folder: Path, *words: str, program: str = "gcc", flags: str = "compile.flags") -> str:
    """Compile and link as the kit's README says; what the compiler complains about."""
    include = ["-I", f"{kit}/include", "-iquote", f"{kit}/include/abi", f"@{kit}/{flags}"]
    done = subprocess.run([program, *include, *words], cwd=folder, capture_output=True, text=True, timeout=60)
    return "" if done.returncode == 0 else done.stderr


def link(kit: Path) -> list[str]:
    return ["-L", str(kit), f"@{kit}/link.flags"]


def test_the_kit_is_the_same_in_any_folder_and_names_none(kit: Path, tmp_path: Path) -> None:
    here = contents(kit)
    assert here == contents(write_kit(tmp_path))
    assert {"start.o", "libparclose.a", "partition.ld", "link.flags", "parclose.pc", "include/parclose.h"} <= set(here)
    for name, data in here.items():
        assert str(kit).encode() not in data and str(Path(__file__).parent.parent).encode() not in data, name
    assert len(re.findall(r"^.+$", here["README.md"].decode().split("| partition")[0], re.MULTILINE)) <= 12


def test_its_readme_names_what_each_partition_finds(tmp_path: Path) -> None:
    kit = write_kit(
        tmp_path,
        "  io: {program: {builtin: io}, devices: [nvme0, com1], dma: trusted, endpoints: {part: {block: nvme0},"
        " line: {console: com1}}}\n  a: {program: a.elf, channels: {disk: io.part, feed: {to: b}, tty: io.line}}\n"
        "  b: {program: b.elf, channels: {heard: {from: a.feed}, tty: io.line}}\n",
    )
    rows = [line for line in (kit / "README.md").read_text().splitlines() if line.startswith(("| a ", "| b "))]
    assert rows == ["| a | disk, feed, tty |  |  |  |", "| b | tty, heard |  |  |  |"]


def test_a_new_kit_replaces_the_old_and_nothing_else(tmp_path: Path) -> None:
    kit = write_kit(tmp_path)
    (kit / "start.o").write_text("old")
    assert write_kit(tmp_path) == kit and (kit / "start.o").read_bytes()[:4] == b"\x7fELF"
    other = tmp_path / "other"
    other.mkdir()
    (other / "README.md").write_text("mine")
    done = parclose("sdk", tmp_path / "layout.yaml", "-o", other)
    assert done.returncode == 2 and "no earlier kit" in done.stderr
    assert contents(other) == {"README.md": b"mine"}


def test_json_lists_the_files(tmp_path: Path) -> None:
    (tmp_path / "layout.yaml").write_text(LAYOUT + "  one: {program: one.elf}\n")
    done = parclose("sdk", tmp_path / "layout.yaml", "-o", tmp_path / "kit", "--json")
    said = json.loads(done.stdout)
    assert said["directory"] == str(tmp_path / "kit")
    assert said["files"] == sorted(str(tmp_path / "kit" / name) for name in contents(tmp_path / "kit"))


def test_a_layout_with_problems_gets_no_kit(tmp_path: Path) -> None:
    (tmp_path / "layout.yaml").write_text(LAYOUT + "  one: {program: one.elf, devices: [com7]}\n")
    done = parclose("sdk", tmp_path / "layout.yaml", "-o", tmp_path / "kit")
    assert done.returncode == 1 and "error[P" in done.stderr and "com7" in done.stderr
    assert not (tmp_path / "kit").exists()


def test_every_header_stands_alone_in_c_and_the_main_one_in_each_c_plus_plus(kit: Path, tmp_path: Path) -> None:
    headers = sorted((kit / "include").rglob("*.h"))
    assert len(headers) > 10
    for header in headers:
        (tmp_path / "one.c").write_text(f'#include "{header.name}"\n')
        strict = ("-std=c17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only")
        assert gcc(kit, tmp_path, *strict, "one.c") == "", header
    need("g++")
    (tmp_path / "one.cpp").write_text("#include <parclose.hpp>\n")
    for standard in ("c++11", "c++17", "c++20"):
        strict = (f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only")
        assert gcc(kit, tmp_path, *strict, "one.cpp", program="g++", flags="compile-c++.flags") == "", standard
    (tmp_path / "one.cpp").write_text('#include "parclose.h"\n')
    assert "parclose.hpp" in gcc(kit, tmp_path, "-fsyntax-only", "one.cpp", program="g++")


def test_flags_and_pkg_config_and_a_kit_that_was_moved_make_programs_that_boot(
    kit: Path, tmp_path: Path, parclose_boot: Boot
) -> None:
    moved = shutil.copytree(kit, tmp_path / "a moved kit")
    (tmp_path / "hello.c").write_text(HELLO)
    assert gcc(moved, tmp_path, "hello.c", *link(moved), "-o", "flags.elf") == ""
    names = "  flags: {program: flags.elf}\n"
    if need("pkg-config"):
        words = "gcc hello.c $(pkg-config --cflags --libs parclose) -o package.elf"
        environment = {**os.environ, "PKG_CONFIG_PATH": str(kit)}
        subprocess.run(words, shell=True, cwd=tmp_path, env=environment, check=True, timeout=60)
        names += "  package: {program: package.elf}\n"
    (tmp_path / "layout.yaml").write_text(LAYOUT + names)
    machine = parclose_boot(tmp_path / "layout.yaml").finish()
    assert machine.log.count("by hand") == 2
    assert [end.status for end in machine.ends() if end.partition != "_io"] == [0, 0]


def test_a_program_without_the_start_object_is_refused_with_the_way_to_link_it(kit: Path, tmp_path: Path) -> None:
    (tmp_path / "bare.c").write_text("void _start(void) { for (;;); }\n")
    said = gcc(kit, tmp_path, "bare.c", "-L", str(kit), "-static", "-nostdlib", "-Wl,-T,partition.ld", "-o", "bare.elf")
    assert "the start object is missing: add -l:start.o" in said
    own = ("-static", "-nostdlib", "-Wl,--build-id=none,-Ttext=0x400000,-z,max-page-size=4096")
    assert gcc(kit, tmp_path, "bare.c", *own, "-o", "bare.elf") == ""
    (tmp_path / "layout.yaml").write_text(LAYOUT + "  one: {program: bare.elf}\n")
    done = parclose("build", tmp_path / "layout.yaml", "-o", tmp_path / "out")
    assert done.returncode == 1 and "error[P306]" in done.stderr
    assert "`parclose sdk LAYOUT -o kit`, then gcc … -L kit @kit/link.flags" in done.stderr


def test_writable_data_that_nobody_would_restore_is_not_linked(kit: Path, tmp_path: Path) -> None:
    (tmp_path / "odd.c").write_text(
        '__attribute__((section("odd_data"))) int odd = 5;\nint main(void) { return odd; }\n'
    )
    said = gcc(kit, tmp_path, "odd.c", *link(kit), "-o", "odd.elf")
    assert "start.S would not restore it" in said


@pytest.fixture(scope="module")
def guests(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the programs in C and C++, as CMake makes them by the kit's toolchain file."""
    cmake = need("cmake")
    need("g++")
    made = tmp_path_factory.mktemp("guests")
    for words in (["-S", SOURCES, "-B", made, f"-DCMAKE_TOOLCHAIN_FILE={kit}/parclose.cmake"], ["--build", made]):
        done = subprocess.run([cmake, *words], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
    (made / "numbers.txt").write_text("0.25 " + " ".join(map(str, range(1, 101))))
    return made


def layout(guests: Path, more: str = "") -> Path:
    """A layout for the programs in `guests`: those in C and C++ talk to each other, and one has a disk."""
    text = """\
  io:
    program: {builtin: io}
    devices: [nvme0, com1]
    dma: trusted
    endpoints: {part: {block: nvme0, start: 8 MiB, size: 1 MiB}, line: {console: com1}}
  plain: {program: plain.elf, channels: {talk: {from: shapes.talk}, console: io.line}}
  shapes: {program: shapes.elf, memory: 1 MiB, channels: {disk: io.part, talk: {to: plain}, console: io.line}}
"""
    file = guests / ("three.yaml" if more else "two.yaml")
    file.write_text(LAYOUT + text + more)
    return file


def test_guests_that_cmake_built_in_c_and_c_plus_plus_boot_side_by_side(guests: Path, parclose_boot: Boot) -> None:
    machine = parclose_boot(layout(guests)).finish()
    assert (machine.end("plain").status, machine.end("shapes").status) == (0, 0)
    # the constructor saw life 1, and no destructor ran
    assert "shapes: area 49, made 42 and 42, sum 1\n" in machine.log.replace("\r", "")
    assert "plain: message 1: from C++" in machine.log and "destructor" not in machine.log


def test_a_guest_in_rust_boots_beside_them(kit: Path, guests: Path, parclose_boot: Boot) -> None:
    rustc = need("rustc", required_by="PARCLOSE_REQUIRE_RUST")
    library = guests / "libsums.a"
    done = subprocess.run(
        [rustc, *RUST, SOURCES / "sums.rs", "-o", library], capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr
    assert gcc(kit, guests, "libsums.a", *link(kit), "-o", "sums.elf") == ""
    more = "  sums: {program: sums.elf, config: numbers.txt, channels: {console: io.line}}\n"
    machine = parclose_boot(layout(guests, more)).finish()
    assert [machine.end(name).status for name in ("plain", "shapes", "sums")] == [0, 0, 0]
    assert "sums: 101 numbers, 5050.25 in all" in machine.log and "plain: message 1: from C++" in machine.log

# SPDX-License-Identifier: Apache-2.0
"""Compiles the monitor and each partition's program. What did not change comes from the cache."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from parclose import objects, paths
from parclose.model import Fetch, Kit, Program, System
from parclose.objects import Unit

# Without these code would ask for what nobody sets up: a loader that relocates, a guard word in thread-local storage.
_BARE = ("-ffreestanding", "-fno-pic", "-fno-stack-protector", "-fno-asynchronous-unwind-tables")
# DWARF 4: of version 5, binutils name the wrong file for lines of headers.
_COMMON = ("-std=c17", *_BARE, "-gno-record-gcc-switches", "-O2", "-gdwarf-4", "-c")
_PROGRAM = "-mcmodel=small"  # programs stand below 2 GiB
_RING3 = (*_COMMON, _PROGRAM)
# No red zone: an interrupt in ring 0 uses the same stack. No vector registers: they hold the partition's values.
# Loops start where they start: the monitor's go round once or twice, and the padding before them would be executed.
_RING0 = (*_COMMON, "-mcmodel=kernel", "-mno-red-zone", "-mgeneral-regs-only", "-fno-align-loops")

_PRIVATE_HEADERS = ("runtime.h", "network.h", "copy.h")  # what the runtime's own files share


@dataclass(frozen=True)
class Compiled:
    """Results of the compiler, as files of the cache. A partition with a ready program has no objects."""

    monitor: tuple[Path, ...]
    monitor_script: Path
    partitions: Mapping[str, tuple[Path, ...]]
    partition_script: Path


def compile_system(system: System, monitor: Path | None = None, partitions: Path | None = None) -> Compiled:
    """Compile everything that `system` runs, and finish the linker scripts.

    `monitor` and `partitions` are folders to use in place of the tool's own. Raises `ParcloseError` with the
    compiler's message, and `MissingTool`.
    """
    ring0, ring3 = monitor or paths.data("monitor_asm"), partitions or paths.data("partitions")
    monitor_units = _monitor_units(ring0)
    runtime = _folder_units(ring3 / "runtime", ring3)
    units = {
        partition.name: [] if partition.program.elf else [*runtime, *_program_units(partition.program, ring3)]
        for partition in system.partitions
    }
    scripts = [_script_unit(ring0 / "monitor.ld.S"), _script_unit(ring3 / "partition.ld.S")]
    made = objects.compile_units([*scripts, *monitor_units, *(unit for each in units.values() for unit in each)])
    return Compiled(
        monitor=tuple(made[unit] for unit in monitor_units),
        monitor_script=made[scripts[0]],
        partitions={name: tuple(made[unit] for unit in each) for name, each in units.items()},
        partition_script=made[scripts[1]],
    )


def compile_kit() -> Kit:
    """The runtime, for programs built elsewhere. Raises `ParcloseError` with the compiler's message, `MissingTool`."""
    ring3 = paths.data("partitions")
    units = [*_folder_units(ring3 / "runtime", ring3), *_folder_units(ring3 / "kit", ring3)]
    script = _script_unit(ring3 / "partition.ld.S")
    made = objects.compile_units([script, *units])
    library = {unit.source.stem: made[unit] for unit in units}
    public = [*(ring3 / "runtime").glob("*.h"), *(ring3 / "kit").glob("*.hpp")]
    headers = {f"include/{header.name}": header for header in public if header.name not in _PRIVATE_HEADERS}
    headers |= {f"include/abi/{header.name}": header for header in paths.data("abi").glob("*.h")}
    return Kit(library.pop("start"), library, made[script], dict(sorted(headers.items())), (*_BARE, _PROGRAM))


def compile_generated(sources: Mapping[str, str]) -> dict[str, bytes]:
    """The object files of the generated C files `sources`, by the same names."""
    units = {name: _generated_unit(name, text) for name, text in sources.items()}
    made = objects.compile_units(units.values())
    return {name: made[unit].read_bytes() for name, unit in units.items()}


def _script_unit(script: Path) -> Unit:
    """The run of the preprocessor that makes a linker script of `script`, so that it shares the addresses in `abi/`."""
    include = (f"-I{paths.data('abi')}", f"-I{paths.data('monitor_asm')}")
    return Unit(script, ("-E", "-P", "-x", "c", *include), script.parent)


def _generated_unit(name: str, text: str) -> Unit:
    """The compilation of a generated C file of tables."""
    flags = ("-std=c17", "-ffreestanding", "-fno-pic", "-Wall", "-Wextra", "-Wno-override-init", "-Werror", "-c")
    return Unit(Path(name), (*flags, f"-I{paths.data('abi')}"), paths.data(), text)


def _sources(folder: Path) -> list[Path]:
    """The C and assembly files of `folder` and what is below it; a linker script is neither, though it ends in .S."""
    found = (path for pattern in ("*.c", "*.S") for path in folder.rglob(pattern))
    return sorted(path for path in found if path.is_file() and not path.name.endswith(".ld.S"))


def _monitor_units(folder: Path) -> list[Unit]:
    # The tool's own folder comes last, so that "../abi/…" is found from a copy of the monitor elsewhere.
    include = (f"-I{folder}", f"-I{paths.data('abi')}", f"-I{paths.data('monitor_asm')}")
    flags = (*_RING0, *include, *_prefixes(folder, "monitor_asm"))
    return [Unit(source, flags, folder) for source in _sources(folder)]


def _folder_units(folder: Path, partitions: Path) -> list[Unit]:
    """All sources of one of our own ring-3 folders."""
    include = (f"-I{folder}", f"-I{partitions / 'runtime'}", f"-I{paths.data('abi')}")
    flags = (*_RING3, *include, *_prefixes(partitions, "partitions"))
    return [Unit(source, flags, partitions) for source in _sources(folder)]


def _program_units(program: Program, partitions: Path) -> list[Unit]:
    if program.builtin:
        return _folder_units(partitions / program.builtin, partitions)
    include = (f"-I{partitions / 'runtime'}", f"-iquote{paths.data('abi')}")
    define = tuple(f"-D{name}={value}" if value else f"-D{name}" for name, value in program.define)
    sources = [source.absolute() for source in program.sources]
    root = Path(os.path.commonpath([source.parent for source in sources]))
    own = (f"-iquote{root}", *_prefixes(partitions, "partitions"), *_prefixes(root, "."))
    flags = (*_RING3, *program.cflags, *define)
    theirs = _fetched_flags(program.fetch) if program.fetch else ()
    units = [Unit(source, (*flags, *include, *own, *theirs), root) for source in sources]
    return units + (_fetched_units(program.fetch, flags, root) if program.fetch else [])


def _fetched_units(fetch: Fetch, flags: tuple[str, ...], root: Path) -> list[Unit]:
    """What was fetched, set up by headers of the program's own folder `root`, which stand for a C library's too."""
    assert fetch.folder is not None, "the pipeline fetches first"
    own = (f"-I{root}", *_prefixes(root, "."), *_fetched_flags(fetch))
    return [Unit(fetch.folder / source, (*flags, *own), fetch.folder) for source in fetch.sources]


def _fetched_flags(fetch: Fetch) -> tuple[str, ...]:
    """They come last: the cache may be inside another folder that no result may name."""
    assert fetch.folder is not None, "the pipeline fetches first"
    include = (f"-I{fetch.folder / folder}" for folder in fetch.include)
    return (*include, f"-ffile-prefix-map={fetch.folder}={fetch.package}")


def _prefixes(folder: Path, name: str) -> Iterable[str]:
    """Flags that keep the place of `folder` and of the tool out of the result."""
    return (f"-ffile-prefix-map={paths.data()}=parclose", f"-ffile-prefix-map={folder}={name}")

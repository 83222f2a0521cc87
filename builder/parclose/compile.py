# SPDX-License-Identifier: Apache-2.0
"""Compiles and links the monitor and each partition's program. What did not change comes from the cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path

from parclose import link, objects, paths
from parclose.errors import ParcloseError
from parclose.model import Partition, Program, System
from parclose.objects import Unit

_COMMON = (
    "-std=c17",
    "-ffreestanding",
    "-fno-pic",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-gno-record-gcc-switches",
    "-O2",
    "-g",
    "-c",
)
_RING3 = (*_COMMON, "-mcmodel=small")
# No red zone: an interrupt in ring 0 uses the same stack. No vector registers: they hold the partition's values.
_RING0 = (*_COMMON, "-mcmodel=kernel", "-mno-red-zone", "-mgeneral-regs-only")


@dataclass(frozen=True)
class Compiled:
    """Files of program images: the monitor, and by partition's name the programs."""

    monitor: Path
    programs: Mapping[str, Path]


def compile_system(system: System, monitor: Path | None = None, partitions: Path | None = None) -> Compiled:
    """Compile and link everything that `system` runs.

    `monitor` and `partitions` are folders to use in place of the tool's own. Raises `ParcloseError` with the
    compiler's or linker's message, and `MissingTool`.
    """
    ring0, ring3 = monitor or paths.data("monitor_asm"), partitions or paths.data("partitions")
    monitor_units = _monitor_units(ring0)
    runtime_units = _folder_units(ring3 / "runtime", ring3)
    own_units = {partition.name: _program_units(partition.program, ring3) for partition in system.partitions}
    scripts = [link.script_unit(ring0 / "monitor.ld.S"), link.script_unit(ring3 / "partition.ld.S")]
    every = [*scripts, *monitor_units, *runtime_units, *(unit for units in own_units.values() for unit in units)]
    made = objects.compile_units(every)

    def link_program(partition: Partition) -> Path:
        if partition.program.elf is not None:
            return partition.program.elf
        units = [*runtime_units, *own_units[partition.name]]
        try:
            return link.link([made[unit] for unit in units], made[scripts[1]], [link.support_library()])
        except ParcloseError as problem:
            raise ParcloseError(f"partition '{partition.name}': {problem.message}", problem.hint) from problem

    with ThreadPoolExecutor(cpu_count()) as pool:
        linked = pool.submit(link.link, [made[unit] for unit in monitor_units], made[scripts[0]])
        programs = list(pool.map(link_program, system.partitions))
        names = [partition.name for partition in system.partitions]
        return Compiled(linked.result(), dict(zip(names, programs, strict=True)))


def generated_unit(name: str, text: str) -> Unit:
    """The compilation of a generated C file of tables."""
    flags = ("-std=c17", "-ffreestanding", "-fno-pic", "-Wall", "-Wextra", "-Wno-override-init", "-Werror", "-c")
    return Unit(Path(name), (*flags, f"-I{paths.data('abi')}"), paths.data(), text)


def _sources(folder: Path) -> list[Path]:
    return sorted(path for pattern in ("*.c", "*.S") for path in folder.rglob(pattern) if path.is_file())


def _monitor_units(folder: Path) -> list[Unit]:
    # The tool's own folder comes last, so that "../abi/…" is found from a copy of the monitor elsewhere.
    include = (f"-I{folder}", f"-I{paths.data('abi')}", f"-I{paths.data('monitor_asm')}")
    flags = (*_RING0, *include, *_prefixes(folder, "monitor_asm"))
    return [Unit(source, flags, folder) for source in sorted([*folder.glob("*.c"), *folder.glob("*.S")])]


def _folder_units(folder: Path, partitions: Path) -> list[Unit]:
    """All sources of one of our own ring-3 folders."""
    include = (f"-I{folder}", f"-I{partitions / 'runtime'}", f"-I{paths.data('abi')}")
    flags = (*_RING3, *include, *_prefixes(partitions, "partitions"))
    return [Unit(source, flags, partitions) for source in _sources(folder)]


def _program_units(program: Program, partitions: Path) -> list[Unit]:
    if program.builtin:
        return _folder_units(partitions / program.builtin, partitions)
    include = (f"-I{partitions / 'runtime'}", f"-I{paths.data('abi')}")
    define = tuple(f"-D{name}={value}" if value else f"-D{name}" for name, value in program.define)
    units = []
    for source in program.sources:
        own = (*_prefixes(partitions, "partitions"), *_prefixes(source.parent, "."))
        units.append(Unit(source, (*_RING3, *program.cflags, *define, *include, *own), source.parent))
    return units


def _prefixes(folder: Path, name: str) -> Iterable[str]:
    """Flags that keep the place of `folder` and of the tool out of the result."""
    return (f"-ffile-prefix-map={paths.data()}=parclose", f"-ffile-prefix-map={folder}={name}")

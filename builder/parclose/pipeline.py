# SPDX-License-Identifier: Apache-2.0
"""From a layout to a bootable image. `build` is the table of contents; each stage is a function from value to value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from parclose import audit as audit_stage
from parclose import check as check_stage
from parclose import compile as compile_stage
from parclose import disassemble as disassemble_stage
from parclose import disk as disk_stage
from parclose import elf, gpt, image_map, publish, report
from parclose import fetch as fetch_stage
from parclose import generate as generate_stage
from parclose import image as image_stage
from parclose import kit as kit_stage
from parclose import link as link_stage
from parclose import pagetables as pagetables_stage
from parclose import plan as plan_stage
from parclose import program_checks as program_stage
from parclose.errors import Label, LayoutProblems, ParcloseError, Problem, Span, raise_if_errors
from parclose.link import Parts, Programs
from parclose.model import System
from parclose.planned import Inputs, Plan

CLOCK_PAGE = "clock_page"  # the monitor's symbol


@dataclass(frozen=True)
class BuildResult:
    """A finished build: `image` is the file to boot, in the folder with everything else."""

    image: Path
    system: System
    plan: Plan
    warnings: tuple[Problem, ...]
    disk: Path | None = None  # boots `image`, where one was asked for


@dataclass(frozen=True)
class Options:
    """Whether a disk is made too; and where a test may plant a fault: other sources, a changed plan, no audit of it."""

    monitor_sources: Path | None = None
    partitions_sources: Path | None = None
    amend_plan: Callable[[Plan], Plan] | None = None
    audit: bool = True
    disk: bool = False


def build(
    layout: Path,
    out: Path,
    board: str | None = None,
    *,
    monitor_sources: Path | None = None,
    partitions_sources: Path | None = None,
    amend_plan: Callable[[Plan], Plan] | None = None,
    audit: bool = True,
    disk: bool = False,
) -> BuildResult:
    """Build `layout` into the folder `out`; `board` replaces the layout's own; `disk` adds a disk that boots the image.

    Raises `LayoutProblems` with everything that is wrong with the layout, and `ParcloseError` with the compiler's
    message. Until the very end nothing in `out` is touched.
    """
    system, problems = check_stage.check(layout, board)
    if system is None:
        raise LayoutProblems(tuple(problems))
    raise_if_errors(problems)
    options = Options(monitor_sources, partitions_sources, amend_plan, audit, disk)
    return build_system(system, out, tuple(problems), options)


def build_system(
    system: System, out: Path, warnings: tuple[Problem, ...] = (), options: Options | None = None
) -> BuildResult:
    """Build a layout that was checked already. Raises as `build` does."""
    options = options or Options()
    system = fetch_stage.fetch(system)
    compiled = compile_stage.compile_system(system, options.monitor_sources, options.partitions_sources)
    programs = link_stage.link(*_parts(system, compiled))
    inputs, remarks = _examine(system, programs)
    plan = plan_stage.plan(system, inputs)
    if options.amend_plan is not None:
        plan = options.amend_plan(plan)
    tables = pagetables_stage.build(plan)
    sources = generate_stage.generate(system, plan, tables)
    image = image_stage.image(plan, compile_stage.compile_generated(sources))
    if options.audit:
        audit_stage.audit(system, plan, image)
    disks = {gpt.NAME: disk_stage.disk(image, system.board.monitor_port)} if options.disk else {}
    files = disks | _files(system, plan, programs, sources, image)
    publish.must_be_ours(out, files, "image.elf", (gpt.NAME,))
    disk_stage.forget(out, image)
    publish.publish(out, files)
    disk = out / gpt.NAME if options.disk else None
    return BuildResult(out / "image.elf", system, plan, (*warnings, *remarks), disk)


def kit(layout: Path, out: Path, board: str | None = None) -> tuple[list[Path], tuple[Problem, ...]]:
    """Write what programs of `layout` that are built elsewhere need into the folder `out`; its files, and warnings.

    The programs themselves may have yet to be built. Raises as `build` does, and `UsageError` for a folder with
    something else in it.
    """
    kit_stage.must_be_kit(out)
    system, problems = check_stage.check(layout, board, with_programs=False)
    if system is None:
        raise LayoutProblems(tuple(problems))
    raise_if_errors(problems)
    files = kit_stage.files(system, compile_stage.compile_kit(), link_stage.FLAGS)
    publish.publish(out, files)
    return [out / name for name in files], tuple(problems)


def _parts(system: System, compiled: compile_stage.Compiled) -> tuple[Parts, dict[str, Parts]]:
    """What the linker gets: the monitor's parts and each partition's."""
    parts = {
        partition.name: Parts(compiled.partitions[partition.name], compiled.partition_script, partition.program.elf)
        for partition in system.partitions
    }
    return Parts(compiled.monitor, compiled.monitor_script), parts


def _examine(system: System, programs: Programs) -> tuple[Inputs, tuple[Problem, ...]]:
    """Read everything that the plan depends on, check every program, and keep the warnings.

    Raises `LayoutProblems`.
    """
    problems: list[Problem] = []
    found = {}
    for partition in system.partitions:
        try:
            data = programs.partitions[partition.name].read_bytes()
        except OSError as problem:
            problems.append(_unreadable(programs.partitions[partition.name], problem, partition.program.span))
            continue
        program, wrong = program_stage.examine(partition, data)
        problems += wrong
        if program is not None:
            found[partition.name] = program
    files = _read_files(system, problems)
    raise_if_errors(problems)
    monitor = programs.monitor.read_bytes()
    clock = next((each for each in elf.symbols(monitor) if each.name == CLOCK_PAGE), None)
    if clock is None:
        raise ParcloseError(f"the monitor has no symbol '{CLOCK_PAGE}'")
    return Inputs(elf.read(monitor), clock.value, found, files), tuple(problems)


def _read_files(system: System, problems: list[Problem]) -> dict[Path, bytes]:
    """The bytes of all configuration and region files."""
    wanted = [(config.path, config.span) for partition in system.partitions for config in partition.config]
    wanted += [(region.source, region.span) for region in system.regions if region.source is not None]
    found: dict[Path, bytes] = {}
    for path, span in wanted:
        try:
            found[path] = path.read_bytes()
        except OSError as problem:
            problems.append(_unreadable(path, problem, span))
    return found


def _unreadable(path: Path, problem: OSError, span: Span | None) -> Problem:
    labels = (Label(span, "named here"),) if span else ()
    return Problem("P312", f"{path} cannot be read: {problem.strerror}", labels, "check its name and its permissions")


def _files(system: System, plan: Plan, programs: Programs, sources: dict[str, str], image: bytes) -> dict[str, bytes]:
    """Everything that a build leaves, by path in its folder; the image comes last."""
    document = report.make(system, plan)
    elves = {"monitor": programs.monitor, **{f"partitions/{name}": path for name, path in programs.partitions.items()}}
    listings = disassemble_stage.disassemble(elves)
    return {
        **{f"generated/{name}": text.encode() for name, text in sources.items()},
        **{f"{name}.elf": path.read_bytes() for name, path in elves.items()},
        **{f"{name}.lst": listing for name, listing in listings.items()},
        "image.map": image_map.text(system.path.name, plan).encode(),
        "report.json": publish.json_bytes(document),
        "report.txt": report.text(document).encode(),
        "image.elf": image,
    }

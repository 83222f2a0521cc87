# SPDX-License-Identifier: Apache-2.0
"""Programs and other files that a layout names."""

from __future__ import annotations

import re
from pathlib import Path

from parclose import files, paths
from parclose.constants import constants
from parclose.errors import Span
from parclose.layout import RawPartition, known
from parclose.problems import Collector, at
from parclose.scope import Scope
from parclose.wording import format_size, listing, suggestion

COMPILED = (".c", ".S")
_BUILT_ELSEWHERE = ("manager", "runtime")
_MACRO = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def builtins() -> list[str]:
    """The programs that the tool ships for a layout to name."""
    return sorted(
        {"io"}
        | {each.name for each in paths.data("partitions").glob("*/") if (each / "main.c").is_file()}
        - set(_BUILT_ELSEWHERE)
    )


def sources_in(folder: Path) -> list[Path]:
    """The sources of a folder and of what is in it, hidden things left out, in order."""
    found = (path for path in folder.rglob("*") if path.suffix in COMPILED and path.is_file())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _missing_file(scope: Scope, name: str, span: Span, place: Span, what: str, problems: Collector) -> bool:
    """Note P050 when `name` is no file or folder beside the layout."""
    path = scope.layout.folder / name
    if "{i}" in name:  # P034
        return True
    if files.is_there(path):
        return False
    help = files.advice(path, name)
    if what == "program" and name in builtins():
        help = f"the built-in one is {{builtin: {name}}}"
    labels = at(span, "not found"), at(place, f"{what} of this")
    problems.error_folded("P050", f"there is no file '{name[:80]}'", *labels, help=help)
    return True


def program_file(scope: Scope, problems: Collector) -> None:
    """P050, P051, P052: the program is no file, of no kind that is known, or a folder without sources."""
    for partition in scope.layout.partitions:
        program = partition.program
        for given in (program.file, program.elf) if program else ():
            if given is None or given.value is None:
                continue
            if not _missing_file(scope, given.value, given.span, partition.span, "program", problems):
                _kind_of_file(scope, partition, given.value, given.span, problems)


def _kind_of_file(scope: Scope, partition: RawPartition, name: str, span: Span, problems: Collector) -> None:
    path, program = scope.layout.folder / name, partition.program
    here = at(partition.span, "program of this")
    if path.is_dir():
        if not sources_in(path):
            help = f"put a {listing(COMPILED, 'or')} file there"
            problems.error(
                "P052", f"the folder '{name}' holds no source", at(span, "nothing to compile"), here, help=help
            )
    elif path.suffix not in (*COMPILED, ".elf") or (program and program.elf and path.suffix in COMPILED):
        text = f"'{name}' is no program: its name ends in '{path.suffix}'"
        help = "a program is a .c or .S file, a folder of them, an .elf file, {sources: [...]} or {builtin: io}"
        problems.error("P051", text, at(span, "of no kind that is known"), here, help=help)


def source_files(scope: Scope, problems: Collector) -> None:
    """P050, P051: a source in a list that is not there, or no source."""
    for partition in scope.layout.partitions:
        for name, span in known((partition.program.sources or ()) if partition.program else ()):
            if _missing_file(scope, name, span, partition.span, "source", problems):
                continue
            if Path(name).suffix not in COMPILED:
                text, help = f"'{name}' is no source", f"sources end in {listing(COMPILED, 'or')}"
                problems.error(
                    "P051", text, at(span, "not compiled"), at(partition.span, "in this partition"), help=help
                )


def source_twice(scope: Scope, problems: Collector) -> None:
    """P055: one source twice in a list."""
    for partition in scope.layout.partitions:
        sources = known((partition.program.sources or ()) if partition.program else ())
        seen: dict[Path, Span] = {}
        for name, span in sources:
            if Path(name) in seen:
                text = f"the source '{Path(name)}' stands twice"
                first = at(seen[Path(name)], "listed here")
                problems.error("P055", text, at(span, "again"), first, help="remove one of the two")
            seen.setdefault(Path(name), span)


def no_sources(scope: Scope, problems: Collector) -> None:
    """P052: an empty list of sources."""
    for partition in scope.layout.partitions:
        program = partition.program
        if program is not None and program.sources == ():
            text, help = f"'{partition.name}' has an empty list of sources", "write sources: [main.c]"
            problems.error(
                "P052", text, at(program.span, "nothing to compile"), at(partition.span, "this partition"), help=help
            )


def unknown_builtin(scope: Scope, problems: Collector) -> None:
    """P053: a built-in program that the tool does not have."""
    for partition in scope.layout.partitions:
        builtin = partition.program.builtin if partition.program else None
        if builtin is not None and builtin.value is not None and builtin.value not in builtins():
            text = f"there is no built-in program '{builtin.value[:40]}'"
            help = suggestion(builtin.value, builtins(), "built in")
            problems.error("P053", text, at(builtin.span, "unknown"), at(partition.span, "program of this"), help=help)


def macro_name(scope: Scope, problems: Collector) -> None:
    """P056: `define` with a name that C cannot have."""
    for partition in scope.layout.partitions:
        for name, _ in partition.program.define if partition.program else ():
            if name.value is not None and not _MACRO.fullmatch(name.value):
                proper = re.sub(r"\W", "_", name.value)
                proper = f"_{proper}" if proper[:1].isdigit() or not proper else proper
                text = f"'{name.value[:40]}' is not the name of a C macro"
                here = at(partition.span, "in this partition")
                problems.error("P056", text, at(name.span, "not a name in C"), here, help=f"for example {proper}")


def config_file(scope: Scope, problems: Collector) -> None:
    """P050: a configuration file that is not there. P058: a folder, or one whose name is too long to be found by."""
    longest = constants()["LIMIT_NAME"]
    for partition in scope.layout.partitions:
        for name, span in known(partition.config):
            if _missing_file(scope, name, span, partition.span, "configuration", problems):
                continue
            path = scope.layout.folder / name
            here = at(partition.span, "configuration of this")
            if not files.is_file(path):
                problems.error(
                    "P058", f"'{name}' is not a file", at(span, "a file is expected"), here, help="name one file"
                )
            elif len(path.name.encode()) > longest:
                over = len(path.name.encode()) - longest
                text = f"the program could not find '{path.name}': the name is {over} bytes too long"
                problems.error("P058", text, at(span, "too long"), here, help=f"at most {longest} bytes")


def config_twice(scope: Scope, problems: Collector) -> None:
    """P059: two configuration files that the program would find under one name."""
    for partition in scope.layout.partitions:
        seen: dict[str, Span] = {}
        for name, span in known(partition.config):
            found = Path(name).name
            if found in seen:
                text = f"'{partition.name}' has two configurations named '{found}'"
                first = at(seen[found], "here")
                problems.error("P059", text, at(span, "and here"), first, help="rename one of the files")
            seen.setdefault(found, span)


def config_fits(scope: Scope, problems: Collector) -> None:
    """P060: configuration larger than the addresses for it."""
    room = constants()["DEVICE_ADDRESS"] - constants()["CONFIG_ADDRESS"]
    for partition in scope.layout.partitions:
        found = [(scope.layout.folder / name, span) for name, span in known(partition.config)]
        sizes = [(path.stat().st_size, span) for path, span in found if files.is_file(path)]
        total = sum(size for size, _ in sizes)
        if total > room:
            size, span = max(sizes, key=lambda each: each[0])
            text = f"the configuration of '{partition.name}' has {format_size(total)}, at most {format_size(room)} fit"
            help = f"the largest file has {format_size(size)}; {format_size(total - room)} must go"
            problems.error("P060", text, at(span, "the largest"), at(partition.span, "of this partition"), help=help)


CHECKS = (
    program_file,
    source_files,
    source_twice,
    no_sources,
    unknown_builtin,
    macro_name,
    config_file,
    config_twice,
    config_fits,
)

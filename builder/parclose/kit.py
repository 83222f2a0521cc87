# SPDX-License-Identifier: Apache-2.0
"""The folder for programs built elsewhere: what they include, what they are linked with, and how, for several builders.

Nothing in it names a place: its own files find each other from wherever it stands.
"""

from __future__ import annotations

import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from parclose import paths, tools
from parclose.errors import UsageError
from parclose.model import Kit, Partition, Role, System

MARK = "parclose.pc"  # by this file a folder is known as an earlier kit
_CXX_FLAGS = ("-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics")  # nobody unwinds, and there is one thread
_LIBRARIES = "-l:start.o -lparclose -lgcc"  # after the program's own objects; -l:NAME finds a file by -L (ld manual)


def must_be_kit(out: Path) -> None:
    """Raise `UsageError` where `out` holds something else: files of a kit have common names, and would replace it."""
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise UsageError(f"{out} holds other files, and no earlier kit", "name a new folder: -o kit")


def files(system: System, kit: Kit, linker_flags: tuple[str, ...]) -> dict[str, bytes]:
    """Everything in the kit's folder, by path. Raises what the archiver makes `tools.run` raise."""
    facts = {
        "layout": system.path.name,
        "version": version("parclose"),
        "flags": kit.flags,
        "cxx_flags": _CXX_FLAGS,
        "link_flags": _link_flags(linker_flags),
        "libraries": _LIBRARIES,
        "partitions": [_names(system, each) for each in system.partitions if each.role is Role.GUEST],
    }
    made = {name: path.read_bytes() for name, path in kit.headers.items()}
    made |= {"start.o": kit.start.read_bytes(), "libparclose.a": _archive(kit)}
    made |= {"partition.ld": kit.script.read_bytes()}
    made |= {name: _fill(name, facts) for name in ("compile.flags", "compile-c++.flags", "link.flags")}
    made |= {name: _fill(name, facts) for name in ("parclose.cmake", "README.md", MARK)}
    return made


def _link_flags(words: tuple[str, ...]) -> tuple[str, ...]:
    """The linker's own `words` as the compiler's driver takes them.

    A script's bare name is looked for by -L, too. Of a library that stands before ours, `main` has to be asked for.
    """
    return "-static", "-no-pie", "-nostdlib", f"-Wl,{','.join((*words, '-u', 'main', '-T', 'partition.ld'))}"


def _archive(kit: Kit) -> bytes:
    """The runtime as a library: a program carries what it uses."""
    with tempfile.TemporaryDirectory(prefix="parclose-") as folder:
        members = []
        for name, built in sorted(kit.library.items()):
            members.append(f"{name}.o")
            Path(folder, members[-1]).write_bytes(built.read_bytes())
        tools.run(["ar", "rcsD", "libparclose.a", *members], cwd=Path(folder))  # D: no dates, no owners
        return Path(folder, "libparclose.a").read_bytes()


def _names(system: System, partition: Partition) -> dict[str, Any]:
    """What `partition` finds by name."""
    name = partition.name
    ends = [each.client_name for each in system.channels if each.client == name]
    ends += [each.server_name for each in system.channels if each.server == name]
    shared = [each.name for each in system.regions if name in (each.writer, *each.readers)]
    return {
        "name": name,
        "channels": ends,
        "devices": partition.devices,
        "regions": shared,
        "configs": [each.name for each in partition.config],
    }


def _fill(name: str, facts: dict[str, Any]) -> bytes:
    environment = Environment(
        loader=FileSystemLoader(paths.data("templates", "kit")),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    return environment.get_template(f"{name}.j2").render(facts).encode()

# SPDX-License-Identifier: Apache-2.0
"""Runs the compiler at most once for the same source, headers, flags and compiler.

For each source the cache keeps a *record*: the files that the compiler read, with their hashes, the places where it
would have found a header first, what it warned of, and the name of the result. A record answers without the compiler
as long as those files are unchanged and those places empty. Results are named by their own hash.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parclose import paths, tools
from parclose.errors import MissingTool, ParcloseError

_FORMAT = "2"  # of the records; raise it when what they mean changes
_FOLDER_FLAGS = ("-I", "-iquote", "-isystem", "-idirafter")  # GCC manual, "Options for Directory Search"
# Words that take in a file, or ask whether there is one, unseen by the compiler's rules (as: .incbin, .include).
_UNSEEN = (b".incbin", b".include", b"__has_include")


@dataclass(frozen=True)
class Unit:
    """One run of the compiler: `flags` say what is made. `root` is the folder it runs in and that no result names.

    With `text` the source is that text and `source` only its name.
    """

    source: Path
    flags: tuple[str, ...]
    root: Path
    text: str | None = None


@dataclass(frozen=True)
class Made:
    """What a run of the compiler left: a file of the cache, and what it said though it succeeded."""

    path: Path
    messages: str


def compile_units(units: Iterable[Unit]) -> dict[Unit, Path]:
    """The result of each of `units`, as files in the cache; warnings go to standard error, from the cache too.

    Raises `ParcloseError` with the compiler's message.
    """
    wanted = list(dict.fromkeys(units))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = dict(zip(wanted, pool.map(compile_unit, wanted), strict=True))
    for messages in dict.fromkeys(each.messages for each in made.values() if each.messages):
        tools.tell(messages)
    return {unit: each.path for unit, each in made.items()}


def compile_unit(unit: Unit) -> Made:
    """The result of `unit`. Raises `ParcloseError` with the compiler's message."""
    words = [_FORMAT, tool("gcc"), tool("as"), str(unit.root), *unit.flags, str(unit.source), unit.text or ""]
    record = paths.cache() / "records" / f"{digest(json.dumps(words).encode())}.json"
    return _recorded(record) or _compile(unit, record)


@functools.cache
def tool(name: str) -> str:
    """What tells the installed program `name` from another version: its file, size and date. Raises `MissingTool`.

    Asking the program itself would take longer than everything else that a build from the cache does.
    """
    found = shutil.which(name)
    if found is None:
        raise MissingTool(f"{name} is not installed", tools.install_hint(name))
    status = os.stat(found)
    return f"{os.path.realpath(found)} {status.st_size} {status.st_mtime_ns}"


def digest(data: bytes) -> str:
    """A name for `data`."""
    return hashlib.sha256(data).hexdigest()[:32]


def keep(folder: str, name: str, data: bytes) -> Path:
    """Store `data` in the cache under `folder`/`name`, whole or not at all. Raises `ParcloseError`."""
    target = paths.cache() / folder / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as beside:
            beside.write(data)
        os.replace(beside.name, target)
    except OSError as problem:
        message = f"the cache {paths.cache()} cannot be written: {problem.strerror}"
        raise ParcloseError(message, "set XDG_CACHE_HOME to a folder that can") from problem
    return target


def _recorded(record: Path) -> Made | None:
    """What `record` names, if every file it was made from is as it was and no header stands before one of them."""
    try:
        found = json.loads(record.read_bytes())
        made = Made(paths.cache() / "objects" / str(found["result"]), str(found["messages"]))
        fresh = all(_file_digest(path) == known for path, known in found["files"])
        shadowed = any(os.path.exists(path) for path in found["absent"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return made if fresh and not shadowed and made.path.is_file() else None


@functools.cache
def _digest_at(path: str, _modified: int, _size: int) -> str:
    return digest(Path(path).read_bytes())


def _file_digest(path: str) -> str:
    """The hash of a file, computed once for each state that the file is seen in."""
    status = os.stat(path)
    return _digest_at(path, status.st_mtime_ns, status.st_size)


def _compile(unit: Unit, record: Path) -> Made:
    messages: list[str] = []
    with tempfile.TemporaryDirectory(prefix="parclose-") as folder:
        result, rules = Path(folder) / "result", Path(folder) / "rules"
        command: list[str | Path] = ["gcc", *unit.flags, "-MD", "-MF", rules, "-MT", "result", "-o", result]
        if unit.text is None:
            tools.run([*command, unit.source], cwd=unit.root, messages=messages)
        else:
            tools.run([*command, "-x", "c", "-"], cwd=unit.root, stdin=unit.text, messages=messages)
        data = result.read_bytes()
        files = [str(unit.root / name) for name in _dependencies(os.fsdecode(rules.read_bytes())) if name != "-"]
    made = Made(keep("objects", digest(data), data), "".join(messages))
    if not any(_takes_in_unseen(file) for file in files):
        keep("records", record.name, json.dumps(_record(unit, files, made)).encode())
    return made


def _record(unit: Unit, files: list[str], made: Made) -> dict[str, Any]:
    return {
        "files": [[file, _file_digest(file)] for file in files],
        "absent": _places_before(unit, files),
        "result": made.path.name,
        "messages": made.messages,
    }


def _places_before(unit: Unit, files: list[str]) -> list[str]:
    """Every place, empty now, where a header of the name of one of `files` might be found in its stead.

    The order of the folders is not asked for: a place too many costs a run of the compiler, no more.
    """
    folders = dict.fromkeys([*_include_folders(unit), *(os.path.dirname(file) for file in files)])
    names = {file[len(folder) + 1 :] for file in files for folder in folders if file.startswith(f"{folder}/")}
    places = sorted(f"{folder}/{name}" for folder in folders for name in names)
    return [place for place in places if not os.path.exists(place)]


def _include_folders(unit: Unit) -> Iterator[str]:
    yield str(unit.root)
    for flag, after in zip(unit.flags, (*unit.flags[1:], ""), strict=True):
        for name in _FOLDER_FLAGS:
            if flag.startswith(name):
                yield str(unit.root / (flag.removeprefix(name) or after))


def _takes_in_unseen(file: str) -> bool:
    """Whether the result of `file` may depend on more than the compiler's rules list: then it is not recorded."""
    content = Path(file).read_bytes()
    return any(word in content for word in _UNSEEN)


def _dependencies(rules: str) -> list[str]:
    """The files after the colon of a rule that the compiler wrote for make."""
    names = re.split(r"(?<!\\)\s+", rules.replace("\\\n", " ").partition(":")[2].strip())
    return [name.replace("\\ ", " ").replace("\\#", "#").replace("$$", "$") for name in names if name]

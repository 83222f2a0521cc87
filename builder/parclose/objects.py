# SPDX-License-Identifier: Apache-2.0
"""Runs the compiler at most once for the same source, headers, flags and compiler.

For each source the cache keeps a *record*: the files that the compiler read, with their hashes, and the name of the
result. A record whose files are all unchanged answers without the compiler. Results are named by their own hash.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from parclose import paths, tools
from parclose.errors import MissingTool, ParcloseError

_FORMAT = "1"  # of the records; raise it when what they mean changes


@dataclass(frozen=True)
class Unit:
    """One run of the compiler: `flags` say what is made. `root` is the folder it runs in and that no result names.

    With `text` the source is that text and `source` only its name.
    """

    source: Path
    flags: tuple[str, ...]
    root: Path
    text: str | None = None


def compile_units(units: Iterable[Unit]) -> dict[Unit, Path]:
    """The result of each of `units`, as files in the cache. Raises `ParcloseError` with the compiler's message."""
    wanted = list(dict.fromkeys(units))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(wanted, pool.map(compile_unit, wanted), strict=True))


def compile_unit(unit: Unit) -> Path:
    """The result of `unit` as a file in the cache. Raises `ParcloseError` with the compiler's message."""
    words = [_FORMAT, tool("gcc"), str(unit.root), *unit.flags, str(unit.source), unit.text or ""]
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


def _recorded(record: Path) -> Path | None:
    """The result that `record` names, if every file it was made from is as it was."""
    try:
        found = json.loads(record.read_bytes())
        result = paths.cache() / "objects" / str(found["result"])
        fresh = all(_file_digest(path) == known for path, known in found["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return result if fresh and result.is_file() else None


@functools.cache
def _digest_at(path: str, _modified: int, _size: int) -> str:
    return digest(Path(path).read_bytes())


def _file_digest(path: str) -> str:
    """The hash of a file, computed once for each state that the file is seen in."""
    status = os.stat(path)
    return _digest_at(path, status.st_mtime_ns, status.st_size)


def _compile(unit: Unit, record: Path) -> Path:
    with tempfile.TemporaryDirectory(prefix="parclose-") as folder:
        result, rules = Path(folder) / "result", Path(folder) / "rules"
        command: list[str | Path] = ["gcc", *unit.flags, "-MMD", "-MF", rules, "-MT", "result", "-o", result]
        if unit.text is None:
            tools.run([*command, unit.source], cwd=unit.root)
        else:
            tools.run([*command, "-x", "c", "-"], cwd=unit.root, stdin=unit.text)
        data = result.read_bytes()
        files = [str(unit.root / name) for name in _dependencies(rules.read_text()) if name != "-"]
    made = keep("objects", digest(data), data)
    if not any(_includes_bytes(file) for file in files):
        known = [[file, _file_digest(file)] for file in files]
        keep("records", record.name, json.dumps({"files": known, "result": made.name}).encode())
    return made


def _includes_bytes(file: str) -> bool:
    """Whether `file` may take in another one unseen by the compiler's rules: then its result is not recorded."""
    return b".incbin" in Path(file).read_bytes()


def _dependencies(rules: str) -> list[str]:
    """The files after the colon of a rule that the compiler wrote for make."""
    names = re.split(r"(?<!\\)\s+", rules.replace("\\\n", " ").partition(":")[2].strip())
    return [name.replace("\\ ", " ").replace("\\#", "#").replace("$$", "$") for name in names if name]

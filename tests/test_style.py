# SPDX-License-Identifier: Apache-2.0
"""The rules of the house that a machine can check: linters, formatters, licences, and who may know whom."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "builder" / "parclose"
SOURCE = {".py", ".c", ".h", ".S", ".j2", ".sh", ".yaml"}
C_FOLDERS = ("abi", "monitor_asm", "partitions", "examples", "tests")

# What every module may import: values, errors, and the modules that alone touch ELF files, subprocesses and paths.
COMMON = {"model", "errors", "paths", "tools", "elf", "constants"}
# Each family of modules is one stage (or one tool) of several files; a stage knows itself and COMMON.
FRONT = {"check", "problems", "render", "codes", "explain", "wording"}
PIPELINE = {"pipeline"}
COMMAND_LINE = {"__main__", "cli", "commands", "testing"}


def tracked(*suffixes: str) -> list[Path]:
    """The repository's own files with one of `suffixes`; all files where there is no git."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = [ROOT / name for name in done.stdout.split("\0") if name]
    return [file for file in files if file.suffix in suffixes and file.is_file()]


def python(*words: str) -> str:
    """Run a Python tool of the virtual environment; what it complains about, "" when it is content."""
    done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, timeout=300)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_ruff_finds_nothing() -> None:
    assert python("ruff", "check", ".") == ""


def test_ruff_has_nothing_to_format() -> None:
    assert python("ruff", "format", "--check", ".") == ""


def test_mypy_strict_finds_nothing() -> None:
    assert python("mypy") == ""


def test_clang_format_has_nothing_to_format() -> None:
    files = [str(file) for file in tracked(".c", ".h")]
    assert files
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[:4000]


def test_every_source_file_names_its_licence_first() -> None:
    def first(file: Path) -> str:
        lines = file.read_text().splitlines()[:3]
        return " ".join(lines[:2] if lines and lines[0].startswith("#!") else lines[:1])

    bare = [
        str(file.relative_to(ROOT))
        for file in tracked(*SOURCE)
        if "SPDX-License-Identifier: Apache-2.0" not in first(file)
    ]
    assert [name for name in bare if "tests/layouts/" not in name] == []


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in tracked(*SOURCE)}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_no_function_is_longer_than_40_lines() -> None:
    long = []
    for file in tracked(".py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                long += [f"{file.name}:{node.lineno} {node.name} {length}"] if length > 40 else []
    assert long == []


def modules_of(file: Path) -> set[str]:
    """The modules of the package that `file` imports, by their first name below parclose."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("parclose.")}
        elif isinstance(node, ast.ImportFrom) and node.module == "parclose":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("parclose."):
            found.add(str(node.module).split(".")[1])
    return found


def includes_of(file: Path) -> set[str]:
    return set(re.findall(r'^\s*#\s*include\s+"([^"]+)"', file.read_text(), re.MULTILINE))


@pytest.mark.parametrize("folder", ["monitor_asm", "partitions", "abi"])
def test_ring_0_and_ring_3_know_the_contract_and_not_each_other(folder: str) -> None:
    allowed = {"monitor_asm": {"monitor_asm", "abi"}, "partitions": {"partitions", "abi"}, "abi": {"abi"}}[folder]
    files = [file for file in tracked(".c", ".h", ".S") if file.is_relative_to(ROOT / folder)]
    assert files
    wrong = []
    for file in files:
        for name in includes_of(file):
            homes = {
                home for home in ("monitor_asm", "partitions", "abi") if list((ROOT / home).rglob(Path(name).name))
            }
            if (file.parent / name).exists():
                homes = {(file.parent / name).resolve().relative_to(ROOT).parts[0]}
            wrong += [] if homes & allowed else [f"{file.relative_to(ROOT)} includes {name} of {homes or 'nowhere'}"]
    assert wrong == []

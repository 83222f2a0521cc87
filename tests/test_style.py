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

# The stages of a build, and what writes its outputs: functions from value to value, brought together by the pipeline.
STAGES = ("check", "fetch", "program_checks", "compile", "link", "plan", "pagetables", "generate", "image", "audit")
STAGES += ("disk", "report", "image_map", "publish")


def folders() -> list[str]:
    """The folders of the repository. What else stands in a clone, such as the reader's own `mything`, is not judged."""
    return sorted({name.split("/")[0] for name in _listed("--cached") if "/" in name})


def _listed(*which: str) -> list[str]:
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--exclude-standard", *which],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in done.stdout.split("\0") if name]


def tracked(*suffixes: str) -> list[Path]:
    """The repository's own files with one of `suffixes`, but for the layouts that are broken on purpose."""
    files = [ROOT / name for name in _listed("--cached", "--others", "--", *folders())]
    broken = ROOT / "tests" / "layouts"
    return [file for file in files if file.suffix in suffixes and file.is_file() and not file.is_relative_to(broken)]


def python(*words: str) -> str:
    """Run a Python tool of the virtual environment; what it complains about, "" when it is content."""
    done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, timeout=900)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_ruff_finds_nothing() -> None:
    assert python("ruff", "check", *folders()) == ""


def test_ruff_has_nothing_to_format() -> None:
    assert python("ruff", "format", "--check", *folders()) == ""


def test_mypy_strict_finds_nothing() -> None:
    assert python("mypy") == ""


def test_clang_format_has_nothing_to_format() -> None:
    files = [str(file) for file in tracked(".c", ".h")]
    assert files
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[:4000]


def test_every_source_file_names_its_licence_first() -> None:
    def first(file: Path) -> str:
        lines = file.read_text().splitlines()[:2]
        # a template's first line is the generated file's, which names the layout
        return " ".join(lines if lines and (lines[0].startswith("#!") or file.suffix == ".j2") else lines[:1])

    bare = [
        str(file.relative_to(ROOT))
        for file in tracked(*SOURCE)
        if "SPDX-License-Identifier: Apache-2.0" not in first(file)
    ]
    layouts = [name for name in bare if name.startswith("tests/") and name.endswith(".yaml")]  # data, not source
    assert sorted(set(bare) - set(layouts)) == []


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


def package() -> dict[str, set[str]]:
    """For each module or folder of the package, what it imports of the others."""
    found: dict[str, set[str]] = {}
    for file in PACKAGE.rglob("*.py"):
        name = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        found.setdefault(name, set()).update(modules_of(file) - {name})
    return found


def test_only_the_pipeline_imports_stages() -> None:
    users = {stage: {name for name, known in package().items() if stage in known} for stage in STAGES}
    allowed = {"pipeline"}
    assert {stage: names - allowed for stage, names in users.items() if names - allowed} == {"check": {"commands"}}


def test_nothing_imports_the_command_line_but_itself_and_the_plugin() -> None:
    users = {name for name, known in package().items() if known & {"__main__", "cli", "commands", "testing"}}
    assert users <= {"__main__", "cli", "commands", "testing"}


def test_processes_are_started_in_few_places() -> None:
    starters = {
        file.relative_to(PACKAGE).parts[0] for file in PACKAGE.rglob("*.py") if "import subprocess" in file.read_text()
    }
    assert starters == {"tools.py", "emulator.py", "doctor.py"}


def test_elf_files_are_opened_in_few_places() -> None:
    readers = {
        file.relative_to(PACKAGE).parts[0] for file in PACKAGE.rglob("*.py") if "from elftools" in file.read_text()
    }
    # inspect reads images with nothing of what made them
    assert readers <= {"elf.py", "dwarf.py", "inspect"}


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = package()
    reached = {name: set(known) for name, known in graph.items()}
    for _ in graph:
        for known in reached.values():
            known |= set().union(*(reached.get(name, set()) for name in known)) if known else set()
    assert sorted(name for name, known in reached.items() if name in known) == []

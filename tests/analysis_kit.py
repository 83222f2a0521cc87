# SPDX-License-Identifier: Apache-2.0
"""What static analysis says of our own C, and the answers in `analysis.md` beside the code."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from parclose import compile as compiler
from parclose.objects import Unit

ROOT = Path(__file__).resolve().parent.parent
GROUPS = ("monitor_asm", "partitions/runtime", "partitions/manager", "partitions/io", "partitions/kit")
ANSWERS = ("monitor_asm/analysis.md", "partitions/analysis.md")

_GCC = ("-Wall", "-Wextra", "-fanalyzer", "-fdiagnostics-plain-output", "-fdiagnostics-path-format=none")
_CPPCHECK = (
    *("cppcheck", "--quiet", "--platform=unix64", "--std=c11", "--enable=warning,style,performance,portability"),
    "--template={file}:{line}:0: {severity}: {message} [{id}]",
    "--suppress=unusedStructMember",  # formats of devices and loaders have members that nobody asks for
    "--suppress=shadowFunction",  # a name taken for a variable cannot be called: that does not compile
)
_LINE = re.compile(r"(?P<file>[^:\s][^:]*):(?P<line>\d+):\d+: \w+: .*\[(?P<alarm>[\w=-]+)\]")
_ROW = re.compile(r"\| (gcc|cppcheck) \| `([^`]+)` \| `([^`]+)` \| `(.+)` \| ([^|]{20,}) \|")


@dataclass(frozen=True, order=True)
class Alarm:
    """What `tool` complains of. `text` is the line of code: unlike its number it changes only when the code does."""

    tool: str
    file: str
    alarm: str
    text: str

    def row(self) -> str:
        """The start of the row that answers it."""
        text = self.text.replace("|", "\\|")
        return f"| {self.tool} | `{self.file}` | `{self.alarm}` | `{text}` |"


def units(group: str, monitor: Path = ROOT / "monitor_asm") -> list[Unit]:
    """The C files of `group` with the flags that a build compiles them with; `monitor` may be a changed copy."""
    if group == "monitor_asm":
        found = compiler._monitor_units(monitor)
    else:
        found = compiler._folder_units(ROOT / group, ROOT / "partitions")
    return [unit for unit in found if unit.source.suffix == ".c"]


def analyse(tool: str, unit: Unit) -> set[Alarm]:
    """What `tool` says of one file and the headers it includes. Raises `AssertionError` where it does not work."""
    includes = [flag for flag in unit.flags if flag.startswith(("-I", "-D"))]
    words = {
        "gcc": ["gcc", *unit.flags, *_GCC, "-o", os.devnull, str(unit.source)],
        "cppcheck": [*_CPPCHECK, *includes, str(unit.source)],
    }[tool]
    done = subprocess.run(
        words, cwd=unit.root, capture_output=True, text=True, timeout=120, env={**os.environ, "LC_ALL": "C"}
    )
    assert done.returncode == 0, done.stderr
    found = set(_alarms(tool, done.stderr, unit.root.parent if unit.root.name == "monitor_asm" else ROOT))
    assert found or not done.stderr.strip(), f"this was not understood: {done.stderr}"
    return found


def _alarms(tool: str, text: str, root: Path) -> Iterator[Alarm]:
    for match in _LINE.finditer(text):
        file = Path(match["file"]).resolve()
        line = file.read_text().splitlines()[int(match["line"]) - 1]
        place = file.relative_to(root if file.is_relative_to(root) else ROOT)
        yield Alarm(tool, str(place), match["alarm"], line.strip())


def answered(files: Sequence[str] = ANSWERS) -> dict[Alarm, str]:
    """Each alarm that has an answer, and the answer. Raises `AssertionError` for a row that is none."""
    found = {}
    for name in files:
        for line in (ROOT / name).read_text().splitlines():
            if not line.startswith(("| gcc", "| cppcheck")):
                continue
            match = _ROW.fullmatch(line)
            assert match, f"{name}: not tool, file, alarm, line, answer: {line}"
            tool, file, alarm, code, answer = match.groups()
            found[Alarm(tool, file, alarm, code.replace("\\|", "|"))] = answer
    return found

# SPDX-License-Identifier: Apache-2.0
"""The one place that starts other programs to their end (QEMU is started by `emulator`)."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from parclose.errors import MissingTool, ParcloseError

verbose = False

# GCC manual, "Environment Variables": folders of headers that no record of ours knows, and lists written elsewhere.
_NOT_PASSED_ON = ("CPATH", "C_INCLUDE_PATH", "DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES")

_PACKAGES = {
    "gcc": "gcc",
    "ar": "binutils",
    "as": "binutils",
    "ld": "binutils",
    "objdump": "binutils",
    "qemu-system-x86_64": "qemu-system-x86",
}


def install_hint(program: str) -> str:
    """The line that installs `program` on Debian."""
    return f"apt-get install --no-install-recommends -y {_PACKAGES.get(program, program)}"


def tell(text: str) -> None:
    """Pass on what a program said: on standard error, in one piece, for threads write there."""
    sys.stderr.write(text)


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    stdin: str | None = None,
    messages: list[str] | None = None,
) -> str:
    """Run `command` to its end and return its standard output; `messages` gets what it said on standard error.

    The environment is what makes outputs repeatable: LC_ALL=C, TZ=UTC, and none of the variables that add folders of
    headers. Raises `MissingTool` when the program is not installed and `ParcloseError` with the command, ready to
    paste, when it fails.
    """
    words = [str(word) for word in command]
    if verbose:
        tell(f"{shlex.join(words)}\n")
    environment = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
    environment |= {"LC_ALL": "C", "TZ": "UTC", "SOURCE_DATE_EPOCH": "0"}
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            input=stdin,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",  # a compiler shows lines of sources as they are, whatever they are written in
            check=False,
        )
    except FileNotFoundError as missing:
        raise MissingTool(f"{words[0]} is not installed", install_hint(words[0])) from missing
    if done.returncode != 0:
        place = f" (in {cwd})" if cwd else ""
        raise ParcloseError(
            f"{done.stderr.strip() or done.stdout.strip()}", f"the command was{place}: {shlex.join(words)}"
        )
    if messages is not None and done.stderr:
        messages.append(done.stderr)
    return done.stdout

# SPDX-License-Identifier: Apache-2.0
"""The runtime's pure C on the host, under sanitizers: rings, sessions, text, time, and the clients of a channel.

The monitor's calls are those of `host/runtime_fake.c`, compiled in their place.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOST = ROOT / "tests" / "host"
RUNTIME = ROOT / "partitions" / "runtime"

# -iquote: abi/limits.h must not stand before the C library's <limits.h>.
FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined"]
FLAGS += ["-fno-sanitize-recover=all", "-iquote", str(ROOT / "abi"), "-I", str(RUNTIME), "-I", str(HOST)]

RINGS = ["virtqueue.c", "session.c"]
FAKE = [*RINGS, "clock.c", "event.c"]
TESTS = {
    "virtqueue": ["virtqueue.c"],
    "session": ["session.c"],
    "format": ["format.c"],
    "string": [],
    "clock": FAKE,
    "pair": [*FAKE, "pair.c", "pair_client.c", "pair_server.c", "peer.c"],
    "console": [*FAKE, "pair.c", "pair_client.c", "pair_server.c", "console.c"],
    "block": [*FAKE, "block.c", "block_transfer.c"],
}

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, " ".join(command) + "\n" + done.stdout + done.stderr


@pytest.mark.parametrize("name", TESTS)
def test_runtime(name: str, tmp_path: Path) -> None:
    """Compile and run one host test; it ends with 0 or says which line of it is not so."""
    sources = [str(HOST / f"runtime_{name}.c"), *(str(RUNTIME / source) for source in TESTS[name])]
    fake = ["-include", str(HOST / "runtime_fake.h"), str(HOST / "runtime_fake.c")] if "clock.c" in TESTS[name] else []
    program = tmp_path / name
    _run(["gcc", *FLAGS, *fake, *sources, "-o", str(program)], tmp_path)
    _run([str(program)], tmp_path)


def test_every_host_test_is_run() -> None:
    """No file is forgotten here."""
    present = {path.stem.removeprefix("runtime_") for path in HOST.glob("runtime_*.c")} - {"fake"}
    assert present == set(TESTS)

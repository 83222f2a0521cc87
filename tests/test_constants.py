# SPDX-License-Identifier: Apache-2.0
"""The numbers of the contract reach Python through the headers alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

from parclose import paths
from parclose.constants import constants, parse


def test_expressions_suffixes_and_comments() -> None:
    text = """
    #define BASE 0x1000ull /* a comment
                              over two lines */
    #define ABOVE (BASE + 0x20)
    #define SHIFTED (1u << 4)
    #define GUARD
    #define CALL(x) (x)
    #define WORD "text"
    #define UNKNOWN (NOT_DEFINED + 1)
    """
    assert parse(text) == {"BASE": 0x1000, "ABOVE": 0x1020, "SHIFTED": 16}


def test_the_compiler_agrees(tmp_path: Path) -> None:
    wanted = {name: value for name, value in constants().items() if name.startswith(("LIMIT_", "FRAME_", "LOCAL_"))}
    lines = [f'_Static_assert(({name}) == {value:#x}, "{name}");' for name, value in wanted.items()]
    headers = [f'#include "{name}"' for name in ("limits.h", "address.h")]
    source = tmp_path / "agree.c"
    source.write_text("\n".join(headers + lines) + "\n")
    subprocess.run(["gcc", "-std=c17", "-fsyntax-only", f"-I{paths.data('abi')}", str(source)], check=True)
    assert len(wanted) > 25

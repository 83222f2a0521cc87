# SPDX-License-Identifier: Apache-2.0
"""Where the cache is: what the user says, else in the home, else nowhere for longer than the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from parclose import paths

FIND = "import os; from parclose import paths; found = paths.cache(); assert found == paths.cache(); print(found)"


def test_the_cache_is_where_the_user_says_else_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "not made yet"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert paths.cache() == tmp_path / "not made yet" / ".cache" / "parclose"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "said"))
    assert paths.cache() == tmp_path / "said" / "parclose"


def test_without_a_home_that_can_be_written_it_goes_with_the_process(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    environment.pop("XDG_CACHE_HOME", None)
    script = (
        f"import os; os.access = lambda *_: False; {FIND}; assert found.is_dir() and found.stat().st_mode & 0o77 == 0"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "parclose-cache-"))
    assert list(tmp_path.iterdir()) == []

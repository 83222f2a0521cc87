# SPDX-License-Identifier: Apache-2.0
"""Sources that a layout fetches: what comes is what the layout names by its hash, or nothing is built from it."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parclose import fetch as stage
from parclose import paths, pipeline, tools
from parclose.check import check
from parclose.errors import ParcloseError
from parclose.model import System

Fetch = Callable[..., System]

LAYOUT = """
layout: 1
board: qemu-q35
partitions:
  page:
    program:
      sources: [main.c]
      fetch:
        package: number
        archive: number_1.orig.tar.xz
        sha256: {digest}
        licence: Apache-2.0
        include: [include]
        sources: [src/number.c]
"""
MAIN = '#include "number.h"\n#include "parclose.h"\nint main(void) { printf("%d\\n", number()); return 0; }\n'
FILES = {
    "number-1/include/number.h": "int number(void);\n",
    "number-1/src/number.c": '#include "number.h"\n#include "number_options.h"\nint number(void) { return NUMBER; }\n',
}


def packed(files: dict[str, str]) -> bytes:
    """An archive of these files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:xz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stage keeps what it fetched; objects are kept where they always are."""
    monkeypatch.setattr(stage, "paths", SimpleNamespace(cache=lambda: tmp_path / "cache"))
    return tmp_path / "cache" / "fetched"


@pytest.fixture
def fetch(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Fetch:
    """A function (archive, given=…): a layout that names `archive` goes through; the registry gives `given`."""

    def run(archive: bytes, given: bytes | None = b"") -> System:
        def registry(command: Any, **settings: Any) -> str:
            if command[0] == "apt-get":
                return "there\nthere\nelsewhere\n"
            if given is None or "elsewhere/pool/main/n/number/number_1.orig.tar.xz" not in command:
                raise ParcloseError("Could not connect", "")
            (settings["cwd"] / command[-1]).write_bytes(given or archive)
            return ""

        digest = hashlib.sha256(archive).hexdigest()
        (tmp_path / "layout.yaml").write_text(LAYOUT.format(digest=digest))
        (tmp_path / "main.c").write_text(MAIN)
        (tmp_path / "number_options.h").write_text("#define NUMBER 0x1234567\n")
        system, _ = check(tmp_path / "layout.yaml")
        assert system is not None
        with monkeypatch.context() as patch:
            patch.setattr(stage, "tools", SimpleNamespace(run=registry, tell=tools.tell))
            return stage.fetch(system)

    return run


def test_it_becomes_a_part_of_the_program_and_is_fetched_once(
    fetch: Fetch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(packed(FILES))
    assert "number_1.orig.tar.xz (Apache-2.0)" in capsys.readouterr().err
    made = pipeline.build(tmp_path / "layout.yaml", tmp_path / "out")  # asks nobody: no registry has such a package
    program = (made.image.parent / "partitions" / "page.elf").read_bytes()
    assert (0x1234567).to_bytes(4, "little") in program and b"number/src/number.c" in program
    assert str(tmp_path).encode() not in program


def test_another_archive_is_refused_and_not_kept(fetch: Fetch, cache: Path) -> None:
    changed = packed({**FILES, "number-1/src/number.c": "int number(void) { return 666; }\n"})
    with pytest.raises(ParcloseError, match="not the archive that the layout names") as caught:
        fetch(packed(FILES), changed)
    assert not isinstance(caught.value, stage.Unreachable) and list(cache.iterdir()) == []
    fetch(packed(FILES))


def test_without_a_network_it_says_where_to_put_the_file(fetch: Fetch) -> None:
    with pytest.raises(stage.Unreachable, match="Could not connect") as caught:
        fetch(packed(FILES), None)
    Path(caught.value.hint.split("put the file at ")[1]).write_bytes(packed(FILES))
    fetch(packed(FILES), None)


def test_a_file_that_is_not_in_it_is_named(fetch: Fetch) -> None:
    with pytest.raises(ParcloseError, match="has no 'include' in it"):
        fetch(packed({"number-1/src/number.c": ""}))


def test_what_is_no_archive_is_an_error_of_ours(fetch: Fetch, cache: Path) -> None:
    with pytest.raises(ParcloseError, match="cannot be unpacked"):
        fetch(b"no archive")
    assert [path.name for path in cache.iterdir()] == ["number_1.orig.tar.xz"]


@pytest.mark.parametrize("name", ["number-1/../../../escaped", "number-1/../escaped", "/number-1/../../escaped"])
def test_nothing_is_written_beside_the_cache(fetch: Fetch, tmp_path: Path, name: str) -> None:
    fetch(packed({**FILES, name: "out of the folder"}))
    assert not list(tmp_path.rglob("escaped"))


def test_the_example_fetches_into_the_web_servers_alone() -> None:
    system, _ = check(paths.data("examples", "web", "layout.yaml"))
    assert system is not None
    users = {each.name: each.program.fetch for each in system.partitions if each.program.fetch}
    assert set(users) == {"page", "twin"} and users["page"] == replace(users["twin"], folder=None)

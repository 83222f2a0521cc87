# SPDX-License-Identifier: Apache-2.0
"""`parclose run --stats`: what the servers counted, read out of the machine when it has ended or turned itself off."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from parclose import stats
from parclose.stats import Counted, Place
from parclose.testing.fixtures import require_qemu

LINE = Path(__file__).parent.parent / "examples" / "line" / "layout.yaml"
RECORDS = 64  # that each of the two guests writes and reads


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_qemu()
    return tmp_path_factory.mktemp("line")


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "parclose", "run", str(LINE), "-o", str(folder), "--fresh", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL)


def test_every_channel_to_a_server_has_its_counts(folder: Path) -> None:
    done = run(folder, "--stats", "--json")
    found = {(each["client"], each["channel"]): each for each in json.loads(done.stdout)["channels"]}
    assert {client for client, _ in found} == {"manager", "sensor", "logger", "intruder"}
    assert not any(channel in ("feed", "sensed") for _, channel in found)  # nobody serves it
    for client, endpoint in (("sensor", "records"), ("logger", "archive")):
        disk = found[client, "disk"]
        assert (disk["server"], disk["endpoint"], disk["class"]) == ("io", endpoint, "block")
        assert (disk["requests"], disk["bytes"], disk["errors"]) == (2 * RECORDS, 2 * RECORDS * 4096, 0)
        assert disk["refused"] == disk["dropped"] == {}
        assert 0 < disk["worst_ns"] < 60_000_000_000
        line = found[client, "console"]
        said = [text for text in done.stderr.splitlines() if text.startswith(f"{client}| ")]
        assert line["bytes"] == sum(len(text) - len(client) - 1 for text in said)


def test_for_a_reader_it_is_a_table(folder: Path) -> None:
    done = run(folder, "--stats")
    assert "sensor.disk" in done.stderr and "io.records" in done.stderr and f"{2 * RECORDS * 4096:,}" in done.stderr


def test_without_it_nothing_is_counted_aloud(folder: Path) -> None:
    done = run(folder, "--json")
    assert "channels" not in json.loads(done.stdout)


def test_reasons_stand_under_the_row() -> None:
    counts = {"requests": 3, "bytes": 12288, "received": 2, "received_bytes": 120, "errors": 1}
    place = Place("a", "disk", "io", "records", "block", 0)
    said = stats.text([Counted(place, counts, 1500, {"outside_extent": 4, "bad_ring": 1}, {"no_buffer": 7})])
    assert "a.disk" in said and " 5 " in said and "1.5 us" in said
    assert "received: 2, 120 bytes" in said
    assert "refused: outside extent 4, bad ring 1" in said and "dropped: no buffer 7" in said

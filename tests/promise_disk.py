# SPDX-License-Identifier: Apache-2.0
"""Promises about block endpoints: ranges, rights and disks. The disk holds the neighbour's data from 1 MiB on."""

from __future__ import annotations

from promise_kit import Promise, Run
from promise_layouts import on_disk
from promise_targets import ATTACKER, Target
from promise_verdicts import Verdict, nobody_escaped, others_unharmed

_SECTOR = 512
_SECRET = b"neighbour's data" * 32


def _over(run: Run) -> bool:
    return bool(run.of("ended", ATTACKER)) or bool(run.of("stopped"))


def _neighbours(run: Run) -> bytes:
    with open(run.disk, "rb") as file:
        file.seek(1 << 20)
        return file.read(_SECTOR)


def _refused(fair: int, words: str) -> Verdict:
    """Both deeds ended with an I/O error, and what stands on the host's disk from 1 MiB on is whole."""

    def judge(run: Run, targets: list[Target]) -> str:
        nobody_escaped(run)
        assert run.lines("fair") == ["fair 0"] * fair and run.lines("result") == ["result 2"] * 2, run.debug
        assert [each["status"] for each in run.of("ended", ATTACKER)] == [0], run.events
        others_unharmed(run)
        assert words in run.console and _neighbours(run) == _SECRET, (run.console, _neighbours(run))
        return "I/O error twice, the sector at 1 MiB of the host's disk unwritten"

    return judge


def _zeroed(run: Run, targets: list[Target]) -> str:
    assert "escaped zeroes written" in run.debug and _neighbours(run) == bytes(_SECTOR), (run.debug, _neighbours(run))
    return "the sector at 1 MiB of the host's disk is full of zeroes"


def _written(run: Run, targets: list[Target]) -> str:
    assert "escaped read 'neighbour's data'" in run.debug and _neighbours(run) == b"X" * _SECTOR, run.debug
    return "read 'neighbour's data' and overwrote it"


DISK = (
    Promise(
        "range-beyond",
        "no discard and no write of zeroes leaves its client's extent",
        "ranges_beyond.c",
        on_disk("ranges_beyond.c", "{block: nvme0, start: 0, size: 1 MiB}", "BEYOND"),
        "range-ends",
        _refused(1, ""),
        _zeroed,
        done=_over,
        needs_disk=True,
    ),
    Promise(
        "range-read-only",
        "no discard and no write of zeroes on an endpoint that is only read",
        "ranges_beyond.c",
        on_disk("ranges_beyond.c", "{block: nvme0, start: 1 MiB, size: 1 MiB, access: read}", "READS"),
        "convert-write",
        _refused(1, ""),
        _zeroed,
        done=_over,
        needs_disk=True,
    ),
    Promise(
        "disk-not-planned",
        "an endpoint by label is not served from another disk than the one planned",
        "not_planned.c",
        on_disk("not_planned.c", "{block: nvme0, partition: records, start: 1 MiB, size: 1 MiB}"),
        "disk-planned",
        _refused(0, "partition records: not served: the disk has no whole GUID partition table"),
        _written,
        done=_over,
        needs_disk=True,
    ),
)

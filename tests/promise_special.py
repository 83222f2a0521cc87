# SPDX-License-Identifier: Apache-2.0
"""Verdicts on whole stories: managers that assign wrongly, servers that keep buffers, sectors on a disk."""

from __future__ import annotations

from parclose.constants import constants
from promise_kit import Run
from promise_targets import Target
from promise_verdicts import GENERAL_PROTECTION, PAGE_FAULT, nobody_escaped, others_unharmed

_NOT_ASSIGNED, _ALREADY_ASSIGNED, _NOT_PERMITTED = 5, 6, 4
_STOPPED, _FREE = 2, 0  # enum partition_state; of a channel and a partition
_SECTOR = 512


def _live(run: Run, partition: str) -> tuple[int, int, int]:
    """State, refusal and life of a partition in the live state at the end."""
    (found,) = run.of("live", partition)
    return found["state"], found["refusal"], found["life"]


def _refusals(run: Run) -> list[tuple[str, str, int, str]]:
    return [(each["call"], each["partition"], each["status"], each["descriptor"]) for each in run.of("refused")]


def _ended_well(run: Run, *partitions: str) -> None:
    for name in partitions:
        assert [each["status"] for each in run.of("ended", name)] == [0], (name, run.events)
        assert _live(run, name) == (_STOPPED, 0, 1), (name, run.events)


def omits(run: Run, targets: list[Target]) -> str:
    """Only "two" does not start; its live state says why, and which descriptor was free stands in the report."""
    assert run.of("attempting") and run.of("end"), run.events
    assert _refusals(run) == [("start", "two", _NOT_ASSIGNED, "data")], run.events
    assert _live(run, "two") == (_FREE, _NOT_ASSIGNED, 0), run.events
    assert [each["owner"] for each in run.of("live-descriptor")] == [0], run.events
    _ended_well(run, "one", "three", "four")
    return "status 5 for 'two' alone, 'data', in its live state"


def omits_end(run: Run, targets: list[Target]) -> str:
    """Only "feed" and the partition without its end of it stay unusable."""
    assert run.of("attempting") and run.of("end"), run.events
    assert _refusals(run) == [("start", "two", _NOT_ASSIGNED, "feed")], run.events
    assert _live(run, "two") == (_FREE, _NOT_ASSIGNED, 0), run.events
    assert [each["state"] for each in run.of("live-channel")] == [_FREE], run.events
    assert f"one signals feed: {_NOT_ASSIGNED}" in run.debug, run.debug
    _ended_well(run, "one", "three", "four")
    return "status 5 for a signal on 'feed' and the start of 'two', nothing else"


def repeats(run: Run, targets: list[Target]) -> str:
    """The second assignment is refused, the first stands."""
    assert run.of("attempting") and run.of("end"), run.events
    assert _refusals(run) == [("assign", "two", _ALREADY_ASSIGNED, "data")], run.events
    _ended_well(run, "one", "two", "three", "four")
    return "status 6 for the second, all start"


def swaps(run: Run, targets: list[Target]) -> str:
    """Both assignments are refused; the two stay free and their partitions do not start."""
    assert run.of("attempting") and run.of("end"), run.events
    expected = [
        ("assign", "two", _NOT_PERMITTED, "data"),
        ("assign", "one", _NOT_PERMITTED, "data"),
        ("start", "one", _NOT_ASSIGNED, "data"),
        ("start", "two", _NOT_ASSIGNED, "data"),
    ]
    assert sorted(_refusals(run)) == sorted(expected), run.events
    for name in ("one", "two"):
        assert _live(run, name) == (_FREE, _NOT_ASSIGNED, 0), run.events
    _ended_well(run, "three", "four")
    return "status 4 twice, then 5 for the starts of 'one' and 'two' alone"


def starts(run: Run, targets: list[Target]) -> str:
    """In the control "two" starts with something unassigned."""
    assert run.of("attempting") and run.of("started", "two"), run.events
    assert [each["owner"] for each in run.of("live-descriptor")] == [0], run.events
    return "'two' started with a free descriptor"


def is_assigned_twice(run: Run, targets: list[Target]) -> str:
    """In the control nothing is refused."""
    assert run.of("attempting") and run.of("end") and not run.of("refused"), run.events
    return "assigned twice"


def is_swapped(run: Run, targets: list[Target]) -> str:
    """In the control the descriptor of "two" belongs to another."""
    assert run.of("attempting") and run.of("end") and not run.of("refused"), run.events
    (owner,) = (each["owner"] for each in run.of("live-descriptor"))
    (index,) = [number for number, each in enumerate(run.of("live")) if each["partition"] == "one"]
    assert owner == 1 + index, run.events
    return "the data of 'two' was assigned to 'one'"


def drains(run: Run, targets: list[Target]) -> str:
    """The client's second life begins only after the server's, which resets the device."""
    nobody_escaped(run)
    assert run.lines("attempting") and run.lines("status") == ["status 0"], run.debug
    story = [
        (each["event"], each["partition"], each["life"])
        for each in run.events
        if each.get("partition") in ("client", "server") and each["event"] in ("started", "stopped")
    ]
    assert story == [
        ("started", "server", 1),
        ("started", "client", 1),
        ("stopped", "client", 1),
        ("stopped", "server", 1),
        ("started", "server", 2),
        ("started", "client", 2),
    ], run.events
    assert "device reset in life 2" in run.debug, run.debug
    return "the client starts only after the server was restarted and its device reset"


def drained(run: Run) -> bool:
    """Whether the client has come to its second life."""
    return any(each["life"] == 2 for each in run.of("started", "client")) and (
        "device reset" in run.debug or bool(run.lines("escaped"))
    )


def stays_in_its_extent(run: Run, targets: list[Target]) -> str:
    """The server passed the request on, the monitor refused it; on the host's disk the neighbour's sector is whole."""
    nobody_escaped(run)
    assert run.lines("fair") == ["fair 0"], run.debug
    assert len(run.lines("attempting")) == 2 and run.lines("result") == ["result 2"] * 2, run.debug
    assert [each["status"] for each in run.of("ended", "attacker")] == [0], run.events
    others_unharmed(run)
    own, neighbours = _sectors(run)
    assert own.startswith(b"the last sector of our own extent"), own
    assert neighbours == b"neighbour's data" * 32, neighbours
    return "I/O error twice, the neighbour's sector unread and unwritten"


def reaches_the_neighbour(run: Run, targets: list[Target]) -> str:
    """In the control the neighbour's secret was read and its sector overwritten."""
    assert any("neighbour's data" in line for line in run.lines("escaped")), (run.debug, run.events)
    assert _sectors(run)[1] == b"X" * _SECTOR, run.debug
    return "read 'neighbour's data' and overwrote it"


def _sectors(run: Run) -> tuple[bytes, bytes]:
    """The last sector of the attacker's extent and the first of the neighbour's, on the host's disk."""
    with open(run.disk, "rb") as file:
        file.seek((1 << 20) - _SECTOR)
        return file.read(_SECTOR), file.read(_SECTOR)


def stays_interruptible(run: Run, targets: list[Target]) -> str:
    """CLI stopped the first life; in the second POPF left the flag alone and others had the processor."""
    nobody_escaped(run)
    stops = [(each["vector"], each["error"], each["life"]) for each in run.of("stopped", "attacker")]
    assert stops == [(GENERAL_PROTECTION, 0, 1)], (run.events, run.debug)
    assert run.lines("attempting") == ["attempting cli", "attempting popf"], run.debug
    assert "the flag stays, and others had the processor" in run.debug, run.debug
    assert [each["status"] for each in run.of("ended", "attacker")] == [0], run.events
    others_unharmed(run)
    return "#GP, error 0x0, for CLI; POPF leaves the flag, the loop is preempted"


def manager_is_refused(run: Run, targets: list[Target]) -> str:
    """Every wild call of the manager got the status that it expects, and the partitions then ran as ever."""
    found = [(each["expected"], each["found"]) for each in run.of("status")]
    assert len(found) == 64 and all(expected == status for expected, status in found), run.events
    assert len(run.of("attempting")) == len(found), run.events
    _ended_well(run, "one", "two", "three", "four")
    codes = ", ".join(str(code) for code in sorted({status for _, status in found}))
    return f"status {codes}, {len(found)} times"


def manager_reads_beyond(run: Run, targets: list[Target]) -> str:
    """In the control the monitor copied what stands behind its records to the manager."""
    found = [(each["expected"], each["found"]) for each in run.of("status")]
    assert run.of("attempting") and found[0] == (2, 0), run.events
    return "the record of a partition that does not exist was read"


def keeps_what_is_in_flight(run: Run, targets: list[Target]) -> str:
    """The client's releases were refused, and the server still counts its conversion after the client's end."""
    nobody_escaped(run)
    assert run.lines("attempting") and run.lines("status") == [f"status {_NOT_PERMITTED}"] * 2, run.debug
    assert "in flight: 1" in run.debug, (run.debug, run.events)
    assert [each["status"] for each in run.of("ended", "attacker")] == [0], run.events
    return "status 4 twice, the server's count stands"


def loses_what_is_in_flight(run: Run, targets: list[Target]) -> str:
    """In the control the client's release was taken for the server's."""
    assert run.lines("escaped") and "in flight: 0" in run.debug, (run.debug, run.events)
    return "the client released what its server holds"


def manager_is_stopped(run: Run, targets: list[Target]) -> str:
    """The monitor has stopped the manager for the write, and says so itself; nothing was started before."""
    assert run.of("attempting") and run.of("manager-stopped") and not run.of("escaped"), run.events
    number = constants()
    address = number["DATABASE_USER_ADDRESS"] + number["DATABASE_SIZE"] - 8
    fault = run.manager_fault
    assert (fault["vector"], fault["error"], fault["address"]) == (PAGE_FAULT, 7, address), fault
    assert not run.of("started"), run.events
    return "#PF, error 0x7, at its address; the monitor reports that the manager was stopped"


def manager_writes(run: Run, targets: list[Target]) -> str:
    """In the control the write succeeds."""
    assert run.of("attempting") and run.of("escaped"), run.events
    return "the manager wrote the database"

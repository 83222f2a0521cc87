# SPDX-License-Identifier: Apache-2.0
"""What a valid layout becomes: every default filled in, every name resolved."""

from __future__ import annotations

from pathlib import Path

import pytest

from layout_corpus import GOOD
from parclose.check import check, find_board
from parclose.constants import constants
from parclose.model import Access, ChannelClass, OnEnd, Role, System
from parclose.resolve import system_name

WHOLE = GOOD / "whole.yaml"
HELLO = GOOD / "hello.yaml"


def system_of(path: Path) -> System:
    system, problems = check(path)
    assert system is not None, problems
    return system


def layout(tmp_path: Path, text: str) -> System:
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    path = tmp_path / "test.yaml"
    path.write_text("layout: 1\nboard: qemu-q35\n" + text)
    return system_of(path)


def test_shortest_layout() -> None:
    system = system_of(HELLO)
    assert [(each.name, each.role) for each in system.partitions] == [
        ("manager", Role.MANAGER),
        ("_io", Role.IO),
        ("hello", Role.GUEST),
    ]
    assert system.partitions[1].devices == ("com1",)
    assert system.partitions[1].program.builtin == "io"
    assert [(each.client, each.client_name, each.server, each.endpoint) for each in system.channels] == [
        ("manager", "console", "_io", "console"),
        ("hello", "console", "_io", "console"),
    ]
    assert system.start_order == ("_io", "hello")
    assert system.on_end is OnEnd.STAY
    assert system.partitions[2].memory is None


def test_default_schedule_has_the_managers_slot_first_and_budgets_for_servers() -> None:
    (processor,) = system_of(HELLO).schedules
    shown = [(frame.length, [(slot.partition, slot.budget) for slot in frame.slots]) for frame in processor.frames]
    assert shown == [
        (constants()["MANAGER_SLOT_DEFAULT_NS"], [("manager", 0)]),
        (1_000_000, [("_io", 200_000), ("hello", 0)]),
    ]


def test_defaults_are_said() -> None:
    said = "\n".join(system_of(HELLO).defaults)
    for words in (
        "_io: an I/O partition that owns com1",
        "stack: 64 KiB",
        "on_end: stay",
        "run: [{_io: 200 us}, hello]",
    ):
        assert words in said


def test_whole_layout_order_and_roles() -> None:
    system = system_of(WHOLE)
    assert [each.name for each in system.partitions] == [
        *("manager", "io", "sensor", "logger", "rtu.0", "rtu.1", "rtu.2", "spare"),
    ]
    assert system.start_order == ("io", "sensor", "logger", "rtu.0", "rtu.1", "rtu.2", "spare")
    assert system.on_end is OnEnd.POWEROFF
    assert "_io" not in [each.name for each in system.partitions]


def test_endpoints_and_extents() -> None:
    endpoints = {each.name: each for each in system_of(WHOLE).endpoints}
    assert (endpoints["records"].start, endpoints["records"].size) == (0, 8 << 20)
    assert (endpoints["archive"].start, endpoints["archive"].access) == (8 << 20, Access.READ)
    assert endpoints["archive"].device == "nvme0"  # by its alias
    assert endpoints["archive"].shared and endpoints["line"].shared and not endpoints["records"].shared


def test_channels_between_guests_have_two_names() -> None:
    channels = {(each.client, each.client_name): each for each in system_of(WHOLE).channels}
    feed = channels["sensor", "feed"]
    assert (feed.server, feed.server_name, feed.channel_class, feed.data_size) == (
        *("logger", "sensed", ChannelClass.PEER, 64 << 10),
    )
    assert channels["rtu.1", "up1"].server_name == "up1"


def test_access_of_a_channel_is_that_of_its_endpoint_at_most() -> None:
    channels = {(each.client, each.client_name): each for each in system_of(WHOLE).channels}
    assert channels["sensor", "disk"].access is Access.WRITE
    assert channels["logger", "disk"].access is Access.READ
    assert (channels["logger", "disk"].share, channels["logger", "disk"].quota) == (2, 16)
    assert channels["sensor", "disk"].quota == constants()["LIMIT_IN_FLIGHT"]


def test_programs() -> None:
    partitions = {each.name: each for each in system_of(WHOLE).partitions}
    assert partitions["sensor"].program.sources == (GOOD / "files/hello.c",)
    assert partitions["logger"].program.cflags == ("-O2",)
    assert partitions["logger"].program.define == (("RATE", "100"),)
    assert partitions["rtu.2"].program.define == (("INDEX", "2"),)
    assert partitions["spare"].program.sources == (GOOD / "files/folder/main.c",)
    assert partitions["io"].program.builtin == "io"


def test_like_takes_what_is_not_said() -> None:
    partitions = {each.name: each for each in system_of(WHOLE).partitions}
    assert partitions["spare"].after == ("sensor",)
    assert partitions["spare"].memory == 2 << 20


def test_health() -> None:
    partitions = {each.name: each for each in system_of(WHOLE).partitions}
    assert (partitions["sensor"].health.limit, partitions["sensor"].health.within) == (3, 60_000_000_000)
    assert partitions["logger"].health.action == "restart"
    assert partitions["rtu.0"].health.action == "stop"


def test_regions_name_groups() -> None:
    (table,) = system_of(WHOLE).regions
    assert (table.writer, table.readers) == ("sensor", ("logger", "rtu.0", "rtu.1", "rtu.2"))
    assert table.source == GOOD / "files/table.bin"


def test_written_schedule() -> None:
    (processor,) = system_of(WHOLE).schedules
    assert processor.frames[0].length == 40_000
    assert [slot.partition for slot in processor.frames[2].slots] == [
        "io",
        "logger",
        "rtu.0",
        "rtu.1",
        "rtu.2",
        "spare",
    ]


def test_region_as_large_as_its_file(tmp_path: Path) -> None:
    (tmp_path / "table.bin").write_bytes(b"x" * 5000)
    system = layout(tmp_path, "partitions: {a: {program: main.c}}\nregions: {table: {from: table.bin, read: a}}\n")
    assert system.regions[0].size == 8192


def test_extents_by_number(tmp_path: Path) -> None:
    system = layout(
        tmp_path,
        """partitions:
  io:
    program: {builtin: io}
    devices: [nvme0]
    dma: trusted
    endpoints:
      part: {count: 3, block: nvme0, start: "1 MiB + {i} * 8 MiB", size: 8 MiB}
  rtu: {count: 3, program: main.c, channels: {disk: "io.part.{i}"}}
""",
    )
    assert [each.start >> 20 for each in system.endpoints if each.channel_class is ChannelClass.BLOCK] == [1, 9, 17]
    disks = [each.endpoint for each in system.channels if each.client_name == "disk"]
    assert disks == ["part.0", "part.1", "part.2"]


def test_rest_of_the_device(tmp_path: Path) -> None:
    system = layout(
        tmp_path,
        """partitions:
  io: {program: {builtin: io}, devices: [nvme0], dma: trusted, endpoints: {rest: {block: nvme0, start: 60 MiB}}}
  a: {program: main.c, channels: {disk: io.rest}}
""",
    )
    assert system.endpoints[0].size == 4 << 20


def test_implicit_io_joins_a_written_schedule(tmp_path: Path) -> None:
    system = layout(tmp_path, "partitions: {a: {program: main.c}}\nschedule: {cpu0: [{for: 400 us, run: [a]}]}\n")
    slots = system.schedules[0].frames[1].slots
    assert [(slot.partition, slot.budget) for slot in slots] == [("_io", 100_000), ("a", 0)]


def test_console_owned_by_a_guest_is_served_to_nobody(tmp_path: Path) -> None:
    system = layout(tmp_path, "partitions: {a: {program: main.c, devices: [com1]}, b: {program: main.c}}\n")
    assert [each.name for each in system.partitions] == ["manager", "a", "b"]
    assert system.channels == ()


def test_start_order_is_not_file_order(tmp_path: Path) -> None:
    system = layout(tmp_path, "partitions: {a: {program: main.c, after: b}, b: {program: main.c}}\n")
    assert system.start_order == ("_io", "b", "a")


def test_no_limit_of_restarts(tmp_path: Path) -> None:
    system = layout(tmp_path, "partitions: {a: {program: main.c, health: {fault: {do: restart, limit: none}}}}\n")
    assert system.partitions[2].health.limit == 0


def test_yaml_traps_stay_text(tmp_path: Path) -> None:
    """What YAML 1.1 would make numbers and truth of is the text that was written."""
    (tmp_path / "00:02.0").write_text("x")
    system = layout(
        tmp_path,
        'partitions: {"on": {program: main.c, config: 00:02.0}, "off": {program: main.c, after: "on"}}\n',
    )
    names = [each.name for each in system.partitions]
    assert names[2:] == ["on", "off"]
    assert system.partitions[2].config[0].name == "00:02.0"


@pytest.mark.parametrize(("path", "name"), [("a/line.yaml", "line"), ("mything/layout.yaml", "mything")])
def test_name_of_a_system(path: str, name: str) -> None:
    assert system_name(Path(path)) == name


def test_boards_are_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "layout.yaml"
    assert find_board("qemu-q35", here) is not None
    elsewhere = tmp_path / "lab"
    elsewhere.mkdir()
    (elsewhere / "qemu-q35.yaml").write_text("")
    monkeypatch.setenv("PARCLOSE_BOARDS", str(elsewhere))
    assert find_board("qemu-q35", here) == elsewhere / "qemu-q35.yaml"
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "qemu-q35.yaml").write_text("")
    assert find_board("qemu-q35", here) == tmp_path / "boards" / "qemu-q35.yaml"
    assert find_board("boards/qemu-q35.yaml", here) == tmp_path / "boards" / "qemu-q35.yaml"
    assert find_board("nowhere", here) is None

# SPDX-License-Identifier: Apache-2.0
"""`inspect` says what stands in the image's bytes, and where rows and finished tables disagree."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import image_kit
from image_kit import PAGE, PLACES, Sample, root
from parclose import inspect
from parclose.constants import constants

Document = dict[str, Any]
MANAGER, IO, SENSOR = range(3)


@pytest.fixture
def made() -> Sample:
    return image_kit.sample()


@pytest.fixture
def look(tmp_path: Path) -> Callable[[Sample], Document]:
    def _look(changed: Sample) -> Document:
        found = inspect.read(changed.write(tmp_path / "sample.img"))
        assert json.loads(json.dumps(found)) == found, "the document is plain JSON"
        inspect.text(found)
        return found

    return _look


def complaints(found: Document, partition: str | None = None) -> list[str]:
    return [one["text"] for one in found["disagreements"] if partition is None or one["partition"] == partition]


def test_rows_and_tables_of_a_good_image_agree(made: Sample, look: Callable[[Sample], Document]) -> None:
    found = look(made)
    assert found["disagreements"] == []
    assert [(one["name"], one["role"]) for one in found["partitions"]] == [
        ("manager", "manager"),
        ("io", "io"),
        ("sensor", "guest"),
    ]
    assert found["start_order"] == ["io", "sensor"]
    assert found["ports"] == {"monitor": 0x3F8, "debug": None, "report": 0x402}
    assert inspect.text(found).endswith("rows and finished tables agree")


def test_calls_are_those_of_the_role(made: Sample, look: Callable[[Sample], Document]) -> None:
    manager, io, sensor = (set(one["calls"]) for one in look(made)["partitions"])
    assert manager - sensor == {"assign", "start", "stop", "state", "fault"}
    assert io - sensor == {"convert", "release", "channel"}
    assert {"signal", "wait", "exit"} <= sensor
    assert "debug" not in sensor


def test_everything_of_one_partition(made: Sample, look: Callable[[Sample], Document]) -> None:
    found = look(made)
    io, sensor = found["partitions"][IO], found["partitions"][SENSOR]
    assert [one["name"] for one in sensor["regions"]] == ["text", "data", "stack", "table"]
    assert sensor["channels"][0] | {"address": 0} == {
        "name": "disk",
        "descriptor": 14,
        "required": True,
        "end": "client",
        "peer": "io",
        "class": "block",
        "endpoint": "records",
        "rights": "rw-",
        "quota": 64,
        "event": 0,
        "signals": {"partition": "io", "event": 0},
        "address": 0,
        "physical": PLACES["DISK_WINDOW"],
        "size": 0x4000,
    }
    assert [one["name"] for one in io["endpoints"]] == ["records", "line"]
    assert (io["endpoints"][0]["start"], io["endpoints"][0]["size"]) == (0x100000, 0x800000)
    nvme = io["devices"][0]
    assert (nvme["address"], nvme["identity"], nvme["bus_master"]) == ("00:04.0", "1b36:0010", True)
    assert nvme["interrupts"] == [{"kind": "msix", "number": 0, "vector": 0x30, "partition": "io", "event": 2}]
    assert io["ports"] == [{"first": 0x3F8, "last": 0x3FF}]
    assert [(one["frame"], one["position"], one["budget_ns"]) for one in io["frames"]] == [(1, 0, 200000)]
    assert [one["event"] for one in io["events"]] == [0, 1, 2, 3]
    assert [one["name"] for one in sensor["configs"]] == ["sensor.toml"]
    assert all(one["of"] for one in sensor["mappings"])
    assert {"of": "channel 'disk'", "rights": "rw-"}.items() <= sensor["mappings"][6].items()


CHANGES = [
    # table, row, member, new first byte, where the document changes, to what
    ("partitions", SENSOR, "role", 2, lambda d: d["partitions"][SENSOR]["role"], "manager"),
    ("partitions", SENSOR, "role", 9, lambda d: d["partitions"][SENSOR]["role"], "unknown (9)"),
    ("partitions", SENSOR, "role", 1, lambda d: "convert" in d["partitions"][SENSOR]["calls"], True),
    ("partitions", SENSOR, "role", 9, lambda d: d["partitions"][SENSOR]["calls"], []),
    ("partitions", SENSOR, "debug", 1, lambda d: "debug" in d["partitions"][SENSOR]["calls"], True),
    ("partitions", SENSOR, "fault_action", 0, lambda d: d["partitions"][SENSOR]["health"]["fault"], "stop"),
    ("partitions", SENSOR, "name", ord("t"), lambda d: d["partitions"][SENSOR]["name"], "tensor"),
    ("endpoints", 0, "start", 1, lambda d: d["endpoints"][0]["start"], 0x100001),
    ("endpoints", 0, "size", 2, lambda d: d["partitions"][IO]["endpoints"][0]["size"], 0x800002),
    ("endpoints", 0, "rights", 1, lambda d: d["endpoints"][0]["rights"], "r--"),
    ("endpoints", 0, "shared", 1, lambda d: d["endpoints"][0]["shared"], True),
    ("channels", 0, "buffer_rights", 2, lambda d: d["partitions"][SENSOR]["channels"][0]["rights"], "r--"),
    ("channels", 0, "endpoint", 1, lambda d: d["channels"][0]["endpoint"], "line"),
    ("channels", 0, "client", 0, lambda d: d["channels"][0]["client"], "manager"),
    ("channels", 0, "quota", 7, lambda d: d["channels"][0]["quota"], 7),
    ("frames", 1, "length_ns", 0, lambda d: d["processors"][0]["frames"][1]["length_ns"], 999936),
    ("frames", 1, "slot_count", 1, lambda d: d["partitions"][SENSOR]["frames"], []),
    ("slots", 1, "budget_ns", 0, lambda d: d["partitions"][IO]["frames"][0]["budget_ns"], 199936),
    ("slots", 0, "partition", 2, lambda d: d["processors"][0]["frames"][0]["slots"][0]["partition"], "sensor"),
    ("processors", 0, "frame_count", 1, lambda d: len(d["processors"][0]["frames"]), 1),
    ("regions", 6, "kind", 4, lambda d: d["partitions"][SENSOR]["regions"][0]["kind"], "shared"),
    ("regions", 6, "physical", 1, lambda d: d["partitions"][SENSOR]["regions"][0]["physical"], 0x1600001),
    ("descriptors", 10, "rights", 7, lambda d: d["partitions"][SENSOR]["regions"][0]["rights"], "rwx"),
    ("descriptors", 10, "required", 0, lambda d: d["partitions"][SENSOR]["regions"][0]["required"], False),
    ("devices", 0, "address", 0x28, lambda d: d["devices"][0]["address"], "00:05.0"),
    ("devices", 0, "owner", 2, lambda d: d["devices"][0]["owner"], "sensor"),
    ("interrupts", 0, "event", 9, lambda d: d["partitions"][IO]["devices"][0]["interrupts"][0]["event"], 9),
    ("memory", 0, "name", ord("E"), lambda d: d["memory"][0]["name"], "Everything"),
    ("features", 0, "bit", 20, lambda d: d["features"][0]["bit"], 20),
]


@pytest.mark.parametrize(("table", "row", "member", "value", "where", "expected"), CHANGES)
def test_one_byte_of_a_row_changes_what_is_said(
    made: Sample,
    look: Callable[[Sample], Document],
    table: str,
    row: int,
    member: str,
    value: int,
    where: Callable[[Document], Any],
    expected: Any,
) -> None:
    before = look(made)
    made.poke(made.row(table, row, member), bytes([value]))
    after = look(made)
    assert where(before) != where(after)
    assert where(after) == expected


ROW_COMPLAINTS = [
    ("descriptors", 10, "rights", 7, "region 'text' at 0x400000 is mapped r-x, its row says rwx"),
    ("descriptors", 12, "target", 9, "region 'stack' at 0x3ffef000 is mapped to 0x1604000, its row says 0x1800000"),
    ("regions", 7, "size", 1, "region 'data' at 0x402000: 0x1000 of its 0x3000 bytes are not mapped"),
    ("regions", 9, "owner", 0, "descriptor 13 ('table') in the block of 'sensor' is of region 'table', which another"),
    ("descriptors", 14, "partition", 1, "descriptor 14 ('disk') in the block of 'sensor' is another partition's"),
    ("descriptors", 14, "resource", 7, "descriptor 14 ('disk') in the block of 'sensor' names no resource"),
    ("descriptors", 14, "end", 1, "channel 'disk': descriptor 14 is not its client's"),
    ("channels", 0, "server", 0, "channel 'disk': its server is not the one that has endpoint 'records'"),
    ("endpoints", 0, "rights", 1, "channel 'disk' has rights that endpoint 'records' lacks"),
    ("endpoints", 0, "class", 1, "channel 'disk' and endpoint 'records' are of different classes"),
    ("channels", 0, "endpoint", 66, "row 0 of channels: endpoint 66 is no row of endpoints"),
    ("slots", 0, "partition", 99, "row 0 of slots: partition 99 is no row of partitions"),
    ("processors", 0, "frame_count", 77, "row 0 of processors: rows 0 to 76 leave frames"),
    ("devices", 0, "owner", 2, "an interrupt of device 'nvme0' goes to a partition that does not own it"),
    ("devices", 1, "owner", 2, "the I/O bitmap closes ports 0x3f8 to 0x3ff, of device 'com1'"),
    ("devices", 1, "owner", 2, "the I/O bitmap opens ports 0x3f8 to 0x3ff, which no row grants"),
    ("devices", 0, "owner", 2, "0x2000 bytes at 0x78000000 (rw-, physical 0xe0000000) is mapped and no row grants it"),
    ("descriptors", 14, "other_event", 1, "'disk': signals of its client set event 1, its server waits for event 0"),
    ("descriptors", 9, "other_event", 7, "'console': signals of its server set event 7, its client waits for event 1"),
    ("descriptors", 8, "other_partition", 0, "'disk': signals of its server go to manager, its client is sensor"),
    ("descriptors", 8, "event", 5, "'disk': signals of its client set event 0, its server waits for event 5"),
    ("channels", 0, "client_first_region", 3, "addresses are converted by regions that are not those of its"),
    ("channels", 0, "client_last_region", 3, "by regions that are not those of its client 'sensor'"),
    ("channels", 0, "endpoint_row", 3, "'disk': addresses are converted for an endpoint that is not its own"),
    ("channels", 0, "index", 1, "'disk': conversions in flight are counted for channel 1, it is 0"),
    ("channels", 0, "buffer_rights", 7, "channel 'disk' has rights that endpoint 'records' lacks"),
    ("descriptors", 8, "converts", 0, "('sensor') in the block of 'io' may not convert addresses, its channel says"),
    ("descriptors", 14, "converts", 1, "('disk') in the block of 'sensor' may convert addresses, its channel says"),
    ("descriptors", 3, "converts", 1, "('text') in the block of 'io' may convert addresses, its channel says"),
    ("descriptors", 11, "row", 3, "descriptor 11 ('data') in the block of 'sensor': the monitor looks for its row at"),
    ("descriptors", 11, "target", 9, "('data') in the block of 'sensor': the monitor looks for its row at"),
    ("regions", 6, "size", 1, "regions in the block of 'sensor' are not in the order of their addresses"),
    ("bars", 1, "address", 0xF9, "the I/O bitmap closes port 0x400, of device 'com1'"),
    ("partitions", 2, "descriptor_count", 3, "is mapped and no row grants it: it reaches channel 'disk'"),
    ("partitions", 1, "root", 1, "the root 0x1190001 is no address of a page"),
]


@pytest.mark.parametrize(("table", "row", "member", "value", "expected"), ROW_COMPLAINTS)
def test_a_changed_row_disagrees(
    made: Sample, look: Callable[[Sample], Document], table: str, row: int, member: str, value: int, expected: str
) -> None:
    made.poke(made.row(table, row, member), bytes([value]))
    found = complaints(look(made))
    assert any(expected in one for one in found), found


def flip(made: Sample, index: int, virtual: int, bits: int) -> None:
    place = made.entry(root(index), virtual)
    made.poke(place, struct.pack("<Q", made._number(place) ^ bits))


ENTRY_CHANGES = [
    (SENSOR, 0x400000, image_kit.WRITE, "region 'text' at 0x400000 is mapped rwx, its row says r-x"),
    (SENSOR, 0x400000, image_kit.WRITE, "is both writable and executable"),
    (SENSOR, 0x402000, image_kit.WRITE, "region 'data' at 0x402000 is mapped r--, its row says rw-"),
    (SENSOR, 0x403000, 0x100000, "region 'data' at 0x403000 is mapped to 0x1703000, its row says 0x1603000"),
    (SENSOR, 0x403000, 0x200000, "its row says 0x1603000: it reaches region 'data' of 'manager'"),
    (SENSOR, 0x403000, 1, "region 'data' at 0x402000: 0x1000 of its 0x2000 bytes are not mapped"),
    (SENSOR, 0x403000, 4, "ring 0 maps 0x1000 bytes at 0x403000 (rw-, physical 0x1603000), which is region 'data'"),
    (SENSOR, 0x40003000, 1, "channel 'disk' at 0x40000000: 0x1000 of its 0x4000 bytes are not mapped"),
    (SENSOR, 0x40003000, 16, "channel 'disk' at 0x40003000 is mapped uncached"),
    (IO, 0x78003000, 16, "device 'nvme0' bar 0 at 0x78003000 is mapped cached"),
    (IO, 0x78003000, 0x1000, "opens the MSI-X table at 0xe0002000 to ring 3"),
    (SENSOR, 0x241000, image_kit.WRITE, "clock page at 0x241000 is mapped rw-, its row says r--"),
    (SENSOR, 0x241000, 0x1000, "its clock page is not the one of the first partition"),
    (SENSOR, 0x240000, 0x1000, "the call page of ring 3 and the one of ring 0 are different pages"),
    (SENSOR, 0x240000, 0x10000 ^ 0x20000 ^ 0x10000, "its page at CALL_PAGE_ADDRESS, physical 0x1311000"),
    (SENSOR, 0x240000, 0x1331000 ^ 0x1500000, "call page at 0x240000 is mapped to 0x1500000, which is region 'text'"),
    (MANAGER, 0x280000, image_kit.WRITE, "resource database at 0x280000 is mapped rw-, its row says r--"),
    (SENSOR, constants()["LOCAL_CONTEXT"], 256, "differs with each root and is global"),
    (SENSOR, constants()["LOCAL_CONTEXT"], 1, "there is no page at LOCAL_CONTEXT"),
    (SENSOR, constants()["LOCAL_IO_BITMAP"], 1, "the page of the I/O bitmap for ports from 0x0 on is not there"),
]


@pytest.mark.parametrize(("index", "virtual", "bits", "expected"), ENTRY_CHANGES)
def test_a_changed_page_table_entry_disagrees(
    made: Sample, look: Callable[[Sample], Document], index: int, virtual: int, bits: int, expected: str
) -> None:
    flip(made, index, virtual, bits)
    found = complaints(look(made), image_kit.NAMES[index])
    assert any(expected in one for one in found), found


def test_a_page_of_another_partition_is_named(made: Sample, look: Callable[[Sample], Document]) -> None:
    made.map(root(SENSOR), 0x500000, PLACES["TEXT"] + PLACES["STEP"] + 0x2000, image_kit.READ_ONLY)
    found = look(made)
    mapped = "0x1000 bytes at 0x500000 (r--, physical 0x1502000) is mapped and no row grants it"
    assert complaints(found) == [f"{mapped}: it reaches region 'data' of 'io'"]
    assert {
        "address": 0x500000,
        "size": PAGE,
        "physical": 0x1502000,
        "rights": "r--",
        "uncached": False,
        "of": None,
    } in (found["partitions"][SENSOR]["mappings"])
    assert "NO ROW GRANTS IT" in inspect.text(found)
    assert "sensor: 0x1000 bytes at 0x500000" in inspect.text(found)


def test_the_upper_half_is_not_for_ring_3(made: Sample, look: Callable[[Sample], Document]) -> None:
    monitor = constants()["MONITOR_ADDRESS"]
    flip(made, SENSOR, monitor, image_kit.USER)
    # every level must allow it, and those above do in this sample
    found = complaints(look(made), "sensor")
    assert any("is open to ring 3 above the partition's own addresses" in one for one in found), found


def test_one_bit_of_the_io_bitmap(made: Sample, look: Callable[[Sample], Document]) -> None:
    bitmap = image_kit.PRIVATE + SENSOR * 0x10000 + 0x3000
    made.poke(bitmap + 0x60 // 8, b"\xfe")
    found = look(made)
    assert found["partitions"][SENSOR]["ports"] == [{"first": 0x60, "last": 0x60}]
    assert complaints(found) == ["the I/O bitmap opens port 0x60, which no row grants"]


def test_the_byte_behind_the_bitmap(made: Sample, look: Callable[[Sample], Document]) -> None:
    made.poke(image_kit.ONES, b"\x7f")
    assert complaints(look(made), "io") == ["the byte behind the I/O bitmap is not all ones"]


def test_large_pages_are_read_as_such(made: Sample, look: Callable[[Sample], Document]) -> None:
    table = made._number(made._number(root(SENSOR)) & ~0xFFF) & ~0xFFF
    made.poke(table + 8 * 9, struct.pack("<Q", 0x2000000 | image_kit.LARGE | image_kit.READ_ONLY | 0x61))
    mapping = next(one for one in look(made)["partitions"][SENSOR]["mappings"] if one["address"] == 9 << 21)
    assert (mapping["size"], mapping["physical"], mapping["rights"]) == (2 << 20, 0x2000000, "r--")


def test_the_most_restrictive_level_counts(made: Sample, look: Callable[[Sample], Document]) -> None:
    top = made._number(root(SENSOR))
    made.poke(root(SENSOR), struct.pack("<Q", top & ~image_kit.WRITE | image_kit.NX))
    found = look(made)["partitions"][SENSOR]
    assert {one["rights"] for one in found["mappings"]} == {"r--"}

# SPDX-License-Identifier: Apache-2.0
"""The audit: a plan or an image with one fault is refused, and the message says where."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from image_kit import file_offset, row_of
from parclose import amend, audit, pipeline
from parclose.constants import constants
from parclose.inspect import physical
from parclose.planned import Plan, Rights, Stretch
from small_images import build, loaded, make_kit

PAGE = 0x1000


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_kit(tmp_path_factory.mktemp("kit"))


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of this module's own, so that nothing of the user's answers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def built(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> pipeline.BuildResult:
    return build(kit, tmp_path_factory.mktemp("built") / "out")


def neighbour(plan: Plan) -> Plan:
    physical = plan.partition("logger").physical
    return amend.map_also(plan, "sensor", Stretch("wrong", 0x10000000, physical, PAGE))


def own_text_writable(plan: Plan) -> Plan:
    physical = plan.partition("sensor").physical
    return amend.map_also(plan, "sensor", Stretch("wrong", 0x400000, physical, PAGE, Rights(write=True)))


def own_data_a_second_time(plan: Plan) -> Plan:
    planned = plan.partition("sensor")
    physical = planned.physical + planned.memory - PAGE
    return amend.map_also(plan, "sensor", Stretch("wrong", 0x10000000, physical, PAGE, Rights(execute=True)))


def write_and_execute(plan: Plan) -> Plan:
    stack = next(each for each in plan.partition("sensor").stretches if each.label == "stack")
    return amend.map_also(plan, "sensor", replace(stack, rights=Rights(write=True, execute=True)))


def own_data_executable(plan: Plan) -> Plan:
    stack = next(each for each in plan.partition("sensor").stretches if each.label == "stack")
    return amend.map_also(plan, "sensor", replace(stack, rights=Rights(execute=True)))


def registers_cached(plan: Plan) -> Plan:
    seen = next(each for each in plan.partition("io").stretches if each.uncached)
    return amend.map_also(plan, "io", replace(seen, uncached=False))


def call_page_left_out(plan: Plan) -> Plan:
    own = plan.partition("sensor")
    rest = tuple(each for each in own.stretches if not (each.label == "call page" and each.user))
    partitions = tuple(replace(each, stretches=rest) if each is own else each for each in plan.partitions)
    return replace(plan, partitions=partitions)


def monitor_in_ring_3(plan: Plan) -> Plan:
    return amend.map_also(plan, "sensor", Stretch("wrong", 0x10000000, constants()["MONITOR_PHYSICAL"], PAGE))


def database_in_a_guest(plan: Plan) -> Plan:
    return amend.map_also(plan, "sensor", Stretch("wrong", 0x10000000, constants()["DATABASE_PHYSICAL"], PAGE))


def memory_in_ring_0(plan: Plan) -> Plan:
    physical = plan.partition("sensor").physical
    wrong = Stretch("wrong", constants()["LOCAL_CALL_PAGE"] + PAGE, physical, PAGE, user=False)
    return amend.map_also(plan, "sensor", wrong)


def anothers_context(plan: Plan) -> Plan:
    physical = plan.partition("logger").context
    wrong = Stretch("context", constants()["LOCAL_CONTEXT"], physical, PAGE, Rights(write=True), user=False)
    return amend.map_also(plan, "sensor", wrong)


def global_local_page(plan: Plan) -> Plan:
    own = plan.partition("sensor")
    where = constants()["LOCAL_CONTEXT"]
    wrong = Stretch("context", where, own.context, PAGE, Rights(write=True), user=False, shared=True)
    return amend.map_also(plan, "sensor", wrong)


def msix_table(plan: Plan) -> Plan:
    bar = plan.devices[0].bars[0]
    wrong = Stretch("wrong", bar.virtual + 0x2000, bar.address + 0x2000, PAGE, Rights(write=True), uncached=True)
    return amend.map_also(plan, "io", wrong)


def reader_writes(plan: Plan) -> Plan:
    table = plan.regions[-1]
    seen = next(each for each in plan.partition("logger").stretches if each.physical == table.physical)
    return amend.map_also(plan, "logger", replace(seen, rights=Rights(write=True)))


def page_tables_in_ring_3(plan: Plan) -> Plan:
    root = plan.partition("sensor").root
    return amend.map_also(plan, "sensor", Stretch("wrong", 0x10000000, root, PAGE, Rights(write=True)))


def ring_3_in_the_high_half(plan: Plan) -> Plan:
    own = plan.partition("sensor")
    return amend.map_also(plan, "sensor", Stretch("wrong", 0xFFFFFFFF90000000, own.physical, PAGE))


def serial_port(plan: Plan) -> Plan:
    return amend.permit_ports(plan, "sensor", 0x3F8, 8)


FAULTS: dict[Callable[[Plan], Plan], str] = {
    neighbour: "partition 'sensor' maps 0x10000000.*belongs to partition logger",
    own_text_writable: "0x400000.*other than its right to region text",
    own_data_a_second_time: "0x10000000.*not its own there, it belongs to partition sensor",
    write_and_execute: "0x3ffe.*writable and executable",
    own_data_executable: "0x3ffe.*other than its right to region stack",
    registers_cached: "0x78000000.*cached other than registers of nvme0",
    call_page_left_out: "does not map 0x240000, the call page",
    serial_port: "partition 'sensor' may use port 0x3f8",
    monitor_in_ring_3: "0x10000000 -> 0x1000000.*belongs to monitor",
    database_in_a_guest: "0x10000000 -> 0x1100000.*belongs to database",
    memory_in_ring_0: "ring 0.*belongs to partition sensor",
    anothers_context: "ring 0.*belongs to context of logger",
    global_local_page: "global, though the context differs",
    msix_table: "-> 0xe0002000.*not its own there",
    reader_writes: "other than its right to region table",
    page_tables_in_ring_3: "belongs to page tables",
    ring_3_in_the_high_half: "0xffffffff90000000 is open to ring 3",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_the_audit_finds(fault: Callable[[Plan], Plan], kit: Path, tmp_path: Path) -> None:
    with pytest.raises(audit.AuditError, match=FAULTS[fault]):
        build(kit, tmp_path / "out", amend_plan=fault)
    assert not (tmp_path / "out").exists()


def test_a_planted_fault_is_built_when_the_audit_is_told_not_to_look(kit: Path, tmp_path: Path) -> None:
    made = build(kit, tmp_path / "out", amend_plan=neighbour, audit=False)
    with pytest.raises(audit.AuditError):
        audit.audit(made.system, made.plan, made.image.read_bytes())


def test_planted_ports_are_in_the_bitmap_that_the_root_shows(kit: Path, tmp_path: Path) -> None:
    made = build(kit, tmp_path / "out", amend_plan=serial_port, audit=False)
    own = made.plan.partition("sensor")
    assert own.bitmap is not None
    assert loaded(made.image.read_bytes(), own.bitmap + 0x3F8 // 8, 1) == b"\0"


def entries(plan: Plan, image: bytes) -> list[tuple[int, int]]:
    """(offset in the file, value) of every entry of every page table."""
    found = []
    places = {*plan.shared_tables, *(place for each in plan.partitions for place in each.tables)}
    count = struct.unpack_from("<H", image, 56)[0]
    for number in range(count):
        kind, _, offset, _, physical, size, _, _ = struct.unpack_from("<IIQQQQQQ", image, 64 + 56 * number)
        for place in sorted(places):
            if kind == 1 and physical <= place < physical + size:
                start = offset + place - physical
                values = struct.unpack_from("<512Q", image, start)
                found += [(start + 8 * index, value) for index, value in enumerate(values) if value]
    return found


def executes_below(image: bytes, value: int) -> bool:
    """Whether an upper entry leads to a page that may be executed."""
    table = struct.unpack("<512Q", loaded(image, value & 0xFFFFFFFFFF000, 4096))
    return any(each & 1 and not each >> 63 and (each & 0x40 or executes_below(image, each)) for each in table)


@pytest.mark.parametrize("bit", range(64))
def test_no_changed_bit_of_a_page_table_goes_unseen(bit: int, built: pipeline.BuildResult) -> None:
    """Each bit flipped in a sample of entries. What may pass has no part in rights: bits that the processor ignores
    or sets itself, a global bit taken away, and no-execute where nothing below may be executed anyway."""
    image, plan = built.image.read_bytes(), built.plan
    known = entries(plan, image)
    assert len(known) > 1000
    harmless = {3, 4, 5, 6, 9, 10, 11, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62}
    for offset, value in known[bit % 7 :: len(known) // 6]:
        changed = bytearray(image)
        struct.pack_into("<Q", changed, offset, value ^ 1 << bit)
        try:
            audit.audit(built.system, plan, bytes(changed))
        except audit.AuditError:
            continue
        upper = not value & 0x40
        unused_global = bit == 8 and (upper or value & 1 << bit)
        unused_execute = bit == 63 and upper and not executes_below(image, value)
        assert bit in harmless or unused_global or unused_execute, (hex(offset), hex(value))


def test_the_audit_finds_a_segment_where_nothing_is_planned(built: pipeline.BuildResult) -> None:
    image = bytearray(built.image.read_bytes())
    at = 64 + 56 * 2
    for field in (16, 24):
        struct.pack_into("<Q", image, at + field, 0x8000000)
    with pytest.raises(audit.AuditError, match="0x8000000"):
        audit.audit(built.system, built.plan, bytes(image))


def test_the_audit_finds_a_writable_and_executable_segment(built: pipeline.BuildResult) -> None:
    image = bytearray(built.image.read_bytes())
    struct.pack_into("<I", image, 64 + 56 + 4, 7)
    with pytest.raises(audit.AuditError, match="writable and executable"):
        audit.audit(built.system, built.plan, bytes(image))


@pytest.mark.parametrize("bit", [0, 0x3F8, 0x402, 0xCF8, 0xFFFF])
def test_the_audit_finds_a_changed_bit_of_an_io_bitmap(bit: int, built: pipeline.BuildResult) -> None:
    image, manager = built.image.read_bytes(), built.plan.partitions[0]
    assert manager.bitmap is not None
    changed = bytearray(image)
    changed[place_in_file(image, manager.bitmap) + bit // 8] ^= 1 << bit % 8
    with pytest.raises(audit.AuditError, match=f"'manager' may (not )?use port {bit:#x}"):
        audit.audit(built.system, built.plan, bytes(changed))


# table, which row of it, member, the change of its first byte, what the audit says
ROW_FAULTS = [
    ("descriptors", "client", "converts", 1, "partition 'sensor' may convert by disk, against the plan"),
    ("descriptors", "server", "converts", 1, "partition 'io' may not convert by disk.server, against the plan"),
    ("descriptors", "text", "converts", 1, "partition 'sensor' may convert by text, against the plan"),
    ("descriptors", "text", "rights", 2, "disk: .* region at 0x400000 that is not its client's text"),
    ("descriptors", "text", "row", 8, "disk: .* region at 0x400000 that is not its client's text"),
    ("descriptors", "text", "address", 8, "disk: .* region at 0x400008 that is not its client's text"),
    ("regions", "text", "size", 8, "disk: .* region at 0x400000 that is not its client's text"),
    ("channels", "disk", "client_first_region", 8, "disk: .* more or fewer regions than its client has"),
    ("channels", "disk", "client_last_region", 8, "disk: .* more or fewer regions than its client has"),
    ("channels", "disk", "endpoint_row", 8, "disk: it reaches .* on the device, which is not its endpoint"),
    ("channels", "disk", "buffer_rights", 1, "disk: devices have rights 0x[0-9] to its client's buffers"),
    ("channels", "disk", "index", 1, "disk: conversions in flight are counted or limited as another channel's"),
    ("channels", "disk", "quota", 1, "disk: conversions in flight are counted or limited as another channel's"),
    ("endpoints", "disk", "start", 8, "disk: it reaches .* on the device, which is not its endpoint"),
    ("endpoints", "disk", "size", 8, "disk: it reaches .* on the device, which is not its endpoint"),
    ("endpoints", "disk", "block_mask", 8, "disk: it reaches .* on the device, which is not its endpoint"),
]


@pytest.mark.parametrize(("table", "which", "member", "change", "said"), ROW_FAULTS)
def test_the_audit_follows_what_a_conversion_follows(
    table: str, which: str, member: str, change: int, said: str, built: pipeline.BuildResult
) -> None:
    plan, sensor = built.plan, built.plan.partition("sensor")
    number, channel = next(
        (number, each)
        for number, each in enumerate(plan.channels)
        if (each.channel.client, each.channel.client_name) == ("sensor", "disk")
    )
    assert channel.endpoint is not None
    rows = {
        "client": channel.client_descriptor,
        "server": channel.server_descriptor,
        "text": sensor.first_descriptor if table == "descriptors" else plan.descriptors[sensor.first_descriptor].target,
        "disk": channel.endpoint if table == "endpoints" else number,
    }
    content = bytearray(built.image.read_bytes())
    content[file_offset(content, row_of(physical.load(built.image), table, rows[which], member))] ^= change
    with pytest.raises(audit.AuditError, match=said):
        audit.audit(built.system, plan, bytes(content))


@pytest.mark.parametrize("member", ["client_first_region", "client_last_region", "endpoint_row"])
def test_the_audit_follows_no_row_out_of_the_database(member: str, built: pipeline.BuildResult) -> None:
    content = bytearray(built.image.read_bytes())
    place = file_offset(content, row_of(physical.load(built.image), "channels", 0, member))
    content[place + 7] ^= 1
    with pytest.raises(audit.AuditError, match=r"nowhere: 0x.* is outside the database|more or fewer regions"):
        audit.audit(built.system, built.plan, bytes(content))


def place_in_file(image: bytes, physical: int) -> int:
    """Where the file holds the byte that is loaded at `physical`."""
    for number in range(struct.unpack_from("<H", image, 56)[0]):
        kind, _, offset, _, start, size, _, _ = struct.unpack_from("<IIQQQQQQ", image, 64 + 56 * number)
        if kind == 1 and start <= physical < start + size:
            return int(offset + physical - start)
    raise AssertionError(f"{physical:#x} is not loaded")

# SPDX-License-Identifier: Apache-2.0
"""The plan is a pure function: everything has one place, nothing overlaps, and what does not fit says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parclose.constants import constants
from parclose.elf import Elf
from parclose.errors import LayoutProblems, Problem
from parclose.model import Bar, BarKind, Config, MemoryRange, Msix, Program, Region, System
from parclose.planned import ExtentKind, Plan, RegionKind, Resource
from plans import pages, planned, program
from systems import BOARD, BOARD_SPAN, MANAGER, MIB, NVME, SPAN, channel, line, partition, system

PAGE = 0x1000


def problems(of: System, made: Callable[[], Elf] = program) -> tuple[Problem, ...]:
    with pytest.raises(LayoutProblems) as caught:
        planned(of, made)
    return caught.value.problems


def assert_sound(of: System, made: Plan) -> None:
    """No page of memory has two uses, every extent is in the board's memory, no address is mapped twice."""
    uses = Counter(page for extent in made.extents for page in pages(extent.physical, extent.size))
    assert [page for page, count in uses.items() if count > 1] == []
    board = {page for each in of.board.memory for page in pages(each.start, each.size)}
    assert set(uses) <= board
    for each in made.partitions:
        seen = Counter(page for stretch in each.stretches for page in pages(stretch.virtual, stretch.size))
        seen.update(page for stretch in made.shared_stretches for page in pages(stretch.virtual, stretch.size))
        assert [page for page, count in seen.items() if count > 1] == []


def test_the_same_layout_gives_the_same_plan() -> None:
    assert planned(line()) == planned(line())


def test_nothing_overlaps_in_a_whole_layout() -> None:
    assert_sound(line(), planned(line()))


sizes = st.one_of(st.none(), st.integers(64, 6000).map(lambda count: count * 4096))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(sizes, st.integers(1, 8)), max_size=6), st.integers(0, 3), st.integers(1, 3 * MIB))
def test_nothing_overlaps_whatever_the_sizes(guests: list[tuple[int | None, int]], holes: int, region: int) -> None:
    ranges = [MemoryRange(0x1000000, 2 * MIB, BOARD_SPAN)]
    ranges += [MemoryRange((32 + 64 * hole) * MIB, 60 * MIB, BOARD_SPAN) for hole in range(3 + holes)]
    made = [partition(f"g{i}", memory=memory, stack=stack * PAGE) for i, (memory, stack) in enumerate(guests)]
    regions = (Region("table", region, None, "manager", tuple(each.name for each in made), SPAN),)
    of = system((MANAGER, *made), regions=regions, board=replace(BOARD, memory=tuple(ranges)))
    assert_sound(of, planned(of))


def test_small_things_fill_the_gap_before_an_aligned_large_one() -> None:
    of = system((MANAGER, partition("big", memory=8 * MIB), partition("small")))
    made = planned(of)
    assert made.partition("big").physical % (2 * MIB) == 0
    assert made.partition("small").physical < made.partition("big").physical


def test_a_program_area_is_linear_and_the_stack_is_its_end() -> None:
    made = planned(line())
    for each in made.partitions:
        for stretch in each.stretches:
            if stretch.label in ("text", "rodata", "data"):
                assert stretch.physical == each.physical + stretch.virtual - constants()["PROGRAM_ADDRESS"]
        stack = next(stretch for stretch in each.stretches if stretch.label == "stack")
        assert stack.physical + stack.size == each.physical + each.memory
        assert stack.virtual + stack.size == each.stack_top
        assert each.memory_end == constants()["PROGRAM_ADDRESS"] + each.memory - each.partition.stack


def test_the_image_of_data_is_in_the_read_only_region() -> None:
    made = planned(system((MANAGER,)))
    rodata = next(region for region in made.regions if region.kind is RegionKind.RODATA)
    data = made.partitions[0].program.segments[2]
    start = made.partitions[0].physical + data.physical - constants()["PROGRAM_ADDRESS"]
    assert rodata.physical <= start and start + len(data.content) <= rodata.physical + rodata.size


def test_memory_left_out_is_the_programs_size_a_heap_and_the_stack() -> None:
    each = planned(system((MANAGER, partition("g")))).partition("g")
    program_pages = 0x400000 + 4 * PAGE  # text, rodata, and two pages of data and bss
    assert each.memory_end == program_pages + 64 * 1024
    assert each.memory == 4 * PAGE + 64 * 1024 + 64 * 1024


def test_descriptor_blocks_are_contiguous_and_in_order() -> None:
    made = planned(line())
    place = 0
    for each in made.partitions:
        assert each.first_descriptor == place
        block = made.descriptors[place : place + each.descriptor_count]
        assert {row.partition for row in block} == {each.index}
        kinds = [row.resource for row in block]
        assert kinds == sorted(kinds, key=[Resource.REGION, Resource.DEVICE, Resource.CHANNEL].index)
        regions = [row.address for row in block[: each.region_count]]
        assert regions == sorted(regions) and kinds.count(Resource.REGION) == each.region_count
        place += each.descriptor_count
    assert place == len(made.descriptors)


def test_channels_and_descriptors_name_each_other() -> None:
    made = planned(line())
    for index, each in enumerate(made.channels):
        client, server = made.descriptors[each.client_descriptor], made.descriptors[each.server_descriptor]
        assert (client.target, client.partition, client.event) == (index, each.client, each.client_event)
        assert (server.target, server.partition, server.event) == (index, each.server, each.server_event)
        assert (client.server_end, server.server_end) == (False, True)
        assert (client.other_partition, client.other_event) == (server.partition, server.event)
        assert (server.other_partition, server.other_event) == (client.partition, client.event)
        assert (client.address, server.address) == (each.client_address, each.server_address)


def test_events_of_a_partition_differ_and_the_managers_first_is_reserved() -> None:
    of = line()
    of = replace(of, channels=(channel("manager", "log", "io", "line"), *of.channels))
    made = planned(of)
    for each in made.partitions:
        events = [
            row.event for row in made.descriptors if row.partition == each.index and row.resource is Resource.CHANNEL
        ]
        events += [interrupt.event for interrupt in made.interrupts if interrupt.partition == each.index]
        assert sorted(events) == list(range(each.index == 0, len(events) + (each.index == 0)))


def test_interrupts_have_the_vector_of_their_row() -> None:
    made = planned(line())
    first = constants()["VECTOR_DEVICE_FIRST"]
    assert [each.vector for each in made.interrupts] == list(range(first, first + len(made.interrupts)))
    assert [(each.kind.name, each.number) for each in made.interrupts] == [*(("MSIX", n) for n in range(8)), ("ISA", 4)]
    nvme, com1 = made.devices
    assert (nvme.first_interrupt, com1.first_interrupt) == (0, 8)


def test_a_window_is_seen_by_its_two_ends_alone() -> None:
    made = planned(line())
    for each in made.channels:
        window = set(pages(each.physical, each.size))
        who = {
            other.index
            for other in made.partitions
            for stretch in other.stretches
            if window & set(pages(stretch.physical, stretch.size))
        }
        assert who == {each.client, each.server}


def test_the_page_of_an_msix_table_belongs_to_ring_0_alone() -> None:
    made = planned(line())
    io, nvme = made.partition("io"), made.devices[0]
    table = nvme.bars[0].address + 0x2000
    seen = {page for stretch in io.stretches for page in pages(stretch.physical, stretch.size)}
    assert table // PAGE not in seen
    assert {(nvme.bars[0].address + offset) // PAGE for offset in (0, 0x1000, 0x3000)} <= seen
    shown = next(stretch for stretch in made.shared_stretches if stretch.physical == table)
    assert (shown.virtual, shown.user, shown.uncached) == (nvme.msix_table, False, True)


def test_base_addresses_are_naturally_aligned_in_the_window() -> None:
    start, size = BOARD.pci_window
    for device in planned(line()).devices:
        for bar in device.bars:
            if bar.bar.kind is not BarKind.PORTS:
                assert bar.address % bar.bar.size == 0
                assert start <= bar.address and bar.address + bar.bar.size <= start + size


def test_ports_are_those_of_the_devices_and_the_managers_own() -> None:
    made = planned(line())
    assert made.partition("manager").ports == ((0x402, 1), (0x604, 2), (0xCF9, 1))
    assert made.partition("io").ports == ((0x3F8, 8),)
    assert made.partition("sensor").ports == () and made.partition("sensor").bitmap is None


def test_configuration_is_read_only_and_its_owners_alone() -> None:
    config = Config("g.toml", Path("g.toml"), SPAN)
    made = planned(system((MANAGER, partition("g", config=(config,)), partition("h"))))
    (blob,) = made.configs
    seen = [
        (each.partition.name, str(stretch.rights))
        for each in made.partitions
        for stretch in each.stretches
        if stretch.physical == blob.physical
    ]
    assert seen == [("g", "r--")]


def test_a_shared_region_is_written_by_its_writer_alone() -> None:
    made = planned(line())
    table = next(region for region in made.regions if region.kind is RegionKind.SHARED)
    seen = {
        each.partition.name: str(stretch.rights)
        for each in made.partitions
        for stretch in each.stretches
        if stretch.physical == table.physical
    }
    assert seen == {"sensor": "rw-", "logger": "r--"}


def test_memory_that_does_not_fit_says_how_much_is_missing() -> None:
    (problem,) = problems(system((MANAGER, partition("a", memory=200 * MIB), partition("b", memory=100 * MIB))))
    assert problem.code == "P325"
    assert "partition b needs 100 MiB" in problem.message and "free in one piece" in problem.message
    assert [label.span for label in problem.labels] == [SPAN, BOARD_SPAN]


def test_all_that_does_not_fit_is_named_at_once() -> None:
    of = system((MANAGER, *(partition(name, memory=150 * MIB) for name in "abc")))
    (problem,) = problems(of)
    assert "partition b needs" in problem.message and "partition c" in problem.help


def test_a_full_pci_window_is_a_problem_with_the_sums() -> None:
    big = replace(NVME, bars=(Bar(0, BarKind.MEMORY_64, 32 * MIB),))
    of = system((MANAGER, partition("io", devices=("nvme0",))), board=replace(BOARD, devices=(big,)))
    (problem,) = problems(of)
    assert problem.code == "P321" and "0x2000000 bytes" in problem.message and "0x1000000" in problem.message


def test_an_msix_table_in_the_drivers_page_is_refused_with_both_addresses() -> None:
    crowded = replace(NVME, msix=Msix(4, 0, 0x2800, 0, 0x3000))
    of = system((MANAGER, partition("io", devices=("nvme0",))), board=replace(BOARD, devices=(crowded,)))
    (problem,) = problems(of)
    assert problem.code == "P322" and "0xe0002800" in problem.message and "0xe0002000" in problem.message


def test_more_events_than_there_are_is_a_problem() -> None:
    most = constants()["LIMIT_EVENTS"]
    guests = [partition(f"g{number}") for number in range(2)]
    channels = tuple(channel("g0", f"c{number}", "g1", data_size=0) for number in range(most + 5))
    found = problems(system((MANAGER, *guests), channels))
    assert [problem.code for problem in found] == ["P323", "P323"]  # once for each partition, not for each channel


def test_a_full_address_area_is_a_problem() -> None:
    board = replace(BOARD, memory=(MemoryRange(0x100000, 2048 * MIB, BOARD_SPAN),))
    regions = (Region("table", 300 * MIB, None, "manager", (), SPAN),)
    (problem,) = problems(system((MANAGER,), regions=regions, board=board))
    assert problem.code == "P326" and "300 MiB" in problem.message


def test_a_board_without_memory_for_the_monitor_is_a_problem() -> None:
    found = problems(system((MANAGER,), board=replace(BOARD, memory=(MemoryRange(0x100000, 8 * MIB, BOARD_SPAN),))))
    assert [problem.code for problem in found][:2] == ["P324", "P324"]


def test_pages_around_stacks_and_local_pages_are_not_mapped() -> None:
    number = constants()
    for each in planned(line()).partitions:
        mapped = {page for stretch in each.stretches for page in pages(stretch.virtual, stretch.size)}
        top = each.stack_top
        assert top // PAGE not in mapped and (top - each.partition.stack) // PAGE - 1 not in mapped
        assert (number["LOCAL_CALL_PAGE"] // PAGE) + 1 not in mapped and (
            number["LOCAL_CONTEXT"] // PAGE
        ) + 1 not in mapped


def test_the_database_is_the_managers_to_read_and_nobody_elses() -> None:
    made = planned(line())
    readers = {
        each.partition.name
        for each in made.partitions
        for stretch in each.stretches
        if stretch.user and stretch.physical == constants()["DATABASE_PHYSICAL"]
    }
    assert readers == {"manager"}


def test_partitions_with_one_program_have_each_its_own_text() -> None:
    same = Program(sources=(Path("same.c"),), span=SPAN)
    made = planned(system((MANAGER, partition("a", program=same), partition("b", program=same))))
    texts = [region.physical for region in made.regions if region.kind is RegionKind.TEXT]
    assert len(set(texts)) == len(texts) == 3


def test_zero_filled_kinds_are_all_there() -> None:
    kinds = {extent.kind for extent in planned(line()).extents}
    assert kinds == set(ExtentKind) - {ExtentKind.CONFIG}


def test_more_interrupts_than_vectors_is_a_problem() -> None:
    disks = tuple(replace(NVME, name=f"nvme{number}", address=number << 3) for number in range(30))
    io = partition("io", devices=tuple(each.name for each in disks))
    of = system((MANAGER, io), board=replace(BOARD, devices=disks))
    (problem,) = problems(of)
    assert problem.code == "P327" and "nvme29" in problem.message and "240 interrupts" in problem.message


def test_a_descriptor_page_that_is_full_is_a_problem() -> None:
    config = tuple(Config(f"c{number}", Path("c"), SPAN) for number in range(320))
    (problem,) = problems(system((MANAGER, partition("g", config=config))))
    assert problem.code == "P326" and "descriptor page has 64 KiB" in problem.message


def test_more_descriptors_than_rows_is_a_problem() -> None:
    guests = [partition(f"g{number}") for number in range(60)]
    readers = tuple(guest.name for guest in guests[1:])
    regions = tuple(Region(f"r{number}", PAGE, None, "g0", readers, SPAN) for number in range(70))
    rows = 61 * 4 + 70 * 60  # each partition has text, read-only data, data and stack of its own
    (problem,) = problems(system((MANAGER, *guests), regions=regions))
    assert problem.code == "P328" and f"{rows}, {rows - 4096} too many" in problem.message
    assert len(planned(system((MANAGER, *guests), regions=regions[:64])).descriptors) == 61 * 4 + 64 * 60 <= 4096


def with_budget(of: System, budget: int) -> System:
    """`of`, in whose second frame the I/O partition has this budget."""
    (schedule,) = of.schedules
    frame = schedule.frames[1]
    frames = (schedule.frames[0], replace(frame, slots=(replace(frame.slots[0], budget=budget), *frame.slots[1:])))
    return replace(of, schedules=(replace(schedule, frames=frames),))


def test_an_interrupt_by_msi_costs_the_monitor_two() -> None:
    """Of an entry's budget: it is masked in configuration space, and has one vector."""
    number, of = constants(), with_budget(line(), 20_000)
    plain = replace(NVME, msix=None)
    with_msi, without = (
        replace(of, board=replace(of.board, devices=(device, *of.board.devices[1:])))
        for device in (replace(plain, msi=0x80), plain)
    )
    (msi,), (none,) = planned(with_msi).monitor_time, planned(without).monitor_time
    assert msi[1][0] - none[1][0] == 2 * number["COST_INTERRUPT"]
    nvme, *_ = planned(with_msi).interrupts
    assert (nvme.kind.name, nvme.number) == ("MSI", 0x80)


def test_the_monitors_share_of_a_budget_holds_switches_calls_and_interrupts() -> None:
    number, made = constants(), planned(with_budget(line(), 20_000))
    (before, (share, *others)) = made.monitor_time[0]
    most = max(made.partitions[channel.client].region_count for channel in made.channels)
    entry = number["COST_CONVERT"] + most * number["COST_CONVERT_REGION"]
    calls = 2 * number["COST_CALL"] + number["LIMIT_BATCH"] * entry
    assert share == number["COST_TURN"] + calls + 9 * number["COST_INTERRUPT"]
    assert not any((*before, *others))  # no budget, nothing to take it from


def test_a_budget_that_is_mostly_the_monitors_is_refused() -> None:
    share = planned(with_budget(line(), 20_000)).monitor_time[0][1][0]
    planned(with_budget(line(), 2 * share))
    assert [problem.code for problem in problems(with_budget(line(), 2 * share - 1))] == ["P128"]

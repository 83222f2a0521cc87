# SPDX-License-Identifier: Apache-2.0
"""The benchmarks measure what they say. No assertion on wall time."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import counting, figures_build, figures_guest, figures_schedule, guest, scaling, serialising, stages
from bench.__main__ import measure_all, misses
from bench.counting import Counts, Place, count
from bench.disk import DISK_SIZE, FACTOR, disk
from bench.figure import Figure, median, table
from bench.guest import NotMeasured, build_guests, parse, run
from parclose.constants import constants


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is shared with a `make bench` that runs at the same time."""
    monkeypatch.setattr(guest, "OUT", tmp_path)


def figure(value: float, **others: object) -> Figure:
    return Figure("f", value, "instructions", 100, "from here to there", **others)  # type: ignore[arg-type]


def test_a_guests_lines_become_samples_and_others_are_refused() -> None:
    assert parse("a 1\nb 20\na 3\n") == {"a": [1, 3], "b": [20]}
    with pytest.raises(NotMeasured, match="garbled"):
        parse("a 1\ngarbled\n")


def test_the_clocks_own_cost_must_be_steady() -> None:
    assert figures_guest.overhead({"nothing": [6] * 1000}) == 6
    with pytest.raises(NotMeasured, match="between 6 and 7 ticks"):
        figures_guest.overhead({"nothing": [6] * 999 + [7]})
    with pytest.raises(NotMeasured, match="999 samples"):
        figures_guest.overhead({"nothing": [6] * 999})


def test_the_plugins_file_is_read_whole_or_not_at_all() -> None:
    text = "count 1 50 3 9\ncount 1 52 4 0\nat 1 0x1000010 0xffffffff80000010 7\nwhole\n"
    place = Place(1, 0x1000010, 0xFFFFFFFF80000010, 7)
    assert counting.parse(text) == Counts({1: [50, 52]}, [place], {1: [3, 4]}, {1: [9, 0]})
    with pytest.raises(NotMeasured, match="not whole"):
        counting.parse(text.removesuffix("whole\n"))


def test_code_lines_are_those_with_more_than_blanks_and_comments() -> None:
    text = '/* a\n   b */ int x; // c\n\n  // d\nchar *s = "/* no comment";\nint y; /*\n*/\n'
    assert figures_build.code_lines(text) == 3


def test_the_compilers_list_may_hold_names_with_spaces() -> None:
    rules = "a.o: /x/a.c \\\n /x/my\\ own/b.h /x/c.h\nd.o: /x/d.c /x/c.h\n"
    assert figures_build.files_of(rules) == [Path("/x/a.c"), Path("/x/c.h"), Path("/x/d.c"), Path("/x/my own/b.h")]


def test_a_layout_that_cannot_be_changed_is_no_measurement() -> None:
    assert "    memory: 2 MiB\n" in stages.changed("partitions:\n  sensor:\n    program: a.c\n", "2 MiB")
    with pytest.raises(NotMeasured):
        stages.changed("partitions:\n  other:\n    program: a.c\n", "2 MiB")


def test_the_table_says_what_was_missed_and_by_how_much() -> None:
    assert figure(100).verdict() == "met"
    assert figure(150).verdict() == "missed by 50 (50%)"
    shown = table([figure(90, worst=95, peers={"seL4": 378}), figure(150)])
    assert "90" in shown and "seL4 378" in shown and "missed by 50 (50%)" in shown
    assert misses([figure(90), figure(150, where=lambda: "monitor 150")]) == ["f missed by 50 (50%): monitor 150"]


def test_an_entry_of_the_document_has_what_the_contract_names() -> None:
    found = figure(90, worst=95, median_of=3, peers={"seL4": 378}).document()
    assert found["name"] == "f" and found["better"] == "lower" and found["between"] == "from here to there"
    assert (found["value"], found["worst"], found["median_of"], found["goal"]) == (90, 95, 3, 100)
    assert found["median"] == 90 and found["met"] and found["goal_for"] == "median"
    assert figure(90).document()["worst"] == 90  # measured once
    assert (median([1, 2, 9]), median([1, 2])) == (2, 1.5)


def test_a_promise_is_judged_by_its_worst_and_a_share_from_below() -> None:
    bound = figure(90, worst=120, bound=True)
    assert bound.verdict() == "missed by 20 (20%)" and bound.document()["goal_for"] == "worst"
    assert figure(90, worst=100, bound=True).met
    share = Figure("s", 0.9, "of memcpy", 0.95, "", more_is_better=True)
    assert share.verdict() == "missed by 0.05 (5%)" and share.document()["better"] == "higher"
    assert Figure("s", 0.95, "of memcpy", 0.95, "", more_is_better=True).met


def test_every_row_says_what_was_measured_between() -> None:
    row = figures_build.monitor_text().document()  # of one measurement, which has a worst too
    assert {"median", "worst", "between", "goal", "met", "unit"} <= set(row) and len(row["between"]) > 20


def test_serialising_instructions_are_told_from_others() -> None:
    for mnemonic, operands in (
        ("wrmsr", ""),
        ("xsave64", "(%rcx)"),
        ("xsavec", "(%rdi)"),
        ("xrstor64", "(%rcx)"),
        ("mov", "%rax,%cr3"),
        ("movq", "%rax,%db7"),
        ("iretq", ""),
        ("sysretq", ""),
        ("invlpg", "(%rax)"),
        ("lgdt", "0x6(%rsp)"),
    ):
        assert serialising.is_serialising(mnemonic, operands), mnemonic
    for mnemonic, operands in (
        ("mov", "%cr2,%rdi"),
        ("rdmsr", ""),
        ("wrfsbase", "%rax"),
        ("swapgs", ""),
        ("mov", "%rax,%gs:0x8"),
        ("lock", "cmpxchg"),
        ("ret", ""),
    ):
        assert not serialising.is_serialising(mnemonic, operands), mnemonic


def test_a_switch_serialises_at_least_where_it_must() -> None:
    """The address space, the extended state twice and the way back: none of them can be left out."""
    found = figures_schedule.switch_serialising()
    assert 4 <= found.value <= (found.worst or 0) < 20


def test_the_layouts_of_scaling_have_the_size_that_they_say() -> None:
    """The biggest one builds and runs: all partitions and all minor frames that there can be."""
    image = scaling.image(scaling.MANY, scaling.LONG)
    assert len(image.build.system.partitions) == constants()["LIMIT_PARTITIONS"] == scaling.MANY
    assert len(image.build.system.schedules[0].frames) == constants()["LIMIT_FRAMES"] == scaling.LONG
    few = scaling.text(scaling.FEW, scaling.SHORT)
    assert few.count("{for:") == scaling.SHORT - 1 and "idle" not in few
    samples = run(image).samples["partition-switch"]
    assert len(samples) >= 1000 and median(samples) < 500


def test_a_stream_in_place_costs_little_more_than_its_copy() -> None:
    found = figures_guest.stream_share()
    assert found.median_of >= 20 and 0.5 < found.value < 1  # two copies would stay below a half


def test_a_restart_is_counted_to_the_first_instruction_of_the_next_life() -> None:
    image = build_guests("restart")
    _, counts = count(image, counting.entered(image, "faulter"), any_end=True)
    totals = counts.totals[counting.ENTER]
    owners = counting.Owners(image)
    sides = {owners.of(place)[0]: owners.of(place)[1] for place in counts.places if place.mark == counting.ENTER}
    assert len(totals) >= 50 and min(totals) > 1000
    assert {"monitor", "manager", "faulter"} <= set(sides)
    assert sides["faulter"] == "main"  # the instruction that faults, and nothing of the next life
    with pytest.raises(NotMeasured, match="no partition nobody"):
        counting.entered(image, "nobody")


def test_what_a_sensor_loses_is_within_the_budget_of_the_one_before_it() -> None:
    """The I/O partition is given more than it can do: it takes its budget, and the sensor sees that."""
    found = figures_schedule.frame_theft()
    assert found.goal == 20_000 and found.bound
    assert 0.5 * found.goal < found.value <= (found.worst or 0) <= found.goal


def test_a_figure_that_cannot_be_measured_is_absent() -> None:
    def broken() -> Figure:
        raise NotMeasured("no samples")

    results, failures = measure_all([broken, lambda: figure(1)])
    assert results == [figure(1)]
    assert failures == ["broken: NotMeasured: no samples"]


def test_the_disk_holds_a_function_of_the_place() -> None:
    with open(disk(), "rb") as file:
        assert file.seek(0, 2) == DISK_SIZE
        for place in (0, 8, 0x123458, DISK_SIZE - 8):
            file.seek(place)
            assert int.from_bytes(file.read(8), "little") == place * FACTOR % (1 << 64)


def test_the_size_of_ring_0_is_plausible() -> None:
    text, lines = figures_build.monitor_text(), figures_build.monitor_lines()
    assert 8_000 < text.value < 80_000
    assert 1_000 < lines.value < 10_000
    names = {file.name for file in figures_build.ring_0_files()}
    assert {"entry.S", "schedule.c", "database.h", "stdint.h"} <= names and "monitor.ld.S" not in names


def test_clock_and_plugin_agree_on_a_switch() -> None:
    """Both from one run: what the plugin saw between the partitions is the shortest that the clock says."""
    image = build_guests("switch")
    done, counts = count(image, *counting.way(image, "first", "second"))
    seen = counts.totals[counting.SWITCH]
    measured = [sample - 1 for sample in done.samples["partition-switch"]]
    assert len(measured) >= 1000 and len(seen) >= len(measured)
    assert min(measured) == min(seen) + 1  # from the last instruction of one to the first of the other
    assert median(measured) <= median(seen) + 3


def test_clock_and_plugin_agree_on_a_call() -> None:
    """The same calls, measured by the guest's clock and counted by the plugin, which knows nothing of the clock."""
    image = build_guests("calls")
    samples = run(image).samples
    own = figures_guest.overhead(samples)
    measured = median(samples["no-call"]) - own
    _, counts = count(image)
    (total,) = counts.totals[2]
    loop = total / len(samples["no-call"])
    owners = counting.Owners(image)
    guest = sum(place.times for place in counts.places if place.mark == 2 and owners.of(place)[0] == "caller")
    monitor = sum(place.times for place in counts.places if place.mark == 2 and owners.of(place)[0] == "monitor")
    assert guest + monitor == pytest.approx(total, abs=2)
    assert 20 < measured < 500
    assert measured == pytest.approx(1 + monitor / len(samples["no-call"]), abs=1)  # SYSCALL is the guest's
    assert loop > measured

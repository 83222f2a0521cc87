# SPDX-License-Identifier: Apache-2.0
"""The runtime and the manager on the machine: memory, names, disks, messages and consoles, also across restarts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parclose import emulator, paths, pipeline

EXAMPLES = paths.data("examples")
FORGIVING = "health: {fault: {do: restart, limit: 20, within: 1 min, then: stop}}"
EXACT = ("-icount", "shift=0,sleep=off")  # the clock counts instructions: a busy host cannot steal a turn
RECORDS, RECORD_SIZE, EXTENT = 64, 4096, 8 << 20

Boot = Callable[..., Any]


def _finished(boot: Boot, layout: Path | str, **settings: Any) -> Any:
    return boot(layout, timeout=60, **settings).finish()


def test_hello(parclose_boot: Boot) -> None:
    """The shortest layout prints, ends with 0, and nothing else is needed."""
    machine = parclose_boot(EXAMPLES / "hello" / "layout.yaml", timeout=60)
    machine.expect(r"hello\| hello from partition 'hello'")
    assert machine.finish().end("hello").status == 0


def _expected_disk() -> bytes:
    disk = bytearray(2 * EXTENT)
    for name, start in (("sensor", 0), ("logger", EXTENT)):
        for number in range(RECORDS):
            record = f"{name:<8} record {number:06d} ........\n".encode() * 128
            disk[start + number * RECORD_SIZE : start + (number + 1) * RECORD_SIZE] = record
    return bytes(disk)


def test_line(parclose_boot: Boot) -> None:
    """Two guests share a disk and a console and miss no turn, while a third is stopped at each attempt to get out."""
    machine = parclose_boot(EXAMPLES / "line" / "layout.yaml", timeout=60, extra=EXACT)
    attempts = [machine.expect(rf"intruder\| attempting .* at (0x[0-9a-f]+), life {life}\r?\n") for life in (1, 2, 3)]
    machine.wait_event(event="end", failed=1)
    machine.wait_exit()  # on_end: poweroff
    assert (machine.end("sensor").status, machine.end("logger").status) == (0, 0)
    assert re.findall(r"(?:sensor|logger)\| 300 turns, .*: (\d+) missed", machine.log) == ["0", "0"]
    assert "SUCCEEDED" not in machine.log
    stops = [event for event in machine.events() if event["event"] == "stopped"]
    assert [(event["partition"], event["vector"], event["address"]) for event in stops] == [
        ("intruder", 14, attempt.group(1)) for attempt in attempts
    ]
    assert [event["then"] for event in stops] == ["restart", "restart", "stop"]
    assert _disk(machine)[: 2 * EXTENT] == _expected_disk()


def _disk(machine: Any) -> bytes:
    (disk,) = machine.options.state.glob("disks/nvme0*")
    return bytes(disk.read_bytes())


def test_every_life_is_as_the_first(parclose_boot: Boot) -> None:
    """Data restored, bss cleared, constructors run, names found, in four lives; a region's reader sees its writer."""
    machine = _finished(parclose_boot, "runtime/selfcheck.yaml")
    assert (machine.end("selfcheck").status, machine.end("selfcheck").lives) == (0, 4)
    assert machine.end("reader").status == 0
    for life in range(1, 5):
        assert f"selfcheck| life {life} is as the others" in machine.log


def test_a_death_with_the_disk_at_work(parclose_boot: Boot) -> None:
    """A guest that dies with 32 reads under way is restarted, and none of them reaches its next life."""
    machine = _finished(parclose_boot, "runtime/careless.yaml")
    assert (machine.end("careless").status, machine.end("careless").lives) == (0, 6)


def test_health(parclose_boot: Boot) -> None:
    """Limits of restarts hold within their time and not beyond it; then the board is reset."""
    machine = parclose_boot("runtime/flaky.yaml", timeout=60, extra=EXACT)
    machine.wait_event(event="end", failed=2)
    machine.wait_exit()  # QEMU's -no-reboot
    found = {end.partition: (end.state, end.lives) for end in machine.ends() if end.partition != "_io"}
    assert found == {
        "patient": ("ended", 7),
        "strict": ("stopped", 3),
        "endless": ("ended", 7),
        "once": ("stopped", 1),
    }


def test_peers_restart(parclose_boot: Boot) -> None:
    """Either end of a channel between guests dies and comes back; the other goes on."""
    machine = _finished(parclose_boot, "runtime/peers.yaml")
    assert (machine.end("asker").status, machine.end("asker").lives) == (0, 3)
    assert (machine.end("answerer").status, machine.end("answerer").lives) == (0, 6)


def test_a_flooded_console_loses_nothing(parclose_boot: Boot) -> None:
    """Two guests print more than any buffer holds."""
    machine = _finished(parclose_boot, "runtime/flood.yaml")
    for name in ("left", "right"):
        assert machine.end(name).status == 0
        lines = re.findall(rf"{name}\| (\d{{5}}) (\.*)\r?\n", machine.log)
        assert [(int(number), len(dots)) for number, dots in lines] == [(n, n % 100) for n in range(300)]


def test_console_input(parclose_boot: Boot) -> None:
    """Lines that are typed reach the guest, a line at a time."""
    machine = parclose_boot("runtime/echo.yaml", timeout=60)
    machine.expect("ready")
    for word in ("hello", "bye"):
        machine.send(f"{word}\r")
        machine.expect(f"you said '{word}'")
    assert machine.finish().end("echo").status == 0


Plant = Callable[..., Path]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """A function (file, text, other) that makes a copy of the partitions' sources with `text` in `file` replaced."""

    def planted(file: str, text: str, other: str) -> Path:
        sources = tmp_path / "partitions"
        shutil.copytree(paths.data("partitions"), sources)
        before = (sources / file).read_text()
        assert before.count(text) == 1
        (sources / file).write_text(before.replace(text, other))
        return sources

    return planted


def _dying(turns: int, lives: int) -> tuple[str, str, str]:
    """An I/O partition that dies after `turns` turns of its loop in each of its first `lives` lives."""
    fault = f"static int turns; if (calls_life() <= {lives} && ++turns == {turns}) __builtin_trap();"
    return ("io/main.c", "calls_wait(more", fault + "\n    calls_wait(more")


def _boot_planted(boot: Boot, layout: Path, sources: Path, out: Path, **settings: Any) -> Any:
    built = pipeline.build(layout, out, partitions_sources=sources)
    return boot(emulator.machine(built.system.board, built.image), timeout=60, **settings)


def test_guests_survive_their_io_partition(parclose_boot: Boot, plant: Plant, tmp_path: Path) -> None:
    """The I/O partition dies ten times under two guests: their disk calls and messages do not notice."""
    layout = tmp_path / "line" / "layout.yaml"
    shutil.copytree(EXAMPLES / "line", layout.parent)
    layout.write_text(layout.read_text().replace("    dma: trusted", f"    {FORGIVING}\n    dma: trusted"))
    machine = _boot_planted(parclose_boot, layout, plant(*_dying(turns=40, lives=10)), tmp_path / "build")
    machine.wait_event(event="end", failed=1)
    machine.wait_exit()
    assert (machine.end("sensor").status, machine.end("logger").status) == (0, 0)
    assert machine.end("io").lives == 11
    assert _disk(machine)[: 2 * EXTENT] == _expected_disk()


def test_guests_do_not_hang_without_their_io_partition(parclose_boot: Boot, plant: Plant, tmp_path: Path) -> None:
    """The I/O partition is stopped for good: print gives up, a disk call runs into its time-out, the guest goes on."""
    layout = Path(__file__).parent / "runtime" / "alone.yaml"
    machine = _boot_planted(parclose_boot, layout, plant(*_dying(5, 99)), tmp_path / "build", extra=EXACT).finish()
    assert machine.end("io").state == "stopped"
    assert machine.end("alone").status == 0


def test_a_server_that_does_not_drain_is_restarted(parclose_boot: Boot, plant: Plant, tmp_path: Path) -> None:
    """The I/O partition's first life releases nothing: the manager restarts it, so that its client can be restarted."""
    withheld = """
#define monitor_release(channel, count) (life() == 1 ? STATUS_OK : (monitor_release)(channel, count))
#define monitor_signal(channel, count) (monitor_signal)(channel, life() == 1 ? 0 : (count))
#define monitor_signal_and_wait(channel, count, end) (monitor_signal_and_wait)(channel, life() == 1 ? 0 : (count), end)
"""
    included = '#include "parclose.h"\n'
    sources = plant("io/calls.c", included, included + withheld)
    layout = Path(__file__).parent / "runtime" / "careless.yaml"
    machine = _boot_planted(parclose_boot, layout, sources, tmp_path / "build").finish()
    assert (machine.end("careless").status, machine.end("careless").lives) == (0, 6)
    assert machine.end("io").lives == 2
    assert any(event["event"] == "draining" for event in machine.events())
    stops = [event for event in machine.events() if event["event"] == "stopped" and event["partition"] == "io"]
    assert [(event["reason"], event["then"]) for event in stops] == [("manager", "restart")]


def test_a_start_is_refused_with_the_reason(parclose_boot: Boot, plant: Plant, tmp_path: Path) -> None:
    """A manager that forgets the disk's descriptors: its client is not started, and the report says why."""
    forgetful = '    if (strcmp(descriptor_row(i)->name, "disk") == 0)\n      continue;\n'
    line = "    uint32_t partition = descriptor_row(i)->partition;\n"
    sources = plant("manager/manager.c", line, forgetful + line)
    layout = Path(__file__).parent / "runtime" / "careless.yaml"
    machine = _boot_planted(parclose_boot, layout, sources, tmp_path / "build").finish()
    refused = [event for event in machine.events() if event["event"] == "refused"]
    assert [(event["partition"], event["status_name"], event["descriptor"]) for event in refused] == [
        ("careless", "STATUS_NOT_ASSIGNED", "disk")
    ]
    assert machine.end("io").state == "running"

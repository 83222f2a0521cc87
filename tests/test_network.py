# SPDX-License-Identifier: Apache-2.0
"""Networks on the machine: guests among themselves (test_internet has those with a wire)."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from packets import IP, UDP, address, checksum, ethernet, ipv4, udp
from parclose import emulator, inspect, paths, pipeline
from wire import Wire

ROOT = Path(__file__).parent.parent
NETWORK = Path(__file__).parent / "network"
STATION = bytes.fromhex("52540000000a")

Boot = Callable[..., Any]


def test_guests_among_themselves(parclose_boot: Boot) -> None:
    """Every frame comes back unchanged, in three lives; who is in no list is not heard, whatever it calls itself."""
    machine = parclose_boot(NETWORK / "closed.yaml", timeout=60)
    for partition in ("asker", "bystander", "spoofer"):
        assert machine.wait_event(event="ended", partition=partition)["status"] == 0
    assert "spoofer| refused as it should be" in machine.log
    assert re.findall(r"asker\| 700 frames came back, life (\d)", machine.log) == ["1", "2", "3"]


def test_a_death_with_frames_lent_to_the_card(parclose_boot: Boot) -> None:
    """A guest that dies with 32 frames under way is restarted when the card has read them: none is of two lives."""
    with Wire() as wire:
        machine = parclose_boot(NETWORK / "careless.yaml", timeout=60, networks={"nic0": wire.netdev})
        machine.wait_event(event="ended", partition="careless", timeout=50)
        seen = wire.receive_many(6 * 32, timeout=2)
    assert (machine.end("careless").status, machine.end("careless").lives) == (0, 6)
    lives = [set(frame[14:]) for frame in seen]
    assert all(len(found) == 1 for found in lives) and {6} in lives
    assert {len(frame) for frame in seen} == {1000}


def test_checksums_are_the_cards(parclose_boot: Boot) -> None:
    """Of frames that go, and what it found of those that come: right ones only are called so."""
    ours, theirs = (address("02:00:00:00:00:01"), address("10.0.2.9")), (STATION, address("10.0.2.15"))
    with Wire() as wire:
        machine = parclose_boot(NETWORK / "sums.yaml", timeout=60, networks={"nic0": wire.netdev})
        for number in range(24):
            frame = wire.receive(30)
            assert frame is not None
            length = int.from_bytes(frame[38:40])
            assert length == 8 + 1 + 61 * number and frame[:12] == ours[0] + theirs[0]
            pseudo = frame[26:34] + bytes([0, UDP]) + frame[38:40]
            assert checksum(frame[14:34]) == checksum(pseudo + frame[34 : 34 + length]) == 0
        ips = ours[1], theirs[1]
        for data, words in ((b"good" * 50, "good: checked"), (b"bad" * 50, "bad: not checked")):
            datagram = udp(*ips, (6000, 5000), data)
            if data[:1] == b"b":
                datagram = datagram[:-1] + b"?"
            wire.send(ethernet(theirs[0], ours[0], IP, ipv4(*ips, UDP, datagram)))
            machine.expect(rf"sums\| {words}")
        assert machine.wait_event(event="ended", partition="sums")["status"] == 0


def _planted(folder: Path, file: str, text: str, other: str) -> Path:
    """A copy of the partitions' sources with `text` in `file` replaced."""
    sources = folder / "partitions"
    shutil.copytree(paths.data("partitions"), sources)
    before = (sources / file).read_text()
    assert before.count(text) == 1
    (sources / file).write_text(before.replace(text, other))
    return sources


def test_guests_survive_their_switch(parclose_boot: Boot, tmp_path: Path) -> None:
    """The I/O partition dies six times under two hosts: what they had under way is lost, and they answer again."""
    fault = "static int turns; if (calls_life() <= 6 && ++turns == 60) __builtin_trap();\n    calls_wait(more"
    folder = tmp_path / "layout"
    shutil.copytree(NETWORK, folder)
    layout = folder / "hosts.yaml"
    forgiving = "health: {fault: {do: restart, limit: 20, within: 1 min, then: stop}}"
    layout.write_text(layout.read_text().replace("    dma: trusted", f"    {forgiving}\n    dma: trusted"))
    built = pipeline.build(
        layout, tmp_path / "build", partitions_sources=_planted(tmp_path, "io/main.c", "calls_wait(more", fault)
    )
    target = emulator.machine(built.system.board, built.image)
    with Wire() as wire:
        machine = parclose_boot(target, timeout=90, networks={"nic0": wire.netdev})
        for _ in range(2):
            machine.expect(r"(first|second)\| 10\.0\.2\.1[56] is up")
        for number in range(150):
            _ask_until_answered(wire, number)
        assert machine.end("io").lives == 7


def _ask_until_answered(wire: Wire, number: int) -> None:
    mac, ip = (("52:54:00:00:00:0f", "10.0.2.15"), ("52:54:00:00:00:10", "10.0.2.16"))[number % 2]
    data = number.to_bytes(4) * 200
    ours, our_ip = address("02:00:00:00:00:01"), address("10.0.2.9")
    there = our_ip, address(ip)
    asked = ethernet(address(mac), ours, IP, ipv4(*there, UDP, udp(*there, (4000, 7), data)))
    for _ in range(60):
        wire.send(asked)
        while (frame := wire.receive(0.5)) is not None:
            if frame[:6] == ours and frame[42 : 42 + len(data)] == data:
                return
    raise AssertionError(f"no answer to {number}")


def test_image_and_report_say_who_talks_to_whom(tmp_path: Path) -> None:
    layout = tmp_path / "net.yaml"
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    layout.write_text(
        "layout: 1\nboard: qemu-q35\npartitions:\n"
        "  io:\n    program: {builtin: io}\n    devices: [nic0, com1]\n    dma: trusted\n"
        "    endpoints: {line: {console: com1}, plant: {network: nic0}}\n"
        "  a: {program: main.c, channels: {tty: io.line, net: {to: io.plant, vlan: 5, talks_to: [b]}}}\n"
        '  b: {program: main.c, channels: {tty: io.line, net: {to: io.plant, mac: "52:54:00:00:00:0b", vlan: 5,'
        ' groups: ["01:00:5e:00:00:fb"]}}}\n'
    )
    built = pipeline.build(layout, tmp_path / "out")
    seen = inspect.read(built.image)
    ports = {
        (partition["name"], channel["peer"]): channel["port"]
        for partition in seen["partitions"]
        for channel in partition["channels"]
        if "port" in channel
    }
    derived = ports["a", "io"]["mac"]
    assert int(derived[:2], 16) & 3 == 2 and derived == ports["io", "a"]["mac"]
    common = {"vlan": 5, "neighbours": [], "groups": []}
    assert ports["io", "a"] == {**common, "mac": derived, "wire": False, "talks_to": ["b"]}
    heard = {**common, "mac": "52:54:00:00:00:0b", "wire": True, "groups": ["01:00:5e:00:00:fb"]}
    assert ports["io", "b"] == {**heard, "talks_to": ["a"]}
    assert ports["a", "io"] == {**common, "mac": derived, "wire": False, "talks_to": [], "neighbours": [heard["mac"]]}
    assert f"mac {derived}, vlan 5, talks to 52:54:00:00:00:0b, rw-" in inspect.text(seen)
    assert seen["disagreements"] == []
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    (mine,) = [
        channel["network"]
        for partition in report["partitions"]
        if partition["name"] == "a"
        for channel in partition["channels"]
        if channel["network"]
    ]
    assert (mine["mac"], mine["vlan"], mine["talks_to"]) == (derived, 5, ["b"])
    assert "received: copied once, into the channel's data area" in (tmp_path / "out" / "report.txt").read_text()


def test_the_documentation_knows_every_counter_of_the_switch() -> None:
    server = ROOT / "partitions" / "io" / "server"
    used = {
        name
        for source in (*server.glob("network_*.c"), server / "refusal.h")
        for name in re.findall(r"COUNT_[A-Z_]+", source.read_text())
    }
    table = dict(re.findall(r"^\| `(COUNT_\w+)` \| .* \| (.*) \|$", (ROOT / "docs" / "networks.md").read_text(), re.M))
    done = {"COUNT_REQUESTS", "COUNT_BYTES", "COUNT_RECEIVED", "COUNT_RECEIVED_BYTES", "COUNT_ERRORS"}
    done |= {"COUNT_OUTSIDE_EXTENT", "COUNT_UNALIGNED"}  # of disks
    assert set(table) == used - done
    for programs in table.values():
        for program in re.findall(r"[a-z]+/\w+\.c", programs):
            assert (ROOT / "tests" / program).is_file(), program

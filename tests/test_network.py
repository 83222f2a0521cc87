# SPDX-License-Identifier: Apache-2.0
"""Networks on the machine: guests among themselves, guests and a wire."""

from __future__ import annotations

import json
import random
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import internet
from parclose import inspect, pipeline
from wire import Wire

NETWORK = Path(__file__).parent / "network"
STATIONS = {15: bytes.fromhex("52540000000a"), 16: bytes.fromhex("52540000000b")}  # last byte of the IP address, MAC

Boot = Callable[..., Any]


def test_guests_among_themselves(parclose_boot: Boot) -> None:
    """Every frame comes back unchanged, in three lives; who is in no list is not heard, whatever it calls itself."""
    machine = parclose_boot(NETWORK / "closed.yaml", timeout=60)
    machine.expect(r"spoofer\| refused as it should be")
    for life in (1, 2, 3):
        machine.expect(rf"asker\| 700 frames came back, life {life}")
    for partition in ("asker", "bystander", "spoofer"):
        assert machine.wait_event(event="ended", partition=partition)["status"] == 0


def _arp(wire: Wire, host: int, mac: bytes) -> None:
    wire.send(internet.who_has(bytes([10, 0, 2, host])))
    answer = wire.receive()
    assert answer is not None and answer[:12] == internet.HOST_MAC + mac and answer[20:22] == b"\x00\x02"
    assert answer[22:32] == mac + bytes([10, 0, 2, host])


def test_two_stations_behind_one_card(parclose_boot: Boot) -> None:
    """ARP, ICMP and UDP echo of two guests; short frames, the longest, and who is not there."""
    with Wire() as wire:
        machine = parclose_boot(NETWORK / "wire.yaml", timeout=90, networks={"nic0": wire.netdev})
        machine.expect_lines(r"first\| link up", r"second\| link up")
        for host, mac in STATIONS.items():
            _arp(wire, host, mac)
        for size in (0, 1, 18, 200, 1000, 1472):
            data = {host: bytes((host + size + place) % 251 for place in range(size)) for host in STATIONS}
            for host, mac in STATIONS.items():
                address = bytes([10, 0, 2, host])
                wire.send(internet.ping(mac, address, size, data[host]), internet.udp(mac, address, data[host]))
            found = {internet.answer_of(frame) for frame in wire.receive_many(4)}
            udp = {(internet.UDP, bytes([10, 0, 2, host]), data[host]) for host in STATIONS}
            icmp = {(internet.ICMP, bytes([10, 0, 2, host]), size.to_bytes(2) + data[host]) for host in STATIONS}
            assert found == udp | icmp
        wire.send(internet.udp(bytes.fromhex("525400000077"), bytes([10, 0, 2, 15]), b"to nobody"))
        forged = internet.udp(STATIONS[15], bytes([10, 0, 2, 15]), b"forged")
        wire.send(forged[:6] + STATIONS[16] + forged[12:])
        assert wire.receive(1) is None
        assert machine.process


def test_a_wire_that_loses_delays_repeats_and_corrupts(parclose_boot: Boot) -> None:
    """What arrives whole is answered, as often as it arrives; what does not is not; then all is as before."""
    chance = random.Random(6)
    with Wire() as wire:
        machine = parclose_boot(NETWORK / "wire.yaml", timeout=90, networks={"nic0": wire.netdev})
        machine.expect_lines(r"first\| link up", r"second\| link up")
        expected: Counter[bytes] = Counter()
        heard: Counter[bytes] = Counter()
        late: list[bytes] = []
        for number in range(400):
            host, mac = chance.choice(list(STATIONS.items()))
            data = number.to_bytes(4) + chance.randbytes(chance.randrange(1400))
            frame = internet.udp(mac, bytes([10, 0, 2, host]), data)
            fate = chance.choice(["whole"] * 4 + ["lost", "late", "twice", "corrupt", "cut"])
            if fate == "corrupt":
                place = chance.randrange(42, 42 + len(data))
                frame = frame[:place] + bytes([frame[place] ^ 1 << chance.randrange(8)]) + frame[place + 1 :]
            times = {"whole": 1, "late": 1, "twice": 2}.get(fate, 0)
            expected[data] += times
            if fate == "late":
                late.append(frame)
            elif fate != "lost":
                wire.send(*[frame[: chance.randrange(14, 42)] if fate == "cut" else frame] * max(times, 1))
            if number % 20 == 19:
                wire.send(*late)
                late.clear()
                _hear(wire, heard, expected)
        assert heard == +expected
        for host, mac in STATIONS.items():
            _arp(wire, host, mac)


def _hear(wire: Wire, heard: Counter[bytes], expected: Counter[bytes]) -> None:
    while heard.total() < expected.total():
        frame = wire.receive(5)
        assert frame is not None, (heard.total(), expected.total())
        answer = internet.answer_of(frame)
        assert answer is not None and answer[0] == internet.UDP
        heard[answer[2]] += 1


def test_the_link_drops_and_comes_back(parclose_boot: Boot) -> None:
    """Both guests hear of it, and all is as before afterwards."""
    with Wire() as wire:
        machine = parclose_boot(NETWORK / "wire.yaml", timeout=90, networks={"nic0": wire.netdev})
        machine.expect_lines(r"first\| link up", r"second\| link up")
        for up in (False, True, False, True):
            machine.qmp("set_link", name="nic0", up=up)
            word = "up" if up else "down"
            machine.expect_lines(rf"first\| link {word}", rf"second\| link {word}")
        for host, mac in STATIONS.items():
            _arp(wire, host, mac)


def test_echo_through_user_networking(parclose_boot: Boot) -> None:
    """A program on the host speaks with both guests through one card, by ports that QEMU forwards."""
    ports = {host: _free_port() for host in STATIONS}
    forward = ",".join(f"hostfwd=udp:127.0.0.1:{port}-10.0.2.{host}:7" for host, port in ports.items())
    machine = parclose_boot(NETWORK / "wire.yaml", timeout=90, networks={"nic0": f"user,{forward}"})
    machine.expect_lines(r"first\| link up", r"second\| link up")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as program:
        program.settimeout(2)
        for round_ in range(20):
            for host, port in ports.items():
                data = bytes([round_, host]) * (1 + 35 * round_)
                assert _asked(program, data, port) == data


def _asked(program: socket.socket, data: bytes, port: int) -> bytes | None:
    for _ in range(5):  # UDP: the first ones may be lost while addresses are asked for
        program.sendto(data, ("127.0.0.1", port))
        try:
            return program.recv(2048)
        except TimeoutError:
            continue
    return None


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as program:
        program.bind(("127.0.0.1", 0))
        return int(program.getsockname()[1])


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
        if channel["port"]
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

# SPDX-License-Identifier: Apache-2.0
"""Two Internet hosts on one card: ARP, ICMP and UDP echo, through forwarded ports and over a wire that harms frames."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from packets import ARP, BROADCAST, ICMP, IP, UDP, address, arp, ethernet, icmp_echo, ipv4, udp
from wire import Wire

Boot = Callable[..., Any]

OURS, OUR_IP = address("02:00:00:00:00:01"), address("10.0.2.9")
HOSTS = {"first": ("52:54:00:00:00:0f", "10.0.2.15"), "second": ("52:54:00:00:00:10", "10.0.2.16")}
ECHO = (4000, 7)


def free_ports(count: int) -> list[int]:
    """UDP ports of the host that nobody has now."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def test_programs_of_the_host_through_forwarded_ports(parclose_boot: Boot) -> None:
    """QEMU's user networking: it asks by ARP who has the address, and answers the guests' own questions."""
    ports = dict(zip(HOSTS, free_ports(2), strict=True))
    forwards = [f"hostfwd=udp:127.0.0.1:{port}-{HOSTS[name][1]}:7" for name, port in ports.items()]
    machine = parclose_boot("network/hosts_with_gateway.yaml", networks={"nic0": ",".join(["user", *forwards])})
    for _ in HOSTS:
        machine.expect(r"(first|second)\| 10\.0\.2\.1[56] is up")
    assert all(f"{name}| the gateway answers" in machine.log for name in HOSTS)
    sockets = {name: socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for name in HOSTS}
    for name, each in sockets.items():
        each.settimeout(20)
        each.connect(("127.0.0.1", ports[name]))
    for number in range(100):
        for name, each in sockets.items():
            each.send(f"{name} {number} ".encode() * 40)
        for name, each in sockets.items():
            assert each.recv(2048) == f"{name} {number} ".encode() * 40
    for each in sockets.values():
        each.send(b"end")
        each.close()
    machine.finish()
    assert [machine.end(name).status for name in HOSTS] == [0, 0]


# --- a wire of our own ---


@dataclass
class Trouble:
    """What a wire does to frames: the chance of each in a hundred. Frames that it harmed are counted."""

    wire: Wire
    chance: random.Random
    drop: int = 0
    delay: int = 0
    repeat: int = 0
    corrupt: int = 0
    late: dict[bool, list[bytes]] = field(default_factory=lambda: {True: [], False: []})  # to the card: True
    corrupted: int = 0

    def send(self, *frames: bytes) -> None:
        for frame in frames:
            self.wire.send(*self._harm(frame, True))

    def receive(self, timeout: float) -> list[bytes]:
        """What comes of the next frame; [] when there was none."""
        frame = self.wire.receive(timeout)
        return [] if frame is None else self._harm(frame, False)

    def settle(self) -> None:
        """Forget what is still on its way."""
        self.late = {True: [], False: []}
        while self.wire.receive(0.3) is not None:
            pass

    def _harm(self, frame: bytes, to_card: bool) -> list[bytes]:
        if self._happens(self.drop):
            return []
        if to_card and self._happens(self.corrupt):
            place = self.chance.randrange(len(frame))
            frame = frame[:place] + bytes([frame[place] ^ self.chance.randrange(1, 256)]) + frame[place + 1 :]
            self.corrupted += 1
        if self._happens(self.delay):
            self.late[to_card].append(frame)
            return []
        late, self.late[to_card] = self.late[to_card], []
        return [frame, *([frame] if self._happens(self.repeat) else []), *late]

    def _happens(self, of_a_hundred: int) -> bool:
        return self.chance.randrange(100) < of_a_hundred


@dataclass
class Host:
    """A guest as seen from the far end."""

    mac: bytes
    ip: bytes

    def arp_question(self) -> bytes:
        return ethernet(BROADCAST, OURS, ARP, arp(1, OURS, OUR_IP, bytes(6), self.ip))

    def arp_answer(self) -> bytes:
        return ethernet(OURS, self.mac, ARP, arp(2, self.mac, self.ip, OURS, OUR_IP))

    def ping(self, payload: bytes) -> tuple[bytes, bytes]:
        """A question, and the answer to it."""
        asked, answered = (
            ipv4(*way, ICMP, icmp_echo(kind, payload)) for kind, way in ((8, (OUR_IP, self.ip)), (0, (self.ip, OUR_IP)))
        )
        return ethernet(self.mac, OURS, IP, asked), ethernet(OURS, self.mac, IP, answered)

    def echo(self, payload: bytes) -> tuple[bytes, bytes]:
        """The same of the echo port."""
        there, back = (OUR_IP, self.ip), (self.ip, OUR_IP)
        asked, answered = (
            ipv4(*there, UDP, udp(*there, ECHO, payload)),
            ipv4(*back, UDP, udp(*back, ECHO[::-1], payload)),
        )
        return ethernet(self.mac, OURS, IP, asked), ethernet(OURS, self.mac, IP, answered)


@pytest.fixture
def net(parclose_boot: Boot) -> Iterator[tuple[Any, Wire, dict[str, Host]]]:
    """The machine, its wire, and the hosts on it, which are up."""
    with Wire() as wire:
        machine = parclose_boot("network/hosts.yaml", networks={"nic0": wire.netdev}, timeout=90)
        for _ in HOSTS:
            machine.expect(r"10\.0\.2\.1[56] is up")
        yield machine, wire, {name: Host(address(mac), address(ip)) for name, (mac, ip) in HOSTS.items()}


def end(machine: Any, wire: Wire, hosts: dict[str, Host]) -> None:
    for host in hosts.values():
        wire.send(host.echo(b"end")[0])
    machine.finish()
    assert [machine.end(name).status for name in hosts] == [0, 0]


def padded(frame: bytes) -> bytes:
    return frame.ljust(60, b"\0")


def test_arp_ping_and_echo(net: tuple[Any, Wire, dict[str, Host]]) -> None:
    """Each host answers for itself, and nothing else comes out."""
    machine, wire, hosts = net
    for host in hosts.values():
        wire.send(host.arp_question())
        assert wire.receive() == padded(host.arp_answer())
    for size in (0, 1, 17, 18, 19, 200, 1000, 1471, 1472):
        payload = random.Random(size).randbytes(size)
        for host in hosts.values():
            for asked, answered in (host.ping(payload), host.echo(payload)):
                wire.send(asked)
                assert wire.receive() == padded(answered)
    stranger = Host(address("52:54:00:00:00:77"), address("10.0.2.77"))
    forged = hosts["first"].mac
    asked = hosts["second"].echo(b"?" * 32)[0]
    wire.send(stranger.arp_question(), stranger.ping(b"")[0], asked[:6] + forged + asked[12:])
    assert wire.receive(0.5) is None
    end(machine, wire, hosts)


def exchange(net: Trouble, host: Host, payloads: list[bytes]) -> int:
    """Ask until each payload has come back; how many questions that took. An answer to none of them fails."""
    wanted = {answered[14:]: asked for asked, answered in map(host.echo, payloads)}
    known, asked_for = set(wanted), 0
    for _ in range(200):
        questions = list(wanted.values())[:8]
        if not questions:
            return asked_for
        net.send(*questions)
        asked_for += len(questions)
        while frames := net.receive(0.3):
            for frame in frames:
                assert frame[14:] in known, "an answer that nobody asked for"
                wanted.pop(frame[14:], None)
            if not wanted:
                break
    raise AssertionError(f"{len(wanted)} of {len(payloads)} were never answered")


def test_a_wire_that_loses_delays_repeats_and_corrupts(net: tuple[Any, Wire, dict[str, Host]]) -> None:
    """What comes back is right or does not come back: a question that was harmed gets no answer at all."""
    machine, wire, hosts = net
    harm = Trouble(wire, random.Random(11), drop=10, delay=10, repeat=10, corrupt=20)
    for name, host in hosts.items():
        payloads = [f"{name} {number} ".encode() * 20 for number in range(60)]
        assert exchange(harm, host, payloads) > len(payloads)
        harm.settle()
    assert harm.corrupted > 10
    end(machine, wire, hosts)
    drops = [int(count) for count in machine_drops(machine)]
    assert len(drops) == 2 and min(drops) > 0


def machine_drops(machine: Any) -> list[str]:
    return [line.split()[-2] for line in machine.log.splitlines() if line.strip().endswith("dropped")]


def test_a_wire_that_is_pulled_out_under_both(net: tuple[Any, Wire, dict[str, Host]]) -> None:
    """No host notices more than silence, and both are there again when it is."""
    machine, wire, hosts = net
    for _ in range(2):
        machine.qmp("set_link", name="nic0", up=False)
        wire.send(*[hosts["first"].ping(b"lost" * 10)[0]] * 5)
        assert wire.receive(0.5) is None
        machine.qmp("set_link", name="nic0", up=True)
        for name, host in hosts.items():
            exchange(
                Trouble(wire, random.Random(1)), host, [f"{name} is back {number}".encode() * 3 for number in range(20)]
            )
        assert "does not answer" not in machine.log
    end(machine, wire, hosts)

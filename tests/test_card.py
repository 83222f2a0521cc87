# SPDX-License-Identifier: Apache-2.0
"""The e1000e driver on the machine, with a wire that is a Python program: frames, checksums, filter, link, resets."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from packets import IP, UDP, address, ethernet, ipv4, udp
from wire import Wire

Boot = Callable[..., Any]

OURS, CARD = bytes.fromhex("020000000001"), bytes.fromhex("525400123456")
TYPE = bytes.fromhex("88b5")
WORDS = ("received", "sent", "errors", "last_error", "lost_out", "lost_in", "queue_interrupts", "link_interrupts")
COUNTERS = (*WORDS, "in_ticks", "out_ticks")
NONSENSE = 0x20000


@dataclass
class Bench:
    """The machine with the program of io/card.c, and the far end of its wire."""

    machine: Any
    wire: Wire

    def ask(self, word: bytes, size: int = 60, to: bytes = CARD, timeout: float = 10) -> bytes | None:
        self.wire.send(frame(word, size, to))
        return self.wire.receive(timeout)

    def counters(self) -> dict[str, int]:
        answer = self.ask(b"T", 100)
        assert answer is not None
        return dict(zip(COUNTERS, struct.unpack_from("<8I2Q", answer, 14), strict=True))

    def end(self) -> None:
        self.wire.send(frame(b"X", 60))
        assert self.machine.finish().end("card").status == 0
        assert "failed" not in self.machine.log


@pytest.fixture
def bench(parclose_boot: Boot) -> Iterator[Callable[..., Bench]]:
    """A function (**settings) that boots it."""
    with Wire() as wire:

        def boot(**settings: Any) -> Bench:
            machine = parclose_boot("io/card.yaml", networks={"nic0": wire.netdev}, **settings)
            machine.expect(r"card\| ready, 52:54:0:12:34:56, link up")
            return Bench(machine, wire)

        yield boot


def frame(word: bytes, size: int, to: bytes = CARD) -> bytes:
    """`word`, filled up with bytes of chance to a frame of `size` bytes."""
    head = to + OURS + TYPE + word
    return head + random.Random(size).randbytes(size - len(head))


def answer_to(sent: bytes, right: int = 0) -> bytes:
    return sent[6:12] + sent[:6] + sent[12:17] + bytes([right]) + sent[18:]


def test_frames_of_all_sizes_and_shapes(bench: Callable[..., Bench]) -> None:
    """Every byte goes there and back; also what a batch of frames in one commit carries."""
    card = bench()
    for size in (*range(60, 80), *range(80, 1500, 97), 1513, 1514, 1518):
        assert card.ask(b"E", size) == answer_to(frame(b"E", size))
        for count in (2, 3, 17, 18):
            word = b"S" + bytes([count])
            assert card.ask(word, size) == answer_to(frame(word, size)), (size, count)
    for _ in range(20):
        frames = [frame(b"E", size) for size in range(60, 1500, 30)]
        card.wire.send(*frames)
        assert card.wire.receive_many(len(frames)) == [answer_to(each) for each in frames]
    counters = card.counters()
    assert counters["errors"] == 0 and counters["received"] > 1000
    assert counters["queue_interrupts"] < counters["received"], "frames come in batches"
    card.end()


def test_frames_that_are_too_long(bench: Callable[..., Bench]) -> None:
    """QEMU's card passes four bytes more than a frame with a tag has: an error, and nothing behind the buffer."""
    card = bench()
    for size in (1519, 1522, 1523, 4000, 9000, 65000):
        card.wire.send(frame(b"E", size))
    assert card.ask(b"E") == answer_to(frame(b"E", 60))
    counters = card.counters()
    assert (counters["errors"], counters["last_error"]) == (2, NONSENSE)
    for _ in range(200):  # each of its buffers once more
        assert card.ask(b"E") is not None
    card.end()


def datagram(payload: bytes, to: bytes, whence: bytes, begun: bool = False) -> bytes:
    """UDP in IPv4, the same in both directions but for the addresses of the cards."""
    source, target = address("10.0.0.1"), address("10.0.0.2")
    return ethernet(to, whence, IP, ipv4(source, target, UDP, udp(source, target, (7, 7), payload, begun)))


def test_checksums_by_the_card(bench: Callable[..., Bench]) -> None:
    """Out: filled in. In: looked at, and what is wrong is passed all the same, for the receiver to judge."""
    card = bench()
    for size in (32, 33, 34, 700, 1399, *range(1460, 1473)):
        rest = random.Random(size).randbytes(size - 4)
        good, begun = (datagram(b"E\0\0\0" + rest, CARD, OURS, each) for each in (False, True))
        for right, sent in ((1, good), (0, good[:40] + bytes([good[40] ^ 1]) + good[41:]), (0, begun)):
            card.wire.send(sent)
            answer = card.wire.receive()
            assert answer is not None and answer[45] == right and answer[46:] == rest
        card.wire.send(datagram(b"C\x22\x06\0" + rest, CARD, OURS, begun=True))
        assert card.wire.receive() == datagram(b"C\x22\x06\0" + rest, OURS, CARD)
    card.end()


def test_the_filter_passes_what_it_was_told(bench: Callable[..., Bench]) -> None:
    card = bench()
    group, other = bytes.fromhex("01005e000001"), bytes.fromhex("020000000099")
    assert card.ask(b"E", to=b"\xff" * 6) is not None
    assert card.ask(b"E", to=group, timeout=0.3) is None and card.ask(b"E", to=other, timeout=0.1) is None
    assert card.ask(b"F\2\0\0" + group + other) is not None
    assert card.ask(b"E", to=group) is not None and card.ask(b"E", to=other) is not None
    many = b"".join(bytes([2, 0, 0, 0, 1, number]) for number in range(20))
    assert card.ask(b"F\x14\0\0" + many, 160) is not None  # more than it has places for: everything
    assert card.ask(b"E", to=other) is not None
    assert card.ask(b"F\0\0\0") is not None and card.ask(b"E", to=other, timeout=0.3) is None
    card.end()


@pytest.mark.parametrize("size", [64, 1500])
def test_instructions_of_the_driver(bench: Callable[..., Bench], size: int) -> None:
    """Of a frame that comes and one that goes, by its own time stamps: the length makes no difference."""
    card = bench(extra=("-icount", "shift=0,sleep=off"))
    frames = [frame(b"E", size)] * 32
    before = card.counters()
    for _ in range(20):
        card.wire.send(*frames)
        assert len(card.wire.receive_many(len(frames))) == len(frames)
    after = card.counters()
    count = after["received"] - before["received"]
    there, back = ((after[name] - before[name]) / count for name in ("in_ticks", "out_ticks"))
    print(f"{size} bytes: {there:.1f} instructions for a frame that comes, {back:.1f} for one that goes")
    assert 30 < there < 130 and 30 < back < 210
    card.end()


def test_a_wire_that_is_pulled_out(bench: Callable[..., Bench]) -> None:
    """What comes meanwhile is lost; each change is told once, and traffic goes on."""
    card = bench()
    for _ in range(2):
        card.machine.qmp("set_link", name="nic0", up=False)
        card.machine.expect(r"card\| link down")
        assert card.ask(b"E", timeout=0.3) is None
        card.machine.qmp("set_link", name="nic0", up=True)
        card.machine.expect(r"card\| link up")
        while card.wire.receive(0.5) is not None:  # what QEMU has kept
            pass
        assert card.ask(b"E") == answer_to(frame(b"E", 60))
    counters = card.counters()
    assert counters["link_interrupts"] >= 4 and counters["errors"] == 0
    card.end()


def test_resets_under_load(bench: Callable[..., Bench]) -> None:
    """Each buffer comes back, with an error, and is of use again."""
    card = bench()
    assert card.ask(b"F\1\0\0" + OURS) is not None
    for _ in range(30):
        card.wire.send(*[frame(b"E", 400)] * 20, frame(b"R", 60), *[frame(b"E", 400)] * 20)
        while card.wire.receive(0.1) is not None:
            pass
    for _ in range(300):
        assert card.ask(b"E", to=OURS) == answer_to(frame(b"E", 60, OURS)), "the filter outlives a reset"
    counters = card.counters()
    assert counters["lost_in"] > 30 * 100 and counters["errors"] == counters["lost_in"]
    card.end()


def test_lives_that_end_under_load(bench: Callable[..., Bench]) -> None:
    """The next life finds a card with rings of the last one: it resets it before it may do DMA, and all works again."""
    card = bench()
    for life in range(2, 8):
        card.wire.send(*[frame(b"E", 1000)] * 30, frame(b"B", 60), *[frame(b"E", 1000)] * 30)
        card.machine.expect(rf"card\| ready, 52:54:0:12:34:56, link up, life {life}")
        while card.wire.receive(0.2) is not None:
            pass
        for size in (60, 777, 1518):
            assert card.ask(b"E", size) == answer_to(frame(b"E", size))
        assert card.counters()["errors"] == 0
    card.wire.send(frame(b"X", 60))
    assert card.machine.finish().end("card").status == 0

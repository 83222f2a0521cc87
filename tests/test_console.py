# SPDX-License-Identifier: Apache-2.0
"""Several clients on one serial line: who is typed to, what is kept, what is lost and said to be, who reads all."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import Any

Boot = Callable[..., Any]

LAYOUT = "io/consoles.yaml"
MENU = "\x14"  # Ctrl-T, as the layout says
LINE = len("flood 000000 ........................................................\n")


def _booted(boot: Boot, timeout: float = 60) -> Any:
    """Booted, and everybody there: in which order they come is the schedule's."""
    machine = boot(LAYOUT, timeout=timeout)
    for _ in range(3 + 4):
        machine.expect(r"(first|second)\| ready\r\n|reader\| reading\r\n|manager\| \w+: started, life 1\r\n")
    return machine


def _choose(machine: Any, number: int, name: str) -> None:
    machine.send(f"{MENU}{number}")
    machine.expect(rf"io\| input goes to {name}\r\n")


def _say(machine: Any, text: str) -> None:
    """Let the first guest say something; its line is the answer."""
    machine.send(f"say {text}\r")
    machine.expect(rf"first\| {text}\r\n")


def _end(machine: Any) -> None:
    for number, name in ((3, "second"), (2, "first")):
        _choose(machine, number, name)
        if name == "first":
            _say(machine, "stop")
        machine.send("end\r")
    machine.finish()
    assert [machine.end(name).status for name in ("first", "second", "reader")] == [0, 0, 0]


def _lines(machine: Any, name: str) -> list[str]:
    return re.findall(rf"^{name}\| (.*)\r\n", machine.log, re.MULTILINE)


def test_the_menu_says_who_is_there_and_chooses(parclose_boot: Boot) -> None:
    machine = _booted(parclose_boot)
    machine.send(MENU)
    machine.expect(r"io\| input to: 1 manager 2\*first 3 second 4 reader\r\n")  # a log is not typed to
    machine.send("3")
    machine.expect(r"io\| input goes to second\r\n")
    machine.send("say hello\r")
    machine.expect(r"second< say hello\r\n(.*\r\n)*?second\| hello\r\n")  # the manager may say something between
    machine.send("count\r")
    found = machine.expect(r"second\| counted (\d+) out, (\d+) in, 0 lost")
    machine.send(f"{MENU}#")
    shown = machine.expect(r"io\| 3\*second: (\d+) bytes out, (\d+) in, 0 refusals, 0 bytes lost\r\n")
    assert int(found[1]) >= len("ready\nhello\n") and int(shown[2]) == len("say hello\ncount\n")
    assert int(found[2]) in (len("say hello\n"), int(shown[2]))  # the window's copy may come after the words themselves
    assert int(shown[1]) == int(found[1]) + len(found[0][len("second| ") :]) + 1
    _end(machine)


def test_no_key_wedges_the_line(parclose_boot: Boot) -> None:
    """Half a menu, numbers of nobody, thousands of keys at random: output goes on, and the menu works as before."""
    machine = _booted(parclose_boot)
    chance = random.Random(6)
    for _ in range(20):
        keys = "".join(chr(chance.choice([0x14, 0x1B, *range(1, 128)])) for _ in range(100))
        machine.send(keys.replace("\r", "").replace("\n", ""))
    machine.send(f"\r\r{MENU}")
    machine.expect(r"io\| a number or a letter")
    machine.send("2")
    machine.expect(r"io\| input goes to first\r\n")
    _say(machine, "still here")
    _end(machine)


def test_a_standing_line_loses_only_beyond_the_buffer_and_says_so(parclose_boot: Boot) -> None:
    """Nobody reads the line for a while. The first guest waits, and all of it comes; the second has a buffer."""
    machine = _booted(parclose_boot, timeout=240)
    count, end = 1200, "flooded\n"
    machine.send(f"flood {count}\r{MENU}3flood {count}\r")
    time.sleep(4)
    machine.expect(r"first\| flooded\r\n")
    assert [int(line[6:12]) for line in _lines(machine, "first") if line.startswith("flood ")] == list(range(count))
    while not (losses := re.findall(r"^io\| (\d+) bytes? of second lost\r\n", machine.log, re.MULTILINE)):
        machine.expect(r"of second lost\r\n")
    machine.send("say done\r")
    machine.expect(r"second\| done\r\n")
    losses = re.findall(r"^io\| (\d+) bytes? of second lost\r\n", machine.log, re.MULTILINE)
    lost = sum(int(found) for found in losses)
    shown = sum(len(line) + 1 for line in _lines(machine, "second") if line not in ("ready", "done"))
    assert 0 <= shown + lost - count * LINE - len(end) <= len(losses), (losses, shown)  # a gap ends a line
    machine.send("count\r")
    assert int(machine.expect(r"second\| counted \d+ out, \d+ in, (\d+) lost")[1]) == lost
    _end(machine)


def test_a_guest_reads_what_all_say(parclose_boot: Boot) -> None:
    """Its next life reads on where the line is, what it misses it is told, and nobody waits for it."""
    machine = _booted(parclose_boot, timeout=90)
    _say(machine, "look")
    before = int(machine.expect(r"reader\| life 1 saw (\d+) lines\r\n")[1])
    _say(machine, "more")
    _say(machine, "look")
    assert int(machine.expect(r"reader\| life 1 saw (\d+) lines\r\n")[1]) == before + 3  # its own line is one
    _say(machine, "die")
    machine.expect(r"reader\| reading\r\n")
    _say(machine, "look")
    assert int(machine.expect(r"reader\| life 2 saw (\d+) lines\r\n")[1]) >= 1
    _say(machine, "sleep")
    machine.send("flood 1000\r")
    machine.expect(r"reader\| the log says 'io\| \d+ lines? lost'\r\n")
    if "first| flooded" not in machine.log:
        machine.expect(r"first\| flooded\r\n")
    _end(machine)

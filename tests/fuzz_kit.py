# SPDX-License-Identifier: Apache-2.0
"""Builds and runs the calls' fuzz run, and reads what its partitions counted out of the machine's memory.

`run` boots the layout of fuzz/ with a seed, waits until its manager says that it is over, and takes all memory from
the stopped machine; `fuzz_check` compares that with the image.
"""

from __future__ import annotations

import functools
import json
import re
import shutil
import socket
import struct
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import image_kit
import promise_image
from parclose import dwarf, elf, emulator, paths, pipeline
from parclose.constants import constants
from parclose.emulator import Emulator, Options
from parclose.inspect import physical
from parclose.pipeline import BuildResult
from parclose.planned import PlannedPartition

HERE = Path(__file__).parent
FUZZ = HERE / "fuzz"
BUILD = HERE.parent / "build" / "fuzz"
FACTS, VAULT = 64 << 10, 16 << 10  # bytes of the files that the layout names
DATABASE_AT = 64  # in the facts: struct facts of fuzz.h
ICOUNT = ("-icount", "shift=0,sleep=off")  # every run of a seed is the same, and a tick is an instruction
GOLDEN, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1
OVER = ("end", "panic", "refused-machine", "manager-stopped")
OTHER = "other"  # numbers that no role has, beyond the table


@dataclass(frozen=True)
class Hole:
    """One rule taken out of the monitor: `find` stands once in `file` and becomes `replace`."""

    rule: str
    file: str
    find: str
    replace: str


@dataclass
class Violation:
    """An answer that a partition found not allowed by the tables."""

    partition: str
    text: str
    call: str
    arguments: tuple[int, ...]
    status: str
    value: int
    allowed: tuple[str, ...]

    def __str__(self) -> str:
        arguments = ", ".join(hex(each) for each in self.arguments)
        allowed = " or ".join(self.allowed) or "nothing"
        return (
            f"{self.partition}: {self.text}: {self.call}({arguments}) gave {self.status} {self.value:#x}, not {allowed}"
        )


@dataclass
class Tally:
    """What one partition counted."""

    calls: int
    violations: int
    first: list[Violation]
    statuses: Counter[tuple[str, str]]
    rules: Counter[str]
    starts: list[int]


@dataclass
class Run:
    """A finished run. `memory` is the machine's from the monitor's first byte on, as it was when it stopped."""

    build: BuildResult
    ending: str
    memory: bytes
    seconds: float
    tallies: dict[str, Tally] = field(default_factory=dict)

    def read(self, address: int, size: int) -> bytes:
        """The bytes at physical `address`."""
        first = address - constants()["MONITOR_PHYSICAL"]
        return self.memory[first : first + size]

    def number(self, address: int, size: int = 8) -> int:
        """The little-endian number at physical `address`."""
        return int.from_bytes(self.read(address, size), "little")

    def words(self, address: int, count: int) -> list[int]:
        """`count` numbers of 64 bits from physical `address` on."""
        return list(struct.unpack(f"<{count}Q", self.read(address, 8 * count)))

    @property
    def calls(self) -> int:
        """All calls of all partitions."""
        return sum(tally.calls for tally in self.tallies.values())

    def statuses(self) -> Counter[tuple[str, str]]:
        """How often each call gave each status."""
        return sum((tally.statuses for tally in self.tallies.values()), Counter())

    def rules(self) -> Counter[str]:
        """How often each rule of refusal was met."""
        return sum((tally.rules for tally in self.tallies.values()), Counter())

    def violations(self) -> list[str]:
        """The first answers that were wrong, in words."""
        return [str(each) for tally in self.tallies.values() for each in tally.first]


def build(name: str, hole: Hole | None = None) -> BuildResult:
    """Build the layout of fuzz/ into build/fuzz/`name`, with our manager and, with `hole`, a monitor that has it."""
    work = BUILD / name
    work.mkdir(parents=True, exist_ok=True)
    layout = work / "layout.yaml"
    layout.write_text((FUZZ / "layout.yaml").read_text().replace("FUZZ", str(FUZZ)))
    (work / "facts.bin").write_bytes(bytes(FACTS))
    words = ((place + 8) * GOLDEN & MASK for place in range(0, VAULT, 8))
    (work / "vault.bin").write_bytes(struct.pack(f"<{VAULT // 8}Q", *words))
    ring0 = None if hole is None else _with_hole(hole)
    return pipeline.build(layout, work / "out", monitor_sources=ring0, partitions_sources=_partitions(work))


def _partitions(work: Path) -> Path:
    """Our partitions with the fuzzing manager in place of the manager."""
    place = work / "partitions"
    if place.exists():
        shutil.rmtree(place)
    shutil.copytree(paths.data("partitions"), place)
    for old in (place / "manager").glob("*.c"):
        if old.name != "ports.c":
            old.unlink()
    for name in ("manager.c", "fuzz.c", "fuzz.h"):
        shutil.copy2(FUZZ / name, place / "manager" / name)
    return place


def _with_hole(hole: Hole) -> Path:
    """A copy of the monitor with the hole; always at one place, so that only the changed file is compiled again."""
    place = BUILD / "monitor_asm"
    if place.exists():
        shutil.rmtree(place)
    shutil.copytree(paths.data("monitor_asm"), place)
    file = place / hole.file
    text = file.read_text()
    assert text.count(hole.find) == 1, f"{hole.find!r} stands {text.count(hole.find)} times in {hole.file}"
    file.write_text(text.replace(hole.find, hole.replace))
    return place


def prepare(built: BuildResult, seed: int, end_ns: int) -> Path:
    """The image for one seed: with the facts that its programs want, and what stays free not required."""
    image = promise_image.Image(built.image)
    memory = physical.load(built.image)
    for index, row in enumerate(built.plan.descriptors):
        owner = built.plan.partitions[row.partition].partition.name
        if row.name == "loose" or (owner, row.name) == ("lines", "com2"):
            image.write(image_kit.row_of(memory, "descriptors", index, "required"), bytes(2))
    for index, channel in enumerate(built.plan.channels):
        client = built.plan.partitions[channel.client].partition.name
        if (client, channel.channel.client_name) == ("never", "console"):  # in no layout does one serve such an end
            image.write(image_kit.row_of(memory, "channels", index, "endpoint"), b"\xff" * 4)
            image.write(image_kit.row_of(memory, "channels", index, "endpoint_row"), bytes(8))
            image.write(image_kit.row_of(memory, "descriptors", channel.server_descriptor, "converts"), bytes(2))
    start = constants()["DATABASE_PHYSICAL"]
    size = int.from_bytes(image.read(start + 12, 4), "little")
    assert DATABASE_AT + size <= FACTS
    facts = struct.pack("<QQ", seed, end_ns).ljust(DATABASE_AT, b"\0") + image.read(start, size)
    for config in built.plan.configs:
        image.write(config.physical, facts)
    manager = built.plan.partition("manager")
    image.write(_place(built, manager, "fuzz_given"), struct.pack("<QQ", seed, end_ns))
    made = built.image.with_name("seeded.elf")
    image.save(made)
    return made


def _symbol(program: Path, name: str) -> int:
    return _symbols(program.read_bytes())[name]


@functools.lru_cache(maxsize=32)
def _symbols(program: bytes) -> dict[str, int]:
    return {symbol.name: symbol.value for symbol in elf.symbols(program)}


def program_of(built: BuildResult, partition: PlannedPartition) -> Path:
    """The program file of a partition, with symbols."""
    return built.image.parent / "partitions" / f"{partition.partition.name}.elf"


def _place(built: BuildResult, partition: PlannedPartition, symbol: str) -> int:
    """The physical address of a symbol of a partition's program."""
    address = _symbol(program_of(built, partition), symbol)
    return partition.physical + address - constants()["PROGRAM_ADDRESS"]


def monitor_place(built: BuildResult, symbol: str) -> int:
    """The physical address of a symbol of the monitor."""
    place = built.plan.monitor.physical(_symbol(built.image.parent / "monitor.elf", symbol))
    assert place is not None
    return place


def run(built: BuildResult, seed: int, end_ns: int, patience: float = 120.0, extra: Sequence[str] = ()) -> Run:
    """Boot with `seed` and let it go on for `end_ns` of the machine's time; at most `patience` seconds of ours."""
    target = replace(emulator.machine(built.system.board, built.image), image=prepare(built, seed, end_ns))
    folder = built.image.parent.parent
    dump = folder / "memory"
    begin = time.monotonic()
    options = Options(folder, fresh=True, extra=(*ICOUNT, *extra))
    with Emulator(target, options, qmp=True) as running:
        running.console.setblocking(False)
        ending = _wait(running, begin + patience)
        assert running.qmp is not None
        control = Control(running.qmp)
        control.ask("stop")
        first = constants()["MONITOR_PHYSICAL"]
        size = built.plan.extents[-1].end - first
        control.ask("pmemsave", val=first, size=size, filename=str(dump))
        memory = dump.read_bytes()
    dump.unlink()
    made = Run(built, ending, memory, time.monotonic() - begin)
    made.tallies = {each.partition.name: _tally(made, each) for each in built.plan.partitions}
    return made


def _wait(running: Emulator, limit: float) -> str:
    """How the run ended: the last event's name, or what went wrong."""
    report = running.options.file("report.log")
    while time.monotonic() < limit:
        for line in report.read_text(errors="replace").splitlines():
            match = re.fullmatch(r'\{"event":"([\w-]+)".*\}', line)
            if match and match[1] in OVER:
                return match[1]
        if running.process.poll() is not None:
            return f"QEMU ended: {running.log()}"
        try:
            while running.console.recv(65536):
                pass
        except BlockingIOError:
            pass
        time.sleep(0.02)
    return "it went on for too long"


class Control:
    """QEMU's control channel, as far as it is needed here (QEMU Machine Protocol: one JSON object a line)."""

    def __init__(self, channel: socket.socket) -> None:
        channel.settimeout(60)
        self._file = channel.makefile("rwb")
        json.loads(self._file.readline())
        self.ask("qmp_capabilities")

    def ask(self, command: str, **arguments: Any) -> Any:
        """What `command` returns. Raises `AssertionError` when it is refused."""
        self._file.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        self._file.flush()
        while True:
            answer = json.loads(self._file.readline())
            assert "error" not in answer, answer
            if "return" in answer:
                return answer["return"]


def rules() -> list[str]:
    """The rules that fuzz.h names, without the first, which is no refusal, and the count."""
    block = (FUZZ / "fuzz.h").read_text().split("#define RULES(X)")[1].split("#define RULE(")[0]
    return re.findall(r"X\((\w+)\)", block)[1:-1]


def names(enum: str, prefix: str) -> dict[int, str]:
    """The names of an enumeration of abi/ by value, without their prefix, in small letters."""
    values = {value: name for name, value in dwarf.layouts().enums[enum].items()}
    return {value: name.removeprefix(prefix).lower() for value, name in sorted(values.items())}


_HEAD = struct.Struct("<5Q")  # magic, random, calls, ended, violations
_VIOLATION = struct.Struct("<7Q40s")  # number, three arguments, status, value, allowed, text
_TOLD = 8
TALLY_MAGIC = 0x594C4C4154


def _tally(made: Run, partition: PlannedPartition) -> Tally:
    """The tally in the partition's memory (struct tally): the manager's has a symbol, others' begins with the heap."""
    manager = partition.index == 0
    place = _place(made.build, partition, "fuzz_tally" if manager else "program_end")
    calls, statuses = names("call", "CALL_"), names("status", "STATUS_")
    rows, columns = constants_of(calls, "count"), constants_of(statuses, "count")
    magic, _, count, _, violations = _HEAD.unpack(made.read(place, _HEAD.size))
    if magic != TALLY_MAGIC:
        return Tally(0, 0, [], Counter(), Counter(), [])
    place += _HEAD.size
    told = _VIOLATION.iter_unpack(made.read(place, _TOLD * _VIOLATION.size))
    first = [_violation(row, partition.partition.name, calls, statuses) for row in list(told)[:violations]]
    place += _TOLD * _VIOLATION.size
    words = made.words(place, (rows + 1) * columns)
    table: Counter[tuple[str, str]] = Counter()
    for index, number in enumerate(words):
        if number:
            row = index // columns
            table[OTHER if row == rows else calls.get(row, f"{row}"), statuses[index % columns]] += number
    place += 8 * len(words)
    known = ["GRANTED", *rules()]
    met = Counter({known[index]: number for index, number in enumerate(made.words(place, len(known))) if number})
    place += 8 * (len(known))
    return Tally(count, violations, first, table, met, made.words(place, constants()["LIMIT_PARTITIONS"]))


def constants_of(values: dict[int, str], name: str) -> int:
    """The value of a name in the answer of `names`."""
    return next(value for value, each in values.items() if each == name)


def _violation(
    row: tuple[Any, ...], partition: str, calls: Mapping[int, str], statuses: Mapping[int, str]
) -> Violation:
    number, one, two, three, status, value, what, text = row
    return Violation(
        partition,
        text.split(b"\0")[0].decode(),
        calls.get(number, f"call {number:#x}"),
        (one, two, three),
        statuses.get(status, hex(status)),
        value,
        tuple(name for bit, name in statuses.items() if what >> bit & 1),
    )

# SPDX-License-Identifier: Apache-2.0
"""The corpus of bad layouts, and what the check says of one of them.

Run as a program (`python tests/layout_corpus.py`) it writes the expected texts anew, for a person to read before
they are committed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from parclose import paths, render
from parclose.check import check
from parclose.errors import Problem
from parclose.model import System

BAD = Path(__file__).parent / "layouts" / "bad"
GOOD = Path(__file__).parent / "layouts" / "good"


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Be in `folder`, so that spans name files as a user would see them."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@cache
def checked(path: Path) -> tuple[System | None, tuple[Problem, ...]]:
    """What the check makes of a layout, with its name as its spans' file."""
    with inside(path.parent):
        return check(Path(path.name))


def problems_of(path: Path) -> tuple[Problem, ...]:
    """What the check finds in a layout."""
    return checked(path)[1]


def text_of(path: Path) -> str:
    """The whole text of a layout's problems; shipped boards are named `shipped/NAME.yaml` wherever they are."""
    with inside(path.parent):
        said = render.text(problems_of(path))
    return said.replace(f"{paths.data('boards')}{os.sep}", "shipped/")


@dataclass(frozen=True)
class Generated:
    """A bad layout that is too large, or too odd, to keep as a file. `words` are in the text of its problem."""

    text: str
    words: tuple[str, ...]
    name: str = "layout-of-a-test.yaml"
    file: tuple[str, int] | None = None  # a sparse file beside it: name, size in bytes
    board: str = ""


def _partition(name: str, *lines: str) -> str:
    return f"  {name}:\n    program: main.c\n" + "".join(f"    {line}\n" for line in lines)


def _network(device: str, more: str, groups: int) -> str:
    """A server of the user's with networks, and two clients, one of which listens to many groups."""
    devices = "" if device == "none" else f"devices: [{device}]"
    macs = ", ".join(f'"01:00:5e:00:00:{index:02x}"' for index in range(groups))
    bus = f"endpoints: {{bus: {{network: {device}}}{', ' + more if more else ''}}}"
    server = "\n".join(line for line in _partition("io", devices, bus).splitlines() if line.strip()) + "\n"
    ends = f"bus: {{to: io.bus, groups: [{macs}]}}", "bus: io.bus" + (", more: io.more" if more else "")
    return server + _partition("a", f"channels: {{{ends[0]}}}") + _partition("b", f"channels: {{{ends[1]}}}")


_HEAD = "layout: 1\nboard: qemu-q35\npartitions:\n"


def _channels(count: int, targets: int) -> str:
    """One partition `a` with `count` channels spread over `targets` others."""
    ends = ", ".join(f"c{index}: {{to: b.{index % targets}, data: 4 KiB}}" for index in range(count))
    return _partition("a", f"channels: {{{ends}}}") + _partition("b", f"count: {targets}")


def _many_channels() -> str:
    """Forty partitions, each with fourteen channels to one that stands before it."""
    found = _partition("sink", "count: 14")
    for index in range(40):
        ends = ", ".join(f"c{index}x{to}: {{to: sink.{to}, data: 4 KiB}}" for to in range(14))
        found += _partition(f"p{index}", f"channels: {{{ends}}}")
    return found


def _many_devices(count: int, kind: str, ports: int) -> str:
    """A board with `count` devices more than the shipped one."""
    text = paths.data("boards", "qemu-q35.yaml").read_text(encoding="utf-8").replace("name: qemu-q35", "name: many")
    starts = [0x1000 + index * ports for index in range(count)]
    lines = [f"  d{index}: {{kind: {kind}, ports: {{start: {at}, count: {ports}}}}}" for index, at in enumerate(starts)]
    return text.replace("\nroles:", "\n" + "\n".join(lines) + "\n\nroles:")


_BARS = {
    "nvme": "0: {memory64: 16 KiB}",
    "e1000e": "0: {memory32: 128 KiB}, 1: {memory32: 128 KiB}, 2: {ports: 32 B}, 3: {memory32: 16 KiB}",
}
_CLASSES = {"nvme": "01:08:02", "e1000e": "02:00:00"}


def _many_functions(count: int, kind: str) -> str:
    """A board with `count` PCI devices more than the shipped one."""
    text = paths.data("boards", "qemu-q35.yaml").read_text(encoding="utf-8").replace("name: qemu-q35", "name: many")
    for index in range(count):
        identity = f'pci: "00:{index + 8:02x}.0", identity: 1b36:0010, class: {_CLASSES[kind]}, bus-master: true'
        more = f"bars: {{{_BARS[kind]}}}, msi: {{capability: 0x80}}"
        more += ", block-size: 512 B, capacity: 64 MiB" if kind == "nvme" else ""
        text = text.replace("\nroles:", f"\n  d{index}: {{kind: {kind}, {identity}, {more}}}\n\nroles:")
    return text


def one_server(count: int, kind: str) -> str:
    """The built-in I/O partition with `count` devices of the board many, an endpoint on each and a channel to each."""
    names = [f"d{index}" for index in range(count)]
    lines = ["program: {builtin: io}", f"devices: [{', '.join(names)}]", "dma: trusted" if kind != "console" else ""]
    lines.append("endpoints: {" + ", ".join(f"e{name}: {{{kind}: {name}}}" for name in names) + "}")
    server = "  io:\n" + "".join(f"    {line}\n" for line in lines if line)
    ends = ", ".join(f"{name}: io.e{name}" for name in names)
    return _HEAD.replace("qemu-q35", "many") + server + _partition("a", f"channels: {{{ends}}}")


def _many_servers(count: int) -> str:
    return "".join(
        _partition(f"s{index}", f"devices: [d{index}]", f"endpoints: {{line: {{console: d{index}}}}}")
        for index in range(count)
    )


def _many_endpoints(count: int) -> str:
    """One I/O partition with `count` endpoints of a block each, and a channel to the first 63 of them."""
    ends = ", ".join(f"e{index}: {{block: nvme0, start: {index} * 512 B, size: 512 B}}" for index in range(count))
    server = "  io:\n    program: {builtin: io}\n    devices: [nvme0]\n    dma: trusted\n"
    return f"{server}    endpoints: {{{ends}}}\n" + _partition("a")


GENERATED = {
    "P060-configuration-too-large": Generated(
        _HEAD + _partition("hello", "config: huge.bin"), ("129 MiB", "128 MiB"), file=("huge.bin", 129 << 20)
    ),
    "P108-file-too-large": Generated(_HEAD + _partition("hello") + "#" * (1 << 18), ("256 KiB",)),
    "P121-too-many-servers": Generated(
        _HEAD.replace("qemu-q35", "many") + _many_servers(15) + _partition("hello"),
        ("17 partitions, 1 too many", "at most 16"),
        board=_many_devices(15, "16550", 8),
    ),
    "P122-too-many-frames": Generated(
        _HEAD + _partition("hello") + "schedule:\n  cpu0:\n" + "  - {for: 1 ms, run: [hello]}\n" * 300,
        ("300 frames, 45 too many", "at most 255"),
    ),
    "P129-too-many-places": Generated(
        _HEAD + _partition("rtu", "count: 14") + "schedule:\n  cpu0:\n" + "  - {for: 1 ms, run: [rtu]}\n" * 70,
        ("list 1050 partitions in all, 27 too many", "frame 69 does not fit", "at most 1023"),
    ),
    "P131-too-many-channels": Generated(_HEAD + _many_channels(), ("560 channels, 48 too many",)),
    "P132-too-many-devices": Generated(
        _HEAD.replace("qemu-q35", "many")
        + _partition("hello", "devices: [" + ", ".join(f"d{index}" for index in range(70)) + "]"),
        ("70 devices are in use, 6 too many",),
        board=_many_devices(70, "other", 1),
    ),
    "P133-too-many-events": Generated(_HEAD + _channels(300, 50), ("300 channels", "44 too many")),
    "P134-too-many-endpoints": Generated(_HEAD + _many_endpoints(600), ("600 endpoints, 88 too many",)),
    "P147-too-many-groups": Generated(
        _HEAD + _network("none", "", 65), ("listen to 65 groups, 1 too many", "number 65", "at most 64")
    ),
    "P148-card-twice": Generated(
        _HEAD.replace("qemu-q35", "many") + _network("d0", "more: {network: d0}", 1),
        ("'bus' and 'more' are both on d0", "io.bus divide it by vlan and talks_to"),
        board=_many_devices(1, "other", 1),
    ),
    "P150-five-disks": Generated(
        one_server(5, "block"), ("'io' drives 4 disks at most, and has 5", "number 5"), board=_many_functions(5, "nvme")
    ),
    "P150-three-cards": Generated(
        one_server(3, "network"), ("2 network cards at most, and has 3", "number 3"), board=_many_functions(3, "e1000e")
    ),
    "P150-six-lines": Generated(
        one_server(6, "console"), ("4 serial lines at most, and has 6", "number 5"), board=_many_devices(6, "16550", 8)
    ),
    "P135-name-too-long": Generated(_HEAD + _partition("hello"), ("100 bytes, 11 too many",), name="a" * 95 + ".yaml"),
}


def write_generated(name: str, folder: Path) -> Path:
    """The layout of that name as a file in `folder`, with what it needs beside it."""
    made = GENERATED[name]
    (folder / "main.c").write_text("int main(void) { return 0; }\n")
    if made.board:
        (folder / "boards").mkdir()
        (folder / "boards" / "many.yaml").write_text(made.board)
    if made.file is not None:
        with (folder / made.file[0]).open("wb") as stream:
            stream.truncate(made.file[1])
    (folder / made.name).write_text(made.text)
    return folder / made.name


def main() -> None:
    """Write every expected text anew."""
    for layout in sorted(BAD.glob("*.yaml")):
        layout.with_suffix(".expected").write_text(text_of(layout), encoding="utf-8")


if __name__ == "__main__":
    main()

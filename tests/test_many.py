# SPDX-License-Identifier: Apache-2.0
"""Thirty-two guests on one disk, one switch with a card and one serial line: all correct, and who had what share."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

GUESTS = 32
EXTENT = 128 * 1024
ROUNDS, DEEP, BLOCK = 4, 8, 4096  # as in many/guest.c
SOURCE = Path(__file__).parent / "many" / "guest.c"


def _layout() -> str:
    lines = [
        "layout: 1",
        "board: qemu-q35",
        "partitions:",
        "  io:",
        "    program: {builtin: io}",
        "    memory: 8 MiB",
        "    devices: [nvme0, nic0, com1]",
        "    dma: trusted",
        "    endpoints:",
        *(f"      e{i}: {{block: nvme0, start: {i * 128} KiB, size: 128 KiB}}" for i in range(GUESTS)),
        "      plant: {network: nic0}",
        "      line: {console: com1}",
    ]
    for i in range(GUESTS):
        lines += [
            f"  g{i}:",
            f"    program: {{file: {SOURCE}, define: {_neighbours(i)}}}",
            f'    channels: {{disk: io.e{i}, net: {{to: io.plant, mac: "52:54:00:00:20:{i:02x}"}}, tty: io.line}}',
        ]
    return "\n".join([*lines, "on_end: stay", ""])


def _neighbours(i: int) -> str:
    return f"{{SELF: {i}, NEXT: {(i + 1) % GUESTS}, BEFORE: {(i - 1) % GUESTS}}}"


def _expected(guest: int) -> bytes:
    blocks = ROUNDS * DEEP
    return bytes((guest * 31 + n * 7 + i + (i >> 8)) & 0xFF for n in range(blocks) for i in range(BLOCK))


def test_thirty_two_guests(tmp_path: Path, parclose_boot: Callable[..., Any]) -> None:
    (tmp_path / "layout.yaml").write_text(_layout())
    disk = tmp_path / "disk"
    disk.write_bytes(b"\xee" * (64 << 20))
    machine = parclose_boot(tmp_path / "layout.yaml", timeout=100, disks={"nvme0": disk})
    lines = [machine.expect(r"guest (\d+): ([^\r\n]*)\r\n") for _ in range(GUESTS)]
    machine.finish()
    wanted = r"disk 4 of 4 in \d+ us, neighbour heard"
    said = {found[1]: found[2] for found in lines if re.fullmatch(wanted, found[2])}
    assert sorted(said, key=int) == [str(i) for i in range(GUESTS)], machine.log
    assert all(machine.end(f"g{i}").status == 0 for i in range(GUESTS))
    took = sorted(int(re.findall(r"in (\d+) us", line)[0]) for line in said.values())
    print(f"{GUESTS} guests, {ROUNDS * DEEP * BLOCK >> 10} KiB written and read back each: {took[0]} to {took[-1]} us")
    content = disk.read_bytes()
    for i in range(GUESTS):
        assert content[i * EXTENT :][: ROUNDS * DEEP * BLOCK] == _expected(i), f"the extent of guest {i}"
    assert set(content[GUESTS * EXTENT :]) == {0xEE}

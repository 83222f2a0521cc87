# SPDX-License-Identifier: Apache-2.0
"""Layouts of guests/switch with more partitions and more minor frames around the two that are measured."""

from __future__ import annotations

from bench import guest
from bench.guest import HERE, Image, build

FEW, MANY = 2, 64  # partitions: the two that are measured beside I/O partition and manager; and all that there can be
SHORT, LONG = 8, 256  # minor frames of the table, the manager's among them
IDLE = MANY - 4  # besides the manager, the I/O partition, `first` and `second`
IN_FRAME = 15  # of them in one minor frame

_LAYOUT = """\
layout: 1
board: qemu-q35
partitions:
  io: {{program: {{builtin: io}}, devices: [com1], endpoints: {{line: {{console: com1}}}}}}
  first: {{program: {{file: {guests}/switch/first.c, cflags: [-mgeneral-regs-only]}}, devices: [com2]}}
  second: {{program: {{file: {guests}/switch/second.c, cflags: [-mgeneral-regs-only]}}, debug: true}}
{idle}regions:
  clock: {{size: 4 KiB, write: first, read: [second]}}
  stop: {{size: 4 KiB, write: second, read: [{readers}]}}
schedule:
  cpu0:
{frames}
on_end: poweroff
"""


def image(partitions: int, frames: int) -> Image:
    """Build the layout with so many partitions (FEW or MANY) and minor frames (an even number, SHORT at least)."""
    folder = guest.OUT / "scaling"
    folder.mkdir(parents=True, exist_ok=True)
    layout = folder / f"{partitions}-{frames}.yaml"
    layout.write_text(text(partitions, frames))
    return build(layout)


def text(partitions: int, frames: int) -> str:
    """The layout: `first` and `second` in turn, then frames of those that wait."""
    idle = range(IDLE if partitions == MANY else 0)
    others = [["io"], *(_names(idle[start : start + IN_FRAME]) for start in range(0, len(idle), IN_FRAME))]
    pairs, rest = divmod(frames - 1 - len(others), 2)  # 1: the manager's
    rows = [["first"], ["second"]] * pairs + others + [["io"]] * rest
    return _LAYOUT.format(
        guests=HERE / "guests",
        idle=f"  idle: {{count: {len(idle)}, program: {HERE}/guests/scaling/idle.c}}\n" if idle else "",
        readers=", ".join(["first", *_names(idle)]),
        frames="\n".join(f"    - {{for: 20 us, run: [{', '.join(row)}]}}" for row in rows),
    )


def _names(numbers: range) -> list[str]:
    return [f"idle.{number}" for number in numbers]

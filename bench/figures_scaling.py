# SPDX-License-Identifier: Apache-2.0
"""What a request costs the I/O partition, whoever else is served: with 1, 8 and 32 clients on one card."""

from __future__ import annotations

from bench import guest
from bench.counting import Owners, count
from bench.figure import Figure, Measure
from bench.guest import HERE, Image, NotMeasured, build

CLIENTS = (1, 8, 32)
_EACH = "network_frame_read"  # the server calls it once for each frame
_LEAST = 1000  # frames

_LAYOUT = """\
layout: 1
board: qemu-q35
partitions:
  io:
    program: {{builtin: io}}
    devices: [nic0, com1]
    dma: trusted
    endpoints: {{plant: {{network: nic0}}, line: {{console: com1}}}}
{clients}schedule:
  cpu0:
{frames}
on_end: poweroff
"""
_IN_FRAME = 15  # partitions listed in one minor frame, besides the I/O partition


def server_scaling() -> Figure:
    """64-byte frames to a wire where nobody is, each client as many at once as it has room for."""
    costs = {clients: _cost(clients) for clients in CLIENTS}
    ratio = round(max(costs.values()) / costs[CLIENTS[0]], 3)
    said = ", ".join(f"{clients}: {cost:.0f}" for clients, cost in costs.items())
    between = f"the I/O partition's instructions for a frame of 64 bytes to the wire, by clients on one card: {said}"
    return Figure("server-scaling", ratio, "the most / with one", 1.1, between)


def _cost(clients: int) -> float:
    image = _image(clients)
    _, counts = count(image, extra=(), networks={"nic0": "user,restrict=on"})
    owners = Owners(image)
    owned = [(owners.of(place), place) for place in counts.places if place.mark == 1]
    ours = [(function, place) for (side, function), place in owned if side == "io"]
    starts = [place for function, place in ours if function == _EACH]
    frames = min(starts, key=lambda place: place.virtual).times if starts else 0
    if frames < _LEAST:
        raise NotMeasured(f"server-scaling: {frames} frames of {clients} clients were counted, {_LEAST} are needed")
    return sum(place.times for _, place in ours) / frames


def _image(clients: int) -> Image:
    folder = guest.OUT / "server-scaling"
    folder.mkdir(parents=True, exist_ok=True)
    layout = folder / f"clients-{clients}.yaml"
    layout.write_text(text(clients))
    return build(layout)


def text(clients: int) -> str:
    """The layout: the I/O partition first in each frame, clients behind it."""
    names = [f"flood{number}" for number in range(clients)]
    program = f"{HERE}/guests/network/flood.c"
    keys = "channels: {plant: {to: io.plant, data: 64 KiB}, console: io.line}, debug: true"
    rows = [
        f"  {name}: {{program: {{sources: [{program}], define: {{COUNTS: {int(name == names[0])}}}}}, {keys}}}\n"
        for name in names
    ]
    groups = [names[start : start + _IN_FRAME] for start in range(0, clients, _IN_FRAME)]
    frames = [f"    - {{for: 20 ms, run: [{{io: 15 ms}}, {', '.join(group)}]}}" for group in groups]
    return _LAYOUT.format(clients="".join(rows), frames="\n".join(frames))


FIGURES: list[Measure] = [server_scaling]

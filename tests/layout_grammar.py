# SPDX-License-Identifier: Apache-2.0
"""Layouts by the thousand: a grammar of valid ones, as strategies of hypothesis.

What is drawn is the document that the YAML says, so that `layout_breaking` can break it before it is written.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

FILES = Path(__file__).parent / "layouts" / "generated"
BLOCK, CAPACITY = 512, 64 << 20  # of the board's disk
DEVICES = {"nvme0": "data-disk", "com1": "console", "com2": "com2"}  # each with another name of it
SERVERS = ("io", "io-b", "serial_c")
PROGRAMS: tuple[Any, ...] = (
    "guest.c",
    {"file": "guest.c", "define": {"RATE": 100}},
    {"sources": ["guest.c", "table.S"], "cflags": ["-O1"]},
)
MEMORIES = ("512 KiB", "1 MiB", "1028 KiB", "2 MiB", "1 MiB + 3 * 256 KiB", "4 MiB", "6148 KiB", "10 MiB")
STACKS = ("16 KiB", "64 KiB", "128 KiB", "260 KiB")
HEALTHS: tuple[Any, ...] = (
    {"fault": "stop"},
    {"fault": "restart"},
    {"fault": {"do": "restart", "limit": 2, "within": "1 s", "then": "stop"}},
    {"fault": {"do": "restart", "limit": "none"}},
)
LEAST_BUDGET = 16  # microseconds; less may be mostly the monitor's work
GROUPS = ("01:00:5e:00:00:fb", "33:33:00:00:00:01")
DATA = ("4 KiB", "8 KiB", "64 KiB", "1 MiB")

Document = dict[str, Any]
Draw = st.DrawFn


@dataclass
class _Endpoint:
    name: str  # of the server too: io.records
    block: bool
    read_only: bool
    shared: bool
    written: bool = False
    network: bool = False


@dataclass
class _Guest:
    """One key of `partitions`: with `count` several partitions."""

    name: str
    count: int
    keys: Document = field(default_factory=dict)

    @property
    def members(self) -> list[str]:
        return [f"{self.name}.{index}" for index in range(self.count)] if self.count else [self.name]


@st.composite
def layouts(draw: Draw, least: int = 1) -> Document:
    """A valid layout on the board qemu-q35, of six partitions at most and at least so many guests (`least` up to 3);
    one with `count` counts once. Its files are those of `write`.
    """
    servers, endpoints = _servers(draw)
    guests = _guests(draw, least, 6 - len(servers))
    for guest in guests:
        _settings(draw, guest)
        _clients(draw, guest, endpoints)
    _peers(draw, guests)
    _order(draw, guests)
    if "com2" not in {name for each in servers.values() for name in each["devices"]} and draw(_rarely()):
        lonely = [guest for guest in guests if not guest.count]
        if lonely:
            lonely[0].keys["devices"] = ["com2"]
    _copy(draw, guests)
    entries = [*servers.items(), *((guest.name, guest.keys) for guest in guests)]
    layout: Document = {"layout": 1, "board": "qemu-q35", "partitions": dict(draw(st.permutations(entries)))}
    layout |= _regions(draw, guests) | _schedule(draw, list(servers), guests)
    if draw(st.booleans()):
        layout["on_end"] = draw(st.sampled_from(("stay", "poweroff", "halt")))
    return layout


def write(text: str, folder: Path) -> Path:
    """A layout as a file in `folder`, with the files that it may name beside it."""
    for file in FILES.iterdir():
        if not (folder / file.name).exists():
            shutil.copy(file, folder)
    place = folder / "generated.yaml"
    place.write_bytes(text.encode("utf-8", "surrogatepass"))
    return place


def text_of(document: Any, flow: bool | None = None) -> str:
    """`document` as YAML; `flow`: in braces, not in lines (None: innermost only)."""
    return yaml.dump(document, Dumper=_Plain, default_flow_style=flow, sort_keys=False, width=1000)


class _Plain(yaml.SafeDumper):
    """Without anchors: the same value at two places is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _rarely() -> st.SearchStrategy[bool]:
    return st.integers(0, 3).map(lambda number: number == 3)


def _size(count: int) -> str:
    """`count` bytes in the largest unit that divides them."""
    for unit, factor in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count % factor == 0:
            return f"{count // factor} {unit}"
    return f"{count} B"


# --- partitions


def _servers(draw: Draw) -> tuple[dict[str, Document], list[_Endpoint]]:
    """I/O partitions among which the board's devices are divided, and their endpoints."""
    servers: dict[str, Document] = {}
    endpoints: list[_Endpoint] = []
    for device, other in DEVICES.items():
        owner = draw(st.sampled_from((*SERVERS, None)))
        if owner is None:
            continue
        keys = servers.setdefault(owner, {"program": {"builtin": "io"}, "devices": [], "endpoints": {}})
        keys["devices"].append(draw(st.sampled_from((device, other))))
        if device == "nvme0":
            keys["dma"] = "trusted"
            _extents(draw, owner, keys["endpoints"], endpoints)
        else:
            keys["endpoints"][f"on-{device}"] = {"console": device}
            endpoints.append(_Endpoint(f"{owner}.on-{device}", False, False, True))
    for name, keys in servers.items():
        if draw(_rarely()):
            keys["endpoints"]["switch"] = {"network": "none"}
            endpoints.append(_Endpoint(f"{name}.switch", False, False, True, network=True))
        if draw(_rarely()):
            keys["memory"] = draw(st.sampled_from(("4 MiB", "8 MiB")))
    return servers, endpoints


def _extents(draw: Draw, owner: str, keys: Document, endpoints: list[_Endpoint]) -> None:
    """Block endpoints that divide the disk, with gaps where two ends of an extent were drawn so."""
    aligned = st.integers(0, CAPACITY // BLOCK - 1) | st.integers(0, 63).map(lambda mebibyte: mebibyte * 2048)
    cuts = sorted(draw(st.sets(aligned, min_size=2, max_size=6)))
    for index, (start, end) in enumerate(zip(cuts[::2], cuts[1::2], strict=False)):
        extent: Document = {"block": "nvme0", "start": _size(start * BLOCK), "size": _size((end - start) * BLOCK)}
        if end == cuts[-1] and draw(st.booleans()):
            del extent["size"]
        read_only, shared = draw(st.booleans()), draw(st.booleans())
        if read_only:
            extent["access"] = "read"
        if shared or draw(_rarely()):
            extent["shared"] = shared
        keys[f"disk{index}"] = extent
        endpoints.append(_Endpoint(f"{owner}.disk{index}", True, read_only, shared))


def _guests(draw: Draw, least: int, most: int) -> list[_Guest]:
    counts = draw(st.lists(st.sampled_from((0, 0, 0, 0, 1, 2, 3)), min_size=least, max_size=most))
    return [_Guest(f"g{index}", count) for index, count in enumerate(counts)]


def _settings(draw: Draw, guest: _Guest) -> None:
    keys = guest.keys
    if guest.count:
        keys["count"] = guest.count
    keys["program"] = draw(st.sampled_from(PROGRAMS))
    choices = {"memory": MEMORIES, "stack": STACKS, "health": HEALTHS, "debug": (True, False)}
    choices["config"] = ("a.toml", ["a.toml", "b.txt"], [])
    for key, values in choices.items():
        if draw(st.booleans()):
            keys[key] = draw(st.sampled_from(values))


def _clients(draw: Draw, guest: _Guest, endpoints: list[_Endpoint]) -> None:
    """Channels to endpoints: at most one client writes where it is not shared."""
    channels: Document = {}
    for index, endpoint in enumerate(endpoints):
        if draw(st.booleans()):
            continue
        channel: Document = {"to": endpoint.name}
        if endpoint.block:
            alone = not endpoint.written and guest.count < 2
            writes = not endpoint.read_only and (endpoint.shared or alone) and draw(st.booleans())
            endpoint.written |= writes
            if not writes and (not endpoint.read_only or draw(st.booleans())):
                channel["access"] = "read"
            _maybe(draw, channel, "quota", st.integers(1, 64))
        else:
            _maybe(draw, channel, "data", st.sampled_from(DATA))
        if endpoint.network:
            _maybe(draw, channel, "vlan", st.integers(1, 4094))
            _maybe(draw, channel, "groups", st.lists(st.sampled_from(GROUPS), max_size=2, unique=True))
        _maybe(draw, channel, "share", st.integers(1, 100))
        channels[f"c{index}"] = endpoint.name if list(channel) == ["to"] and draw(st.booleans()) else channel
    if channels:
        guest.keys["channels"] = channels


def _maybe(draw: Draw, keys: Document, key: str, values: st.SearchStrategy[Any]) -> None:
    if draw(_rarely()):
        keys[key] = draw(values)


def _peers(draw: Draw, guests: list[_Guest]) -> None:
    """Channels between guests, some of them with another name at the far end."""
    names = [member for guest in guests for member in guest.members]
    for number, guest in enumerate(guests):
        others = [name for name in names if name not in guest.members]
        for place in range(draw(st.integers(0, 2)) if others else 0):
            to = draw(st.sampled_from(others))
            name = f"p{number}x{place}" + ("-{i}" if guest.count else "")
            channel: Document = {"to": to}
            _maybe(draw, channel, "data", st.sampled_from(DATA))
            guest.keys.setdefault("channels", {})[name] = channel if draw(st.booleans()) or len(channel) > 1 else to
            far = next(each for each in guests if to in each.members)
            if not far.count and not guest.count and draw(_rarely()):
                far.keys.setdefault("channels", {})[f"q{number}x{place}"] = {"from": f"{guest.name}.{name}"}


def _order(draw: Draw, guests: list[_Guest]) -> None:
    """`after` names guests that were drawn before, so there is no circle."""
    for index, guest in enumerate(guests):
        if index and draw(_rarely()):
            earlier = st.sampled_from([each.name for each in guests[:index]])
            guest.keys["after"] = draw(st.lists(earlier, min_size=1, max_size=2, unique=True))


def _copy(draw: Draw, guests: list[_Guest]) -> None:
    """Sometimes the last guest is like the first, but for what only one may have."""
    model, copy = guests[0], guests[-1]
    if len(guests) > 1 and "devices" not in model.keys and draw(_rarely()):
        copy.keys = {key: value for key, value in copy.keys.items() if key in ("channels", "after", "count")}
        copy.keys = {"like": model.name, "channels": {}} | copy.keys


# --- regions and the schedule


def _regions(draw: Draw, guests: list[_Guest]) -> Document:
    regions: Document = {}
    single = [guest.name for guest in guests if not guest.count]
    for index in range(draw(st.integers(0, 3))):
        region: Document = {}
        if draw(st.booleans()):
            region["from"] = "table.bin"
        if "from" not in region or draw(st.booleans()):
            region["size"] = draw(st.sampled_from(("8 KiB", "64 KiB", "1 MiB", "2 MiB", "2 * 2 MiB")))
        writer = draw(st.sampled_from((*single, None)))
        if writer is not None:
            region["write"] = writer
        readers = [guest.name for guest in guests if guest.name != writer]
        if readers:
            region["read"] = draw(st.lists(st.sampled_from(readers), max_size=3, unique=True))
        regions[f"r{index}"] = region
    return {"regions": regions} if regions else {}


def _schedule(draw: Draw, servers: list[str], guests: list[_Guest]) -> Document:
    """Nothing, or frames in which every guest runs, after each server with a budget."""
    if draw(st.booleans()):
        return {}
    frames = []
    waiting = list(draw(st.permutations([guest.name for guest in guests])))
    while waiting:
        count = draw(st.integers(1, len(waiting)))
        length = draw(st.sampled_from((1000, 1500, 2000, 5000)))
        budget = st.integers(LEAST_BUDGET, length // (2 * (len(servers) + count)))
        run: list[Any] = [{name: f"{draw(budget)} us"} for name in servers]
        run += [{name: f"{draw(budget)} us"} if draw(_rarely()) else name for name in waiting[: count - 1]]
        frames.append({"for": f"{length} us", "run": [*run, waiting[count - 1]]})
        waiting = waiting[count:]
    schedule: Document = {"cpu0": frames}
    _maybe(draw, schedule, "manager", st.sampled_from(("40 us", "50 us", "100 us")))
    return {"schedule": schedule}

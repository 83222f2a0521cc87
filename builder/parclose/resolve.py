# SPDX-License-Identifier: Apache-2.0
"""A layout without errors → `System`: every default filled in, and noted so that `-v` can print it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from parclose.checks.channels import peer_name
from parclose.checks.console import buffer_of
from parclose.checks.endpoints import extent_of
from parclose.checks.memory import DEFAULT_STACK
from parclose.checks.programs import COMPILED, sources_in
from parclose.console_reader import ESCAPE_DEFAULT
from parclose.constants import constants
from parclose.errors import Span
from parclose.fetch_reader import RawFetch
from parclose.layout import RawEndpoint, RawHealth, RawPartition, RawProgram, RawRegion, known
from parclose.model import (
    WIRE,
    Access,
    Board,
    Channel,
    ChannelClass,
    Config,
    Endpoint,
    Fetch,
    Health,
    OnEnd,
    Partition,
    Port,
    Program,
    Qemu,
    Region,
    Role,
    System,
    address_text,
)
from parclose.ports import port, switches
from parclose.resolve_schedule import schedules
from parclose.scope import DEFAULT_DATA, IMPLICIT_IO, MANAGER, Link, Scope
from parclose.wording import format_size, format_time, listing, plural, round_up

_CLASSES = {each.value: each for each in ChannelClass}
NETWORK_EXTENT = (
    1 << 32
)  # more than any frame: with block size 1 and start 0, conversion of an offset of 0 always passes
_RESTARTS = 3
_WITHIN_NS = 60_000_000_000
_CONSOLE = "console"


def resolve(scope: Scope, board: Board) -> System:
    """The system of a layout on a board. The layout must have passed every check."""
    return _Resolver(scope, board).system()


class _Resolver:
    def __init__(self, scope: Scope, board: Board) -> None:
        self.scope = scope
        self.board = board
        self.layout = scope.layout
        self.switches = switches(scope)
        self.defaults: list[str] = []

    def system(self) -> System:
        partitions = self._partitions()
        endpoints = self._endpoints()
        channels = self._channels(endpoints)
        order = self._start_order(partitions)
        return System(
            name=system_name(self.layout.path),
            path=self.layout.path,
            board=_with_devices(self.board, {name for each in partitions for name in each.devices}),
            partitions=partitions,
            endpoints=endpoints,
            channels=channels,
            regions=tuple(self._region(region) for region in self.layout.regions),
            schedules=schedules(self.scope, partitions, self.board, self.defaults),
            start_order=order,
            on_end=self._on_end(),
            defaults=tuple(self.defaults),
            span=self.layout.span,
        )

    def _on_end(self) -> OnEnd:
        given = self.layout.on_end
        if given is None or given.value is None:
            self.defaults.append("on_end: stay")
            return OnEnd.STAY
        return OnEnd(given.value)

    # --- partitions

    def _partitions(self) -> tuple[Partition, ...]:
        servers = [self._partition(each, Role.IO) for each in self.layout.partitions if each.serves]
        guests = [self._partition(each, Role.GUEST) for each in self.layout.partitions if not each.serves]
        return (self._manager(), *self._implicit_io(), *servers, *guests)

    def _manager(self) -> Partition:
        return self._own(MANAGER, Role.MANAGER, Program(builtin="manager"), ())

    def _implicit_io(self) -> list[Partition]:
        device = self.scope.console_owner_wanted
        if device is None:
            return []
        heard = [partition.name for partition in self.scope.silent_guests()]
        self.defaults.append(
            f"{IMPLICIT_IO}: an I/O partition that owns {device.name} and serves it as a console to {listing(heard)}"
        )
        return [self._own(IMPLICIT_IO, Role.IO, Program(builtin="io"), (device.name,))]

    def _own(self, name: str, role: Role, program: Program, devices: tuple[str, ...]) -> Partition:
        """A partition that the tool adds."""
        return Partition(
            name=name,
            role=role,
            program=program,
            memory=None,
            stack=DEFAULT_STACK,
            devices=devices,
            config=(),
            after=(),
            health=Health("stop" if role is Role.MANAGER else "restart", _RESTARTS, _WITHIN_NS),
            debug=False,
            dma_trusted=False,
            span=self.layout.span,
        )

    def _partition(self, raw: RawPartition, role: Role) -> Partition:
        assert raw.program is not None
        if raw.memory is None:
            self.defaults.append(f"{raw.name}: memory: what its program and stack need")
        if raw.stack is None:
            self.defaults.append(f"{raw.name}: stack: {format_size(DEFAULT_STACK)}")
        after = [member for name, _ in known(raw.after) for member in self.scope.members(name) if member != raw.name]
        return Partition(
            name=raw.name,
            role=role,
            program=self._program(raw.program),
            memory=raw.memory.value if raw.memory else None,
            stack=(raw.stack.value if raw.stack else None) or DEFAULT_STACK,
            devices=tuple(device.name for device, _ in self.scope.owned(raw)),
            config=tuple(self._config(name, span) for name, span in known(raw.config)),
            after=tuple(dict.fromkeys(after)),
            health=self._health(raw),
            debug=bool(raw.debug and raw.debug.value),
            dma_trusted=raw.dma is not None,
            span=raw.span,
        )

    def _program(self, raw: RawProgram) -> Program:
        if raw.builtin is not None:
            return Program(builtin=raw.builtin.value or "", span=raw.span)
        flags = tuple(flag for flag, _ in known(raw.cflags))
        define = tuple((name.value or "", value.value or "") for name, value in raw.define)
        fetch = _fetch(raw.fetch) if raw.fetch else None
        given = raw.elf or raw.file
        if given is None or given.value is None:
            own = tuple(self._path(name) for name, _ in known(raw.sources or ()))
            return Program(own, flags, define, span=raw.span, fetch=fetch)
        path = self._path(given.value)
        if path.suffix not in COMPILED and not path.is_dir():
            return Program(elf=path, span=given.span)
        sources = tuple(sources_in(path)) if path.is_dir() else (path,)
        return Program(sources, flags, define, span=given.span, fetch=fetch)

    def _path(self, name: str) -> Path:
        return self.layout.folder / name

    def _config(self, name: str, span: Span) -> Config:
        path = self._path(name)
        return Config(path.name, path, span)

    def _health(self, raw: RawPartition) -> Health:
        if raw.health is None:
            self.defaults.append(f"{raw.name}: health: {{fault: stop}}")
            return Health("stop", 0, 0)
        return self._stated_health(raw.name, raw.health)

    def _stated_health(self, name: str, raw: RawHealth) -> Health:
        if raw.do.value == "stop":
            return Health("stop", 0, 0)
        limit = _RESTARTS if raw.limit is None or raw.limit.value is None else raw.limit.value
        within = (raw.within.value if raw.within else None) or _WITHIN_NS
        if raw.limit is None:
            self.defaults.append(f"{name}: health: limit: {limit}, within: {format_time(within)}, then: stop")
        return Health("restart", limit, within)

    # --- endpoints and channels

    def _endpoints(self) -> tuple[Endpoint, ...]:
        found = [self._endpoint(partition, raw) for partition in self.layout.partitions for raw in partition.endpoints]
        device = self.scope.console_owner_wanted
        if device is not None:
            line = Endpoint(
                _CONSOLE,
                IMPLICIT_IO,
                ChannelClass.CONSOLE,
                device.name,
                0,
                0,
                Access.WRITE,
                True,
                self.layout.span,
                ESCAPE_DEFAULT,
            )
            found.append(line)
        return tuple(found)

    def _endpoint(self, partition: RawPartition, raw: RawEndpoint) -> Endpoint:
        if raw.kind == "network":
            return self._network(partition, raw)
        device = self.scope.device(raw.device.value)
        assert device is not None
        extent = extent_of(self.scope, raw)
        _, start, size = extent if extent is not None else (device, 0, 0)
        if extent is not None and raw.size is None and raw.label is None:
            self.defaults.append(f"{partition.name}.{raw.name}: size: {format_size(size)}, the rest of {device.name}")
        access = Access(raw.access.value) if raw.access and raw.access.value else Access.WRITE
        shared = raw.kind == "console" or bool(raw.shared and raw.shared.value)
        escape = raw.escape.value if raw.escape else None
        key = escape or ESCAPE_DEFAULT if raw.kind == "console" else 0
        label = (raw.label.value or "") if raw.label is not None else ""
        place = partition.name, _CLASSES[raw.kind], device.name, start, size
        return Endpoint(raw.name, *place, access, shared, raw.span, key, label)

    def _network(self, partition: RawPartition, raw: RawEndpoint) -> Endpoint:
        """A switch. A card has no extent: what conversion gives to it is only asked about the client's memory."""
        device = None if raw.closed else self.scope.device(raw.device.value)
        name = device.name if device else ""
        size = NETWORK_EXTENT if device else 0
        return Endpoint(raw.name, partition.name, ChannelClass.NETWORK, name, 0, size, Access.WRITE, True, raw.span)

    def _channels(self, endpoints: tuple[Endpoint, ...]) -> tuple[Channel, ...]:
        found = [self._channel(link) for link in self.scope.links]
        console = next((each for each in endpoints if each.channel_class is ChannelClass.CONSOLE), None)
        if console is None:
            return tuple(found)
        clients = [(MANAGER, self.layout.span)]
        if console.partition == IMPLICIT_IO:
            clients += [(partition.name, partition.span) for partition in self.scope.silent_guests()]
        return (*(self._console(name, span, console) for name, span in clients), *found)

    def _console(self, client: str, span: Span, console: Endpoint) -> Channel:
        """A channel that nobody asked for: the manager's, or a silent guest's."""
        self.defaults.append(f"{client}: channels: {_CONSOLE}: {console.partition}.{console.name}")
        return Channel(
            client=client,
            client_name=_CONSOLE,
            server=console.partition,
            server_name=console.name,
            channel_class=ChannelClass.CONSOLE,
            endpoint=console.name,
            access=Access.WRITE,
            data_size=DEFAULT_DATA["console"],
            quota=0,
            share=1,
            span=span,
        )

    def _channel(self, link: Link) -> Channel:
        raw, name = link.raw, f"{link.client.name}: {link.raw.name}"
        converts = link.endpoint is not None and link.kind in ("block", "network") and not link.endpoint.closed
        quota = constants()["LIMIT_IN_FLIGHT"] if converts else 0
        if raw.data is None and link.kind != "block":
            self.defaults.append(f"{name}: data: {format_size(DEFAULT_DATA[link.kind])}")
        server_name = link.endpoint.name if link.endpoint else peer_name(self.scope, link)[0]
        return Channel(
            client=link.client.name,
            client_name=raw.name,
            server=link.server.name,
            server_name=server_name,
            channel_class=_CLASSES[link.kind],
            endpoint=link.endpoint.name if link.endpoint else None,
            access=Access.WRITE if link.writes else Access.READ,
            data_size=(raw.data.value if raw.data else None) or DEFAULT_DATA[link.kind],
            quota=(raw.quota.value if raw.quota else None) or quota,
            share=(raw.share.value if raw.share else None) or 1,
            span=raw.span,
            port=self._port(link, name) if link.kind == "network" else None,
            buffer=self._buffer(link, name) if link.kind == "console" else 0,
        )

    def _buffer(self, link: Link, name: str) -> int:
        if link.log and link.raw.buffer is None:
            self.defaults.append(f"{name}: buffer: {format_size(buffer_of(link))}")
        return buffer_of(link)

    def _port(self, link: Link, name: str) -> Port:
        assert link.endpoint is not None
        found = port(self.scope, link, self.switches[link.server.name, link.endpoint.name])
        if link.raw.mac is None:
            self.defaults.append(f'{name}: mac: "{address_text(found.mac)}", from the names')
        if link.raw.talks_to is None:
            self.defaults.append(f"{name}: talks_to: {listing([*found.talks_to, *[WIRE] * found.wire]) or 'no one'}")
        return found

    # --- regions and order

    def _region(self, raw: RawRegion) -> Region:
        source = self._path(raw.source.value) if raw.source and raw.source.value else None
        size = raw.size.value if raw.size else None
        if size is None:
            assert source is not None
            size = max(round_up(source.stat().st_size, constants()["PAGE_SIZE"]), constants()["PAGE_SIZE"])
            self.defaults.append(f"{raw.name}: size: {format_size(size)}, for {source.name}")
        writers = [member for name, _ in known(raw.write) for member in self.scope.members(name)]
        readers = [
            member for name, _ in known(raw.read) for member in self.scope.members(name) if member not in writers
        ]
        return Region(raw.name, size, source, writers[0] if writers else None, tuple(dict.fromkeys(readers)), raw.span)

    def _start_order(self, partitions: tuple[Partition, ...]) -> tuple[str, ...]:
        """I/O partitions first, then guests, in file order; but each after those that it names."""
        order: list[str] = []
        waiting = [partition for partition in partitions if partition.role is not Role.MANAGER]
        while waiting:
            ready = next(each for each in waiting if set(each.after) <= set(order))
            order.append(ready.name)
            waiting.remove(ready)
        self.defaults.append(f"start order: {', '.join(order)} ({plural(len(order), 'partition')})")
        return tuple(order)


def _fetch(raw: RawFetch) -> Fetch:
    return Fetch(
        package=raw.package.value or "",
        archive=raw.archive.value or "",
        sha256=raw.sha256.value or "",
        licence=raw.licence.value or "",
        sources=tuple(path for path, _ in known(raw.sources)),
        include=tuple(path for path, _ in known(raw.include)),
    )


def _with_devices(board: Board, used: set[str]) -> Board:
    """The board whose QEMU has the devices that somebody owns: other images' machines stay as they were."""
    if board.qemu is None:
        return board
    devices = [device for device in board.devices if device.name in used and device.qemu]
    words = tuple(word for device in devices for word in device.qemu)
    disks = tuple(
        (device.name, device.capacity)
        for device in devices
        if any(f"{{disk:{device.name}}}" in word for word in device.qemu)
    )
    return replace(board, qemu=Qemu(board.qemu.arguments + words, board.qemu.disks + disks))


def system_name(path: Path) -> str:
    """What a layout is called: its file's stem, or its folder's name where the file is layout.yaml."""
    return path.resolve().parent.name if path.name in ("layout.yaml", "layout.yml") else path.stem

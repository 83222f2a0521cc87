# SPDX-License-Identifier: Apache-2.0
"""One partition of a layout: its program, endpoints, channels and the rest, as written."""

from __future__ import annotations

from dataclasses import replace

from parclose.console_reader import read_escape
from parclose.constants import constants
from parclose.expand import Named, expand
from parclose.fetch_reader import read_fetch
from parclose.layout import RawChannel, RawEndpoint, RawHealth, RawPartition, RawProgram, Texts
from parclose.network_reader import read_address, read_groups
from parclose.problems import at
from parclose.source import Entry, Mapping, Node, Scalar
from parclose.values import Fields, Given, Reader

_KEYS = [
    "program",
    "memory",
    "stack",
    "devices",
    "dma",
    "endpoints",
    "channels",
    "config",
    "after",
    "health",
    "debug",
    "count",
    "like",
]
_LATER = {
    "guest": "whole operating systems as guests come later",
    "processors": "several processors come later",
    "on": "several processors come later",
}
_CHANNEL_LATER = {
    "paths": "redundant paths come later",
    "direct": "direct channels come later",
}
_LONGEST_SHARE = 100
_LAST_VLAN = 4094  # IEEE 802.1Q, 9.6: 0 is a priority alone, 4095 is reserved
_ENDPOINT_KINDS = ("block", "console", "network")
_DECLARES = ("to", "data", "access", "share", "quota", "mac", "vlan", "talks_to", "groups", "log", "buffer")


def texts(fields: Fields, key: str) -> Texts:
    """A list of words under `key`; one unreadable item where it is no list."""
    entry = fields.entry(key)
    if entry is None:
        return (Given(None, fields.doubtful[key]),) if key in fields.doubtful else ()
    reader, what = fields.reader, f"'{key}' of {fields.what}"
    items = fields.within(lambda node: reader.items(node, what), entry.value)
    if items is None:
        return (Given(None, entry.key.span),)
    return tuple(fields.within(lambda node: reader.text(node, f"an item of {what}"), item) for item in items)


def read_partition(named: Named, reader: Reader) -> RawPartition:
    """The partition `named`; what could not be read is marked in it."""
    what = f"the partition '{named.name}'"
    if isinstance(named.node, Scalar) and named.node.text:
        text = f"{what} is '{named.node.text[:40]}', not a mapping"
        help = f"write {named.group}: {{program: {named.node.text[:40]}}}"
        reader.problems.error("P003", text, at(named.node.span, "a mapping is expected"), help=help)
        return RawPartition(named.name, named.span, named.group, broken=frozenset(_KEYS))
    fields = reader.fields(named.node, what, named.span, _KEYS, _LATER)
    if fields is None:
        return RawPartition(named.name, named.span, named.group, broken=frozenset(_KEYS))
    fields.incomplete = not named.complete
    broken = fields.unreadable(Mapping) & {"endpoints", "channels"}
    if fields.incomplete:
        broken |= {key for key in _KEYS if fields.entry(key) is None}
    return RawPartition(
        name=named.name,
        span=named.span,
        group=named.group,
        program=_program(fields),
        memory=fields.get("memory", reader.size),
        stack=fields.get("stack", reader.size),
        devices=texts(fields, "devices"),
        dma=fields.get("dma", lambda node, what: reader.choice(node, what, ("trusted",))),
        endpoints=_endpoints(fields),
        channels=_channels(fields),
        config=texts(fields, "config"),
        after=texts(fields, "after"),
        health=_health(fields),
        debug=fields.get("debug", reader.boolean),
        broken=frozenset(broken),
    )


def _program(fields: Fields) -> RawProgram | None:
    entry = fields.entry("program")
    if entry is None:
        if fields.entry("guest") is None:
            fields.missing("program", "write program: main.c, or program: {builtin: io}")
        return None
    node, reader = entry.value, fields.reader
    if not isinstance(node, Mapping):
        return RawProgram(node.span, file=reader.text(node, f"the program of {fields.what}"))
    keys = ("sources", "elf", "builtin", "file", "cflags", "define", "fetch")
    what = f"the program of {fields.what}"
    inner = reader.fields(node, what, entry.key.span, keys)
    if inner is None:
        return RawProgram(entry.key.span, broken=True)
    fetch = inner.entry("fetch")
    program = RawProgram(
        span=entry.key.span,
        file=inner.get("file", reader.text),
        sources=texts(inner, "sources") if inner.entry("sources") else None,
        elf=inner.get("elf", reader.text),
        builtin=inner.get("builtin", reader.text),
        cflags=texts(inner, "cflags"),
        define=_define(inner),
        fetch=read_fetch(fetch, reader, f"what {what} fetches") if fetch else None,
    )
    return replace(program, broken=_one_origin(inner, program))


def _one_origin(fields: Fields, program: RawProgram) -> bool:
    """Note P054 unless exactly one key says where the program comes from, and for flags of what is not compiled."""
    keys = [key for key in ("file", "sources", "elf", "builtin") if fields.entry(key) is not None]
    problems = fields.reader.problems
    if not keys:
        fields.missing("sources", "or 'file', 'elf', 'builtin': one of them says where the program comes from")
        return True
    entries = [entry for key in keys if (entry := fields.entry(key)) is not None]
    if len(keys) > 1:
        text = f"{fields.what} comes from '{keys[0]}' and from '{keys[1]}'"
        first, second = entries[0].key.span, entries[1].key.span
        problems.error("P054", text, at(second, "second origin"), at(first, "first origin"), help="keep one of them")
        return True
    for key in ("cflags", "define", "fetch"):
        flags = fields.entry(key)
        if flags is not None and (program.elf or program.builtin):
            text = f"'{key}' has no meaning for a program that is not compiled"
            here, there = at(flags.key.span, "not used"), at(entries[0].key.span, "ready made")
            problems.error("P054", text, here, there, help=f"leave '{key}' out, or name sources")
            return True
    return False


def _define(fields: Fields) -> tuple[tuple[Given[str], Given[str]], ...]:
    """C macros: names, and values as they were written."""
    entry = fields.entry("define")
    mapping = fields.reader.mapping(entry.value, f"'define' of {fields.what}") if entry else None
    return (
        tuple((Given(each.key.text, each.key.span), _macro(each, fields)) for each in mapping.entries)
        if mapping
        else ()
    )


def _macro(entry: Entry, fields: Fields) -> Given[str]:
    if isinstance(entry.value, Scalar):
        return Given(entry.value.text if entry.value.span != entry.key.span else "", entry.value.span)
    scalar = fields.reader.scalar(entry.value, f"the macro '{entry.key.text}'")
    return Given(scalar.text if scalar else None, entry.value.span)


def _endpoints(fields: Fields) -> tuple[RawEndpoint, ...]:
    entry = fields.entry("endpoints")
    mapping = fields.reader.mapping(entry.value, f"'endpoints' of {fields.what}") if entry else None
    return (
        tuple(_endpoint(named, fields) for named in expand(mapping, fields.reader, "the endpoint")) if mapping else ()
    )


def _endpoint(named: Named, partition: Fields) -> RawEndpoint:
    reader = partition.reader
    reader.legal_name(named.name, named.span, "an endpoint")
    what = f"the endpoint '{named.name}'"
    keys = [*_ENDPOINT_KINDS, "partition", "start", "size", "access", "shared", "escape", "count", "like"]
    fields = reader.fields(named.node, what, named.span, keys)
    if fields is None:
        return RawEndpoint(named.name, named.span, "", Given(None, named.span))
    kind = _endpoint_kind(fields)
    return RawEndpoint(
        name=named.name,
        span=named.span,
        kind=kind,
        device=(fields.get(kind, reader.text) if kind else None) or Given(None, named.span),
        start=fields.get("start", reader.address),
        size=fields.get("size", reader.size),
        label=fields.get("partition", reader.text),
        access=fields.get("access", lambda node, what: reader.choice(node, what, ("read", "write"))),
        shared=fields.get("shared", reader.boolean),
        escape=fields.get("escape", lambda node, what: read_escape(reader, node, what)),
    )


def _endpoint_kind(fields: Fields) -> str:
    """One of `_ENDPOINT_KINDS`; "" when none or several stand there (P068). Notes keys of another class (P076)."""
    entries = [entry for kind in _ENDPOINT_KINDS if (entry := fields.entry(kind)) is not None]
    problems = fields.reader.problems
    if len(entries) > 1:
        kinds = " and ".join(f"a {entry.key.text}" for entry in entries[:2])
        labels = at(entries[1].key.span, "and this"), at(entries[0].key.span, "this")
        problems.error("P068", f"{fields.what} is {kinds} at once", *labels, help="make two endpoints of it")
        return ""
    if not entries:
        text, help = f"{fields.what} is on no device", "write block: DEVICE, console: DEVICE or network: DEVICE in it"
        problems.error("P068", text, at(fields.place, "neither block, console nor network"), help=help)
        return ""
    kind = entries[0].key
    of_disks = "partition", "start", "size", "access"
    without = {"block": ("escape",), "console": of_disks}
    for key in without.get(kind.text, (*of_disks, "escape")):
        entry = fields.entry(key)
        if entry is not None:
            text = f"'{key}' has no meaning for a {kind.text}"
            here, there = at(entry.key.span, "not used"), at(kind.span, f"a {kind.text}")
            problems.error("P076", text, here, there, help=f"leave '{key}' out")
    return kind.text


def _channels(fields: Fields) -> tuple[RawChannel, ...]:
    entry = fields.entry("channels")
    mapping = fields.reader.mapping(entry.value, f"'channels' of {fields.what}") if entry else None
    return tuple(_channel(each, fields) for each in mapping.entries) if mapping else ()


def _channel(entry: Entry, partition: Fields) -> RawChannel:
    reader, name, span = partition.reader, entry.key.text, entry.key.span
    what = f"the channel '{name}' of {partition.what}"
    reader.legal_name(name, span, "a channel")
    if not isinstance(entry.value, Mapping):
        return RawChannel(name, span, to=reader.text(entry.value, what))
    keys = ["from", *_DECLARES]
    fields = reader.fields(entry.value, what, span, keys, _CHANNEL_LATER)
    if fields is None:
        return RawChannel(name, span)
    to, source = fields.entry("to"), fields.entry("from")
    if to is None and source is None and fields.entry("paths") is None:
        fields.missing("to", "write to: io.ENDPOINT, or to: PARTITION")
    if source is not None:
        _alone(fields, source)
    limit = constants()["LIMIT_IN_FLIGHT"]
    return RawChannel(
        name=name,
        span=span,
        to=fields.get("to", reader.text) if source is None else None,
        source=fields.get("from", reader.text),
        data=fields.get("data", reader.size),
        access=fields.get("access", lambda node, what: reader.choice(node, what, ("read", "write"))),
        share=fields.get("share", lambda node, what: reader.integer(node, what, 1, _LONGEST_SHARE)),
        quota=fields.get("quota", lambda node, what: reader.integer(node, what, 1, limit)),
        mac=fields.get("mac", lambda node, what: read_address(reader, node, what)),
        vlan=fields.get("vlan", lambda node, what: reader.integer(node, what, 1, _LAST_VLAN)),
        talks_to=texts(fields, "talks_to") if fields.entry("talks_to") else None,
        groups=read_groups(fields),
        log=fields.get("log", reader.boolean),
        buffer=fields.get("buffer", reader.size),
    )


def _alone(fields: Fields, source: Entry) -> None:
    """`from` gives another name to an end that is declared elsewhere; everything else is said there (P083)."""
    for entry in fields.mapping.entries:
        if entry is not source and entry.key.text in _DECLARES:
            text = f"'{entry.key.text}' stands beside 'from', which only renames"
            help = f"say '{entry.key.text}' where the channel is declared, or leave 'from' out"
            here, there = at(entry.key.span, "belongs to the declaration"), at(source.key.span, "renames")
            fields.reader.problems.error("P083", text, here, there, help=help)


def _health(fields: Fields) -> RawHealth | None:
    entry = fields.entry("health")
    if entry is None:
        return None
    reader = fields.reader
    inner = reader.fields(entry.value, f"'health' of {fields.what}", entry.key.span, ("fault",))
    fault = inner.entry("fault") if inner else None
    if inner is None or fault is None:
        if inner is not None:
            inner.missing("fault", "write fault: restart, or fault: stop")
        return None
    words, what = ("restart", "stop"), f"'fault' of {fields.what}"
    if not isinstance(fault.value, Mapping):
        return RawHealth(fault.key.span, reader.choice(fault.value, what, words))
    keys = ("do", "limit", "within", "then")
    detail = reader.fields(fault.value, what, fault.key.span, keys)
    if detail is None:
        return None
    detail.get("then", lambda node, what: reader.choice(node, what, ("stop",)))
    do = detail.need("do", lambda node, what: reader.choice(node, what, words), "write do: restart or do: stop")
    _no_limit_for_stop(detail, do)
    limit = detail.get("limit", lambda node, what: _limit(reader, node, what))
    return RawHealth(fault.key.span, do, limit, detail.get("within", reader.time))


def _no_limit_for_stop(fields: Fields, do: Given[str]) -> None:
    for key in ("limit", "within", "then"):
        entry = fields.entry(key)
        if entry is not None and do.value == "stop":
            text = f"'{key}' has no meaning where a fault stops the partition at once"
            here, there = at(entry.key.span, "not used"), at(do.span, "stops at the first fault")
            fields.reader.problems.error("P094", text, here, there, help=f"write do: restart, or leave '{key}' out")


def _limit(reader: Reader, node: Node, what: str) -> Given[int]:
    """Restarts: a number, or `none` (0)."""
    if isinstance(node, Scalar) and node.text == "none":
        return Given(0, node.span)
    return reader.integer(node, what, 1, constants()["LIMIT_RESTARTS"])

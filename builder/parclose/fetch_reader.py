# SPDX-License-Identifier: Apache-2.0
"""What a program fetches, as written: sources from an archive of a Debian source package, named by its hash."""

from __future__ import annotations

import re
from dataclasses import dataclass

from parclose.errors import Span
from parclose.problems import at
from parclose.source import Entry, Node
from parclose.values import Fields, Given, Reader

_KEYS = ("package", "archive", "sha256", "licence", "sources", "include")
_HASH = re.compile(r"[0-9a-f]{64}")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+")  # Debian Policy, 5.6.1
_ARCHIVE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~_-]*\.tar\.(gz|xz|bz2)")


@dataclass(frozen=True)
class RawFetch:
    """`sources` and `include` are paths inside the archive, below its one folder."""

    span: Span
    package: Given[str]
    archive: Given[str]
    sha256: Given[str]
    licence: Given[str]
    sources: tuple[Given[str], ...]
    include: tuple[Given[str], ...]


def read_fetch(entry: Entry, reader: Reader, what: str) -> RawFetch | None:
    """The mapping under `fetch`; None where it is none. Notes P057 for what names no archive and no path in one."""
    fields = reader.fields(entry.value, what, entry.key.span, _KEYS)
    if fields is None:
        return None
    return RawFetch(
        span=entry.key.span,
        package=_need(fields, "package", _PACKAGE, "the name of a Debian source package, such as lwip"),
        archive=_need(fields, "archive", _ARCHIVE, "the name of its .tar file, such as lwip_2.1.3+dfsg1.orig.tar.xz"),
        sha256=_need(fields, "sha256", _HASH, "the 64 digits that sha256sum prints for the archive"),
        licence=fields.need("licence", reader.text, "write licence: BSD-3-Clause, or what its COPYING says"),
        sources=_paths(fields, "sources"),
        include=_paths(fields, "include") if fields.entry("include") else (),
    )


def _need(fields: Fields, key: str, form: re.Pattern[str], meant: str) -> Given[str]:
    given = fields.need(key, fields.reader.text, f"write {key}: {meant}")
    if given.value is None or form.fullmatch(given.value):
        return given
    text = f"'{given.value[:40]}' is not the '{key}' of {fields.what}"
    fields.reader.problems.error(
        "P057", text, at(given.span, "not of this form"), at(fields.place, "fetched here"), help=f"write {meant}"
    )
    return Given(None, given.span)


def _paths(fields: Fields, key: str) -> tuple[Given[str], ...]:
    entry, what = fields.entry(key), f"'{key}' of {fields.what}"
    items = fields.within(lambda node: fields.reader.items(node, what), entry.value) if entry else None
    if not items:
        fields.missing(key, "write the paths inside the archive, without its first folder")
        return ()
    return tuple(_path(fields, item, what) for item in items)


def _path(fields: Fields, node: Node, what: str) -> Given[str]:
    given = fields.within(lambda node: fields.reader.text(node, f"an item of {what}"), node)
    parts = (given.value or "").split("/")
    if given.value is not None and ("" in parts or ".." in parts):
        text, help = f"'{given.value[:40]}' is no path inside an archive", "write it as src/core/tcp.c"
        labels = at(given.span, "leaves the archive"), at(fields.place, "fetched here")
        fields.reader.problems.error("P057", text, *labels, help=help)
        return Given(None, given.span)
    return given

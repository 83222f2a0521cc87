# SPDX-License-Identifier: Apache-2.0
"""How numbers and names are written in messages, and which known name was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from itertools import islice

SIZE_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
TIME_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000, "h": 3_600_000_000_000}
_MOST_COMPARED, _LONGEST_COMPARED = 512, 64  # comparing is slow, and a layout may be hostile


def format_size(size: int) -> str:
    """`size` bytes, exactly, in the largest unit with at most two decimals: 1.5 MiB."""
    return _format(size, SIZE_UNITS)


def format_time(time: int) -> str:
    """`time` nanoseconds, exactly, in the largest unit with at most two decimals: 1.2 ms."""
    return _format(time, {unit: value for unit, value in TIME_UNITS.items() if unit not in ("min", "h")})


def _format(value: int, units: dict[str, int]) -> str:
    for unit, factor in reversed(units.items()):
        if value >= factor and value * 100 % factor == 0:
            return f"{value / factor:.2f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{value} {next(iter(units))}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant by `name`, or None when none is near."""
    by_lower = {other.lower(): other for other in islice(known, _MOST_COMPARED)}
    found = difflib.get_close_matches(name[:_LONGEST_COMPARED].lower(), list(by_lower), n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def listing(words: Sequence[str], joint: str = "and", most: int = 8) -> str:
    """`a, b and c`; of more than `most` words the rest are counted."""
    if len(words) > most:
        return ", ".join(words[:most]) + f" {joint} {len(words) - most} more"
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + f" {joint} {words[-1]}"


def quoted(words: Iterable[str]) -> list[str]:
    """Each word in single quotes."""
    return [f"'{word}'" for word in words]


def suggestion(name: str, known: Sequence[str], what: str) -> str:
    """A help line for the unknown `name`: the nearest known one, or the list of what there is."""
    found = nearest(name, known)
    if found is not None:
        return f"did you mean '{found}'?"
    return f"{what}: {listing(known, 'and')}" if known else ""


def plural(count: int, word: str) -> str:
    """`1 frame`, `2 frames`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def round_up(value: int, unit: int) -> int:
    """The smallest multiple of `unit` that is not below `value`."""
    return -(-value // unit) * unit

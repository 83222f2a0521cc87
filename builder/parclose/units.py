# SPDX-License-Identifier: Apache-2.0
"""Sizes and times as people write them, to bytes and nanoseconds."""

from __future__ import annotations

import re
from fractions import Fraction

from parclose.wording import SIZE_UNITS, TIME_UNITS, nearest

_QUANTITY = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[A-Za-zµμ]*)")
_DECIMAL_UNITS = {"KB": "KiB", "kB": "KiB", "K": "KiB", "k": "KiB", "MB": "MiB", "M": "MiB", "GB": "GiB", "G": "GiB"}
_TIME_WORDS = {
    "µs": "us",
    "μs": "us",
    "sec": "s",
    "second": "s",
    "seconds": "s",
    "msec": "ms",
    "usec": "us",
    "m": "min",
    "minute": "min",
    "minutes": "min",
    "hour": "h",
    "hours": "h",
}
_MICRO = ("µs", "μs")


class UnitError(ValueError):
    """The text is no quantity. `bare` is set where only the unit is missing; `advice` says what to write."""

    def __init__(self, message: str, advice: str = "", bare: bool = False) -> None:
        super().__init__(message)
        self.advice = advice
        self.bare = bare


def size(text: str) -> int:
    """Bytes in `text`: `64 KiB`, or a sum of products such as `1 MiB + 3 * 8 MiB`. Raises UnitError."""
    return sum(_product(term) for term in text.split("+"))


def _product(text: str) -> int:
    *counts, last = (factor.strip() for factor in text.split("*"))
    if counts and last.isdecimal():  # `8 MiB * 3` is as good as `3 * 8 MiB`
        counts, last = [last, *counts[1:]], counts[0]
    result = _quantity(last, SIZE_UNITS, _DECIMAL_UNITS, "MiB")
    for count in counts:
        if not count.isdecimal():
            raise UnitError(f"'{count}' is not a whole number", "write a count times a size, as in 3 * 8 MiB")
        result *= int(count)
    return result


def time(text: str) -> int:
    """Nanoseconds in `text`: `10 ms`, `300 us`, `1 min`. Raises UnitError."""
    for written in _MICRO:
        text = text.replace(written, "us")
    return _quantity(text.strip(), TIME_UNITS, _TIME_WORDS, "ms")


def _quantity(text: str, units: dict[str, int], slips: dict[str, str], usual: str) -> int:
    found = _QUANTITY.fullmatch(text)
    if found is None or len(text) > 40:
        raise UnitError(f"'{_cut(text)}' is not a number and a unit", f"write it as in 4 {usual}")
    number, unit = Fraction(found["number"]), found["unit"]
    if not unit:
        if number == 0:
            return 0
        raise UnitError(f"'{text}' has no unit", _bare_advice(found["number"], units, usual), bare=True)
    if unit not in units:
        meant = slips.get(unit) or nearest(unit, units) or usual
        raise UnitError(f"'{unit}' is not a unit", f"write {found['number']} {meant}; there are {', '.join(units)}")
    value = number * units[unit]
    if value.denominator != 1:
        raise UnitError(f"'{text}' is not a whole number of {next(iter(units))}", f"{int(value)} or {int(value) + 1}")
    return int(value)


def _bare_advice(number: str, units: dict[str, int], usual: str) -> str:
    return f"write {number} {usual} if that is what is meant; there are {', '.join(units)}"


def _cut(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."

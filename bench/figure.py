# SPDX-License-Identifier: Apache-2.0
"""One figure of `make bench`, and the table of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A measured figure. `value` is the median of `median_of` measurements, `worst` the worst of them.

    `bound`: the goal is a promise, so the worst has to meet it. `more_is_better`: the goal is the least, not the most.
    `between` says what was measured, between which two points; `where`, asked only when the goal is missed, where the
    instructions or seconds go, in one line.
    """

    name: str
    value: float
    unit: str
    goal: float
    between: str
    median_of: int = 1
    worst: float | None = None
    peers: Mapping[str, float] = field(default_factory=dict)
    where: Callable[[], str] | None = field(default=None, compare=False, repr=False)
    bound: bool = False
    more_is_better: bool = False

    @property
    def judged(self) -> float:
        """What has to meet the goal."""
        return self.worst if self.bound and self.worst is not None else self.value

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return self.judged >= self.goal if self.more_is_better else self.judged <= self.goal

    def verdict(self) -> str:
        """Whether the goal is met, and by how much it is missed."""
        if self.met:
            return "met"
        missed = abs(self.judged - self.goal)
        return f"missed by {missed:,.4g} ({missed / self.goal:.0%})"

    def document(self) -> dict[str, Any]:
        """The entry in bench.json."""
        better = "higher" if self.more_is_better else "lower"
        worst = self.value if self.worst is None else self.worst
        found: dict[str, Any] = {"name": self.name, "value": self.value, "median": self.value, "worst": worst}
        found |= {"unit": self.unit, "better": better, "median_of": self.median_of, "goal": self.goal}
        found["goal_for"] = "worst" if self.bound else "median"
        return found | {"met": self.met, "peers": dict(self.peers), "between": self.between}


def median(values: Sequence[float]) -> float:
    """The median; an integer where it is one."""
    found = statistics.median(values)
    return int(found) if found == int(found) else found


Measure = Callable[[], Figure | list[Figure]]  # raises with the reason where it cannot be measured


def table(results: Sequence[Figure]) -> str:
    """All figures, one a line."""
    rows = [("figure", "value", "worst", "goal", "unit", "", "peers")]
    for each in results:
        peers = ", ".join(f"{name} {value:,}" for name, value in each.peers.items())
        worst = "" if each.worst is None else f"{each.worst:,}"
        rows.append((each.name, f"{each.value:,}", worst, f"{each.goal:,}", each.unit, each.verdict(), peers))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    numbers = (1, 2, 3)
    cells = [
        cell.rjust(width) if place in numbers else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()

# SPDX-License-Identifier: Apache-2.0
"""One figure of `make bench`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A measured figure. `value` is the median of `median_of` measurements; lower is better for all we have."""

    name: str
    value: float
    unit: str
    goal: float
    median_of: int = 1
    worst: float | None = None
    peers: Mapping[str, float] = field(default_factory=dict)

    def verdict(self) -> str:
        """Whether the goal is met, and by how much it is missed."""
        return "met" if self.value <= self.goal else f"missed by {self.value / self.goal - 1:.0%}"

    def document(self) -> dict[str, Any]:
        """The entry in bench.json."""
        found: dict[str, Any] = {"name": self.name, "value": self.value, "unit": self.unit, "better": "lower"}
        found |= {"median_of": self.median_of, "goal": self.goal, "peers": dict(self.peers)}
        return found if self.worst is None else {**found, "worst": self.worst}

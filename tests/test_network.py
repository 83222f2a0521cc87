# SPDX-License-Identifier: Apache-2.0
"""Networks on the machine: guests among themselves, guests and a wire."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

NETWORK = Path(__file__).parent / "network"

Boot = Callable[..., Any]


def test_guests_among_themselves(parclose_boot: Boot) -> None:
    """Every frame comes back unchanged, in three lives; who is in no list is not heard, whatever it calls itself."""
    machine = parclose_boot(NETWORK / "closed.yaml", timeout=60)
    machine.expect(r"spoofer\| refused as it should be")
    for life in (1, 2, 3):
        machine.expect(rf"asker\| 700 frames came back, life {life}")
    for partition in ("asker", "bystander", "spoofer"):
        assert machine.wait_event(event="ended", partition=partition)["status"] == 0

# SPDX-License-Identifier: Apache-2.0
"""Each promise is attacked and must hold; the same attack without that one protection must succeed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import promise_devices
import promise_kit
import promise_list
import promise_table
from parclose.testing.fixtures import require_qemu


@pytest.mark.parametrize("number", range(len(promise_list.PROMISES)), ids=[p.name for p in promise_list.PROMISES])
def test_promise(number: int, record_property: Callable[[str, object], None]) -> None:
    require_qemu()
    row = promise_kit.perform(promise_list.PROMISES[number])
    assert tuple(row) == promise_table.COLUMNS and all(row.values()), row
    record_property(promise_table.PROPERTY, (number, row))


def test_what_dma_trusted_can_still_do(record_property: Callable[[str, object], None]) -> None:
    require_qemu()
    row, report = promise_kit.demonstrate(promise_devices.DMA)
    named = [(each["partition"], each["devices"], each["trusted"]) for each in report["dma"]]
    assert named == [("attacker", ["nvme0"], True)]
    record_property(promise_table.UNPROTECTED, row)


def test_every_guest_and_every_planted_fault_belongs_to_a_promise() -> None:
    used = {promise.planted for promise in promise_list.PROMISES}
    assert {file.stem for file in promise_kit.PLANTED.glob("*.yaml")} == used
    text = "".join(promise.layout + promise.guest for promise in (*promise_list.PROMISES, promise_devices.DMA))
    idle = [file.name for file in promise_kit.GUESTS.glob("*.c") if file.name not in text]
    assert idle == []


def test_every_promise_has_its_own_name() -> None:
    names = [promise.name for promise in promise_list.PROMISES]
    assert len(set(names)) == len(names) >= 25

# SPDX-License-Identifier: Apache-2.0
"""Each promise is attacked and must hold; the same attack without that one protection must succeed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import promise_devices
import promise_kit
import promise_list
import promise_table
import promise_unprotected
from parclose.testing.fixtures import require_qemu


@pytest.mark.parametrize("number", range(len(promise_list.PROMISES)), ids=[p.name for p in promise_list.PROMISES])
def test_promise(number: int, record_property: Callable[[str, object], None]) -> None:
    require_qemu()
    row = promise_kit.perform(promise_list.PROMISES[number])
    assert tuple(row) == promise_table.COLUMNS and all(row.values()), row
    record_property(promise_table.PROPERTY, (number, row))


@pytest.mark.parametrize("deed", promise_unprotected.UNPROTECTED, ids=[p.name for p in promise_unprotected.UNPROTECTED])
def test_what_is_not_protected_is_shown(
    deed: promise_kit.Promise, record_property: Callable[[str, object], None]
) -> None:
    require_qemu()
    row, report = promise_kit.demonstrate(deed)
    if deed is promise_devices.DMA:
        named = [(each["partition"], each["devices"], each["trusted"]) for each in report["dma"]]
        assert named == [("attacker", ["nvme0"], True)]
    record_property(promise_table.UNPROTECTED, row)


def test_every_guest_and_every_planted_fault_belongs_to_a_promise() -> None:
    used = {promise.planted for promise in promise_list.PROMISES}
    assert {file.stem for file in promise_kit.PLANTED.glob("*.yaml")} == used
    text = "".join(
        promise.layout + promise.guest for promise in (*promise_list.PROMISES, *promise_unprotected.UNPROTECTED)
    )
    idle = [file.name for file in promise_kit.GUESTS.glob("*.c") if file.name not in text]
    assert idle == []


def test_every_promise_has_its_own_name() -> None:
    names = [promise.name for promise in promise_list.PROMISES]
    assert len(set(names)) == len(names) >= 25

# SPDX-License-Identifier: Apache-2.0
"""One byte of a descriptor's row says where a signal goes: to `inspect`, and to the monitor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from image_kit import file_offset, row_of
from parclose import inspect
from parclose.emulator import Machine
from parclose.inspect import physical
from parclose.seal import seal
from parclose.testing.machine import RunningMachine

LAYOUT = "guests/signal/layout.yaml"
Boot = Callable[..., RunningMachine]


def channels(document: dict[str, Any], partition: str) -> dict[str, Any]:
    (found,) = (one for one in document["partitions"] if one["name"] == partition)
    return {one["name"]: one for one in found["channels"]}


def test_a_signal_sets_the_event_of_its_channel(parclose_boot: Boot) -> None:
    machine = parclose_boot(LAYOUT, timeout=40)
    machine.expect(r"listener\| woken by used")
    machine.finish()


def test_another_event_in_the_row_is_said_and_set(
    parclose_build: Callable[..., Machine], parclose_boot: Boot, tmp_path: Path
) -> None:
    built = parclose_build(LAYOUT)
    before = inspect.read(built.image)
    assert before["disagreements"] == []
    used, spare = (channels(before, "listener")[name]["event"] for name in ("used", "spare"))
    assert channels(before, "sender")["used"]["signals"] == {"partition": "listener", "event": used}

    content = bytearray(built.image.read_bytes())
    row = channels(before, "sender")["used"]["descriptor"]
    content[file_offset(content, row_of(physical.load(built.image), "descriptors", row, "other_event"))] = spare
    changed = replace(built, image=tmp_path / "changed.elf")
    changed.image.write_bytes(seal(bytes(content)))

    after = inspect.read(changed.image)
    assert channels(after, "sender")["used"]["signals"] == {"partition": "listener", "event": spare}
    expected = f"'used': signals of its client set event {spare}, its server waits for event {used}"
    assert [one["text"] for one in after["disagreements"] if expected in one["text"]]

    machine = parclose_boot(changed, timeout=40)
    machine.expect(r"listener\| woken by spare")
    machine.finish()

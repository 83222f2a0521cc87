# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin for users: build a layout, boot it, talk to it, read how its partitions ended.

    def test_sensor_answers(parclose_boot):
        machine = parclose_boot("plant.yaml", timeout=20)
        machine.expect(r"sensor: ready in \\d+ ms")
        machine.send("read\\n")
        machine.expect("sensor: 17")
        assert machine.finish().end("sensor").status == 0

The fixtures: `parclose_build` (a layout's image), `parclose_boot` (a running machine, ended with the test).
Needs the extra: pip install 'parclose[test]'. Without QEMU the tests that boot are skipped with the reason,
or fail where PARCLOSE_REQUIRE_QEMU=1. The mark `parclose_target("qemu")` is for tests of one kind of machine.
docs/testing.md is the page to copy from.
"""

from __future__ import annotations

from parclose.testing.fixtures import parclose_boot, parclose_build, pytest_runtest_makereport
from parclose.testing.targets import pytest_addoption, pytest_configure, pytest_runtest_setup

__all__ = [
    "parclose_boot",
    "parclose_build",
    "pytest_addoption",
    "pytest_configure",
    "pytest_runtest_makereport",
    "pytest_runtest_setup",
]

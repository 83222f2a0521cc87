# SPDX-License-Identifier: Apache-2.0
"""On which kind of machine a run's tests boot, and the mark of those that need a certain one."""

from __future__ import annotations

import pytest

TARGETS = ("qemu",)
MARK = "parclose_target"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The run's target. One so far: boards follow, each with a way to load an image and a line to its console."""
    group = parser.getgroup("parclose")
    group.addoption(
        "--parclose-target", choices=TARGETS, default=TARGETS[0], help="the machine that parclose_boot boots (qemu)"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known to --strict-markers."""
    config.addinivalue_line("markers", f"{MARK}(*names): the test makes sense on these targets only, such as 'qemu'")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that is for other targets than this run's. The mark nearest to the test counts."""
    mark = item.get_closest_marker(MARK)
    if mark is None:
        return
    if not mark.args or mark.kwargs or not all(isinstance(name, str) for name in mark.args):
        pytest.fail(f"{MARK} takes names of targets, such as {MARK}('qemu')", pytrace=False)
    target = item.config.getoption("--parclose-target")
    if target not in mark.args:
        pytest.skip(f"for the target {' or '.join(mark.args)}; this run's is {target} (--parclose-target)")

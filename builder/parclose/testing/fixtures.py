# SPDX-License-Identifier: Apache-2.0
"""The fixtures, and what a failed test shows of its machines. Heavy imports wait until a fixture is used."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from parclose.emulator import Machine
    from parclose.testing.machine import RunningMachine

_MACHINES = pytest.StashKey[list["RunningMachine"]]()
SHOWN = 20_000  # characters of a serial log that a failure shows, from its end


@pytest.fixture
def parclose_build(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Machine]:
    """A function (layout, board=None) that builds a layout and returns its machine.

    A relative path starts at the test's own file. A layout with problems raises `LayoutProblems`.
    """

    def build(layout: str | Path, board: str | None = None) -> Machine:
        from parclose import commands, emulator, render
        from parclose.errors import LayoutProblems

        place = commands.layout_file(str(request.path.parent / layout))
        try:
            result = commands.build_runnable(place, tmp_path / "parclose" / commands.layout_name(place), board)
        except LayoutProblems as found:
            found.add_note(render.text(found.problems))
            raise
        return emulator.machine(result.system.board, result.image)

    return build


@pytest.fixture
def parclose_boot(
    request: pytest.FixtureRequest, tmp_path: Path, parclose_build: Callable[..., Machine]
) -> Iterator[Callable[..., RunningMachine]]:
    """A function (what, board=None, timeout=60, …) that boots a layout, or what was built before.

    `timeout` in seconds bounds the machine's whole life, from its start. The other keywords are those of
    `parclose.emulator.Options`: disks, networks, memory, fresh, extra. Machines are ended with the test.
    """
    require_qemu()
    machines = request.node.stash.setdefault(_MACHINES, [])

    def boot(
        what: str | Path | Machine, board: str | None = None, timeout: float = 60, **settings: Any
    ) -> RunningMachine:
        from parclose.emulator import Machine, Options
        from parclose.testing.machine import RunningMachine

        target = (
            what if isinstance(what, Machine) else _built(request.path.parent / what) or parclose_build(what, board)
        )
        state = tmp_path / "parclose" / f"machine{len(machines)}"
        running = RunningMachine(target, Options(state=state, **settings), timeout)
        machines.append(running)
        return running

    yield boot
    for machine in machines:
        machine.stop()


def _built(folder: Path) -> Machine | None:
    """The machine of a directory that `parclose build` made; None where `folder` is none."""
    from parclose import emulator

    return emulator.load(folder) if (folder / emulator.RECORD).is_file() else None


def require_qemu() -> None:
    """Skip the test, with the reason, where QEMU is missing; fail it where PARCLOSE_REQUIRE_QEMU=1."""
    from parclose import emulator, tools

    if shutil.which(emulator.PROGRAM) is None:
        reason = f"{emulator.PROGRAM} is not installed: {tools.install_hint(emulator.PROGRAM)}"
        if os.environ.get("PARCLOSE_REQUIRE_QEMU") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failed test what its machines said, how they stand, and the command that runs each by hand."""
    report = yield
    machines = item.stash.get(_MACHINES, [])
    if report.failed and call.when == "call":
        for number, machine in enumerate(machines):
            report.sections.append((f"parclose machine {number}", machine.story(SHOWN)))
    return report


def printable(text: str) -> str:
    """Console text as a log may show it: control characters that would reach the reader's terminal are escaped."""
    return re.sub(
        r"[^\n\t\x20-\x7e\xa0-\U0010ffff]", lambda found: repr(found.group())[1:-1], text.replace("\r\n", "\n")
    )

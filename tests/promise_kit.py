# SPDX-License-Identifier: Apache-2.0
"""Builds and boots a promise's attack, and the same with one protection taken away.

`Promise` says what is attacked and by whom; `Planted` (a file in planted/) which protection the control lacks.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import oracle_kit
import promise_image
import promise_targets
from parclose import dwarf, elf, emulator, paths, pipeline
from parclose.constants import constants
from parclose.testing.machine import RunningMachine

HERE = Path(__file__).parent
GUESTS, PLANTED = HERE / "guests", HERE / "planted"
BUILD = HERE.parent / "build" / "promises" / os.environ.get("PYTEST_XDIST_WORKER", "alone")
TARGETS_FILE = "targets.bin"
MOST_TARGETS = 96
_COUNTED = ("-icount", "shift=0,sleep=off")
OVER = ("end", "panic", "refused-machine", "manager-stopped")  # reports after which nothing more comes


@dataclass(frozen=True)
class Patch:
    """One change of a source of ours: `find` stands in `file` exactly once. With `source` a file of guests/ instead."""

    file: str
    find: str = ""
    replace: str = ""
    source: str = ""


@dataclass(frozen=True)
class Grant:
    """Page table bits that a control sets in the tables of `to`: `access` at every target of the set `at`.

    `at` "ports" lets the I/O permission bitmap show a page of zeroes instead.
    """

    access: str
    at: str
    to: str = promise_targets.ATTACKER


@dataclass(frozen=True)
class Planted:
    """A protection taken away: in words, and by what change."""

    protection: str
    monitor: tuple[Patch, ...] = ()
    partitions: tuple[Patch, ...] = ()
    grant: Grant | None = None


@dataclass
class Run:
    """One boot: the manager's report, the debug port's text, the console's, and the disk file.

    `manager_fault` is the monitor's record of the manager's stop, where it was stopped: nobody is left to report it.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    debug: str = ""
    console: str = ""
    disk: Path = Path()
    manager_fault: dict[str, Any] = field(default_factory=dict)

    def lines(self, word: str) -> list[str]:
        """The lines of the debug port that begin with `word`."""
        return [line for line in self.debug.splitlines() if line.startswith(word + " ")]

    def of(self, event: str, partition: str | None = None) -> list[dict[str, Any]]:
        """The reported events of that kind, of one partition or of all."""
        found = [each for each in self.events if each.get("event") == event]
        return found if partition is None else [each for each in found if each.get("partition") == partition]


@dataclass(frozen=True)
class Promise:
    """One promise: who attacks it and in which layout, and how the two runs are judged.

    `attack` and `control` look at a run and say in words what they saw, or raise `AssertionError`; `done` says when a
    run may end before the manager reports its end. `targets` is a set of `promise_targets`.
    """

    name: str
    promise: str
    guest: str
    layout: str
    planted: str
    attack: Callable[[Run, list[promise_targets.Target]], str]
    control: Callable[[Run, list[promise_targets.Target]], str]
    targets: str = ""
    done: Callable[[Run], bool] = lambda run: False
    partitions: tuple[Patch, ...] = ()
    needs_disk: bool = False
    patience: float = 30.0
    counted: bool = False  # the clock counts instructions
    extra: tuple[str, ...] = ()  # more of QEMU's command line


def read_planted(name: str) -> Planted:
    """The file planted/`name`.yaml."""
    found = yaml.safe_load((PLANTED / f"{name}.yaml").read_text())
    grant = Grant(**found["grant"]) if "grant" in found else None
    assert set(found) <= {"protection", "monitor", "partitions", "grant"}, f"{name}: unknown keys"
    monitor, partitions = (tuple(Patch(**each) for each in found.get(key, ())) for key in ("monitor", "partitions"))
    return Planted(found["protection"], monitor, partitions, grant)


def perform(promise: Promise) -> dict[str, str]:
    """Attack, then control; a row for the table of promises. Raises `AssertionError` for a promise not held."""
    planted = read_planted(promise.planted)
    with _alone():
        refused = promise.attack(*_run(promise, None))
        with oracle_kit.left_out("a control: a protection was taken away"):
            succeeded = promise.control(*_run(promise, planted))
    return {
        "promise": promise.promise,
        "guest": promise.guest,
        "refused": refused,
        "control": f"without {planted.protection}: {succeeded}",
    }


def demonstrate(deed: Promise) -> tuple[dict[str, str], dict[str, Any]]:
    """What is not promised, done: a row for the table, and the image's report. Raises `AssertionError` if it fails."""
    with _alone():
        shown = deed.attack(*_run(deed, None))
        report = json.loads((BUILD / deed.name / "attack" / "out" / "report.json").read_text())
    return {"promise": deed.promise, "guest": deed.guest, "shown": shown}, report


@contextmanager
def _alone() -> Iterator[None]:
    """One at a time, whoever else runs these tests in this checkout: all use the same folders."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with open(BUILD / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(promise: Promise, planted: Planted | None) -> tuple[Run, list[promise_targets.Target]]:
    work = BUILD / promise.name / ("control" if planted else "attack")
    work.mkdir(parents=True, exist_ok=True)
    sources: dict[str, Path] = {}
    if planted and planted.monitor:
        sources["monitor_sources"] = copy_sources("monitor_asm", planted.monitor)
    patches = (*promise.partitions, *(planted.partitions if planted else ()))
    if patches:
        sources["partitions_sources"] = copy_sources("partitions", patches)
    result, targets = _build(promise, work, sources)
    image = promise_image.Image(result.image)
    if promise.targets in promise_targets.PLACED_RETURNS:
        for target in targets:
            image.write(target.physical, bytes([promise_targets.RET]))
    if planted and planted.grant:
        _grant(image, result, planted.grant)
    image.save(result.image)
    return _boot(promise, result, work), targets


def _build(
    promise: Promise, work: Path, sources: dict[str, Path]
) -> tuple[pipeline.BuildResult, list[promise_targets.Target]]:
    """Build the layout; where there are targets, once more with their addresses in the attacker's configuration."""
    layout = work / "layout.yaml"
    layout.write_text(promise.layout.replace("GUESTS", str(GUESTS)))
    (work / TARGETS_FILE).write_bytes(bytes(8 * MOST_TARGETS))
    out = work / "out"
    result = pipeline.build(layout, out, **sources)  # type: ignore[arg-type]
    if not promise.targets:
        return result, []
    targets = list(promise_targets.SETS[promise.targets](result.plan))
    assert 0 < len(targets) < MOST_TARGETS
    addresses = [each.virtual for each in targets] + [0] * (MOST_TARGETS - len(targets))
    (work / TARGETS_FILE).write_bytes(struct.pack(f"<{MOST_TARGETS}Q", *addresses))
    result = pipeline.build(layout, out, **sources)  # type: ignore[arg-type]
    assert targets == list(promise_targets.SETS[promise.targets](result.plan)), "the plan moved with the addresses"
    return result, targets


def _grant(image: promise_image.Image, result: pipeline.BuildResult, grant: Grant) -> None:
    own = result.plan.partition(grant.to)
    if grant.at == "ports":
        for page in range(2):  # the call page is zero until something is waited for
            virtual = constants()["LOCAL_IO_BITMAP"] + page * constants()["PAGE_SIZE"]
            promise_image.map_page(image, own.root, virtual, own.call_page)
        return
    for target in promise_targets.SETS[grant.at](result.plan):
        promise_image.grant(image, own.root, target.virtual, target.physical, grant.access)


def copy_sources(folder: str, patches: Iterable[Patch]) -> Path:
    """A copy of one of our source folders, patched. At one place, so that what is not changed is not recompiled."""
    place = BUILD / "sources" / folder
    if place.exists():
        shutil.rmtree(place)
    shutil.copytree(paths.data(folder), place)
    for patch in patches:
        file = place / patch.file
        if patch.source:
            shutil.copy2(GUESTS / patch.source, file)
            continue
        text = file.read_text()
        assert text.count(patch.find) == 1, f"{patch.find!r} stands {text.count(patch.find)} times in {patch.file}"
        file.write_text(text.replace(patch.find, patch.replace))
    return place


def _boot(promise: Promise, result: pipeline.BuildResult, work: Path) -> Run:
    target = emulator.machine(result.system.board, result.image)
    options = emulator.Options(state=work, fresh=True, extra=(*promise.extra, *(_COUNTED if promise.counted else ())))
    run = Run(disk=work / "disks" / "nvme0.img")
    if promise.needs_disk:
        options = emulator.Options(state=work, disks={"nvme0": _neighbours_disk(work, dict(target.disks)["nvme0"])})
        run.disk = work / "disk.img"
    machine = RunningMachine(target, options, promise.patience)
    try:
        limit = time.monotonic() + promise.patience
        while not _over(promise, run) and time.monotonic() < limit and emulator.alive(machine.process):
            time.sleep(0.1 if promise.counted else 0.01)
            _look(machine, run)
        time.sleep(0.05)
        _look(machine, run)
        if run.of("manager-stopped"):
            run.manager_fault = _manager_fault(machine, result, work)
    finally:
        machine.stop()
    return run


def _over(promise: Promise, run: Run) -> bool:
    return any(each.get("event") in OVER for each in run.events) or promise.done(run)


def _look(machine: RunningMachine, run: Run) -> None:
    run.console, run.debug, run.events = machine.log, machine.debug, list(machine.events())


def _manager_fault(machine: RunningMachine, result: pipeline.BuildResult, work: Path) -> dict[str, Any]:
    """The manager's record in the monitor's own memory, read from outside."""
    monitor = (result.image.parent / "monitor.elf").read_bytes()
    address = next(each.value for each in elf.symbols(monitor) if each.name == "fault_records")
    layouts, place = dwarf.layouts(), work / "fault.bin"
    size = layouts.structs["fault_record"].size
    machine.qmp("pmemsave", val=result.plan.monitor.physical(address), size=size, filename=str(place))
    return dict(layouts.decode("fault_record", place.read_bytes()))


def _neighbours_disk(work: Path, size: int) -> Path:
    """A disk on which the neighbour's extent, from 1 MiB on, is full of its secret."""
    disk = work / "disk.img"
    with open(disk, "wb") as file:
        file.truncate(size)
        file.seek(1 << 20)
        file.write(b"neighbour's data" * 1024)
    return disk

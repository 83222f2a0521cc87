# SPDX-License-Identifier: Apache-2.0
"""QEMU as a child of ours: its command line, its disks, its life. It dies with us, whatever kills us."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from parclose import tools
from parclose.errors import MissingTool, ParcloseError, UsageError
from parclose.model import Board

PROGRAM = "qemu-system-x86_64"
GDB_PORT = 1234
NOBODY = "user,restrict=on"  # the wire of a card that no run gives another: there, and leading nowhere
RECORD = "machine.json"  # in a build's directory: what `run` needs of the board
_PLACE = re.compile(r"\{(disk|net):([^{}]*)\}")

# Runs the rest of its arguments so that the kernel kills them when we die (prctl(2), PR_SET_PDEATHSIG = 1).
_FOLLOW = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execvp(sys.argv[1], sys.argv[1:])"


@dataclass(frozen=True)
class Machine:
    """What QEMU needs to know of an image's board. `disks`: names, and sizes in bytes of the files made."""

    board: str
    image: Path
    arguments: tuple[str, ...]
    disks: tuple[tuple[str, int], ...]
    report_port: int
    debug_port: int


@dataclass(frozen=True)
class Options:
    """How one run differs from the board's own. `state` is the folder for the disks and for what the run writes.

    `networks` are values of QEMU's -netdev without an id, by the names of the board's cards; `NOBODY` for the others.
    """

    state: Path
    fresh: bool = False
    disks: Mapping[str, Path] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)
    memory: str = ""
    gdb: bool = False
    extra: tuple[str, ...] = ()

    def file(self, name: str) -> Path:
        """The file `name` among those that a run writes."""
        return self.state / "run" / name


def machine(board: Board, image: Path) -> Machine:
    """The machine for `image` on `board`. Raises `UsageError` for a board without a `qemu:` section."""
    if board.qemu is None:
        raise UsageError(
            f"the board '{board.name}' has no qemu: section, so there is nothing to run it in",
            f"boot {image} on the board itself, or build for a board that has one: --board qemu-q35",
        )
    qemu = board.qemu
    return Machine(board.name, image, qemu.arguments, qemu.disks, board.report_port, board.debug_port)


def save(target: Machine, folder: Path) -> None:
    """Write what `load` needs to run `folder` without its layout or board. Without paths: same bytes anywhere."""
    record = {
        "board": target.board,
        "image": target.image.name,
        "arguments": target.arguments,
        "disks": dict(target.disks),
        "report_port": target.report_port,
        "debug_port": target.debug_port,
    }
    beside = folder / f".{RECORD}.new"
    beside.write_text(json.dumps(record, indent=2) + "\n")
    beside.replace(folder / RECORD)


def load(folder: Path) -> Machine:
    """The machine that `save` wrote in `folder`. Raises `UsageError` where there is none, or none of ours."""
    try:
        record = json.loads((folder / RECORD).read_text())
        return Machine(
            board=str(record["board"]),
            image=folder / record["image"],
            arguments=tuple(map(str, record["arguments"])),
            disks=tuple((str(name), int(size)) for name, size in record["disks"].items()),
            report_port=int(record["report_port"]),
            debug_port=int(record["debug_port"]),
        )
    except FileNotFoundError as missing:
        raise UsageError(
            f"{folder} has no {RECORD}: it is no directory that build made for a board with a qemu: section",
            f"build it: parclose build LAYOUT -o {folder}",
        ) from missing
    except (ValueError, KeyError, TypeError, AttributeError) as broken:
        raise UsageError(f"{folder / RECORD} is not what build writes", f"build it again into {folder}") from broken


def command(target: Machine, options: Options, disks: Mapping[str, Path]) -> list[str]:
    """QEMU's whole command line. `disks` are the files by name; raises `UsageError` for an override of nothing."""
    known = {found.groups() for word in target.arguments for found in _PLACE.finditer(word)}
    for kind, names in (("disk", options.disks), ("net", options.networks)):
        for name in names:
            if (kind, name) not in known:
                raise UsageError(f"the board '{target.board}' has no {kind} named '{name}'{_others(kind, known)}")

    def fill(found: re.Match[str]) -> str:
        kind, name = found.groups()
        return _option(disks[name]) if kind == "disk" else options.networks.get(name, NOBODY)

    # our serial port comes first, so that it is COM1 whatever ports the board adds
    words = [PROGRAM, "-serial", "stdio", *(_PLACE.sub(fill, word) for word in target.arguments)]
    if options.memory:
        words = _replace(words, "-m", options.memory)
    words += ["-kernel", str(target.image)]
    for name, port in (("report", target.report_port), ("debug", target.debug_port)):
        if port:
            words += ["-chardev", f"file,id={name},path={_option(options.file(name + '.log'))}"]
            # firmware (SeaBIOS, OVMF) writes its whole log to 0x402 where reading that port gives 0xe9
            words += ["-device", f"isa-debugcon,iobase={port:#x},readback=0,chardev={name}"]
    return [*words, *(["-s", "-S"] if options.gdb else []), *options.extra]


def _others(kind: str, known: set[tuple[str, ...]]) -> str:
    names = sorted(name for place, name in known if place == kind)
    return f"; it has {', '.join(names)}" if names else "; it has none"


def _option(path: Path) -> str:
    """A path inside a QEMU option, where a comma would end it."""
    return str(path).replace(",", ",,")


def _replace(words: list[str], option: str, value: str) -> list[str]:
    if option not in words:
        return [*words, option, value]
    place = words.index(option) + 1
    return [*words[:place], value, *words[place + 1 :]]


def make_disks(target: Machine, options: Options) -> dict[str, Path]:
    """The disk files by name; missing ones are made sparse, ours anew with `fresh`. Raises `UsageError`."""
    files = {}
    for name, size in target.disks:
        given = options.disks.get(name)
        if given is not None and (given.is_dir() or not given.exists()):
            raise UsageError(f"--disk {name}: there is no file {given}", f"make one: truncate -s {size} {given}")
        files[name] = given or options.state / "disks" / f"{name}.img"
        if given is None and (options.fresh or not files[name].exists()):
            files[name].parent.mkdir(parents=True, exist_ok=True)
            with open(files[name], "wb") as file:
                file.truncate(size)
    return files


def _lock(folder: Path) -> int | None:
    """A descriptor that keeps `folder` ours, for a second run would empty the first one's report under its hands.

    None where the file system has no locks. Raises `ParcloseError` when another run has it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        os.close(descriptor)
        if isinstance(problem, BlockingIOError):
            raise ParcloseError(f"another run is using {folder}", "give this one a folder of its own: -o DIR") from None
        return None
    return descriptor


def require() -> None:
    """Raise `MissingTool` when QEMU is not installed."""
    if shutil.which(PROGRAM) is None:
        raise MissingTool(f"{PROGRAM} is not installed", tools.install_hint(PROGRAM))


class Emulator:
    """A running QEMU. `console` is the board's first serial port, both ways, non-blocking for nobody but QEMU.

    Use as a context manager: leaving it ends QEMU. The process that starts one must do so from a thread that
    lives as long as QEMU should, since Linux ties "dies with its parent" to that thread.
    """

    def __init__(self, target: Machine, options: Options, qmp: bool = False) -> None:
        require()
        options.file("").mkdir(parents=True, exist_ok=True)
        self._lock = _lock(options.file(""))
        self.words = command(target, options, make_disks(target, options))
        self.options = options
        self.qmp: socket.socket | None = None
        for name in ("report.log", "debug.log"):
            options.file(name).write_bytes(b"")
        if tools.verbose:
            print(shlex.join(self.words), file=sys.stderr, flush=True)
        self._start(qmp)

    def _start(self, qmp: bool) -> None:
        self.console, theirs = socket.socketpair()
        self.console.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        words, passed = list(self.words), []
        if qmp:
            self.qmp, other = socket.socketpair()
            passed.append(other)
            words += ["-chardev", f"socket,id=qmp,fd={other.fileno()}", "-mon", "chardev=qmp,mode=control"]
        with open(self.options.file("qemu.log"), "wb") as log:
            self.process = subprocess.Popen(
                [*_follower(), *words],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=log,
                pass_fds=[end.fileno() for end in passed],
                process_group=0,  # so that a terminal's Ctrl-C reaches us alone, and we end QEMU in order
            )
        for end in (theirs, *passed):
            end.close()

    def log(self) -> str:
        """What QEMU itself said on its standard error."""
        lines = self.options.file("qemu.log").read_text(errors="replace").splitlines()
        return "\n".join(line for line in lines if "terminating on signal" not in line)  # that was us

    def stop(self, patience: float = 5.0) -> None:
        """End QEMU: asked first, so that its disks are flushed; killed after `patience` seconds. May be repeated."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(number)
                try:
                    self.process.wait(patience)
                except subprocess.TimeoutExpired:
                    continue
        for end in (self.console, self.qmp):
            if end is not None:
                end.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _follower() -> Sequence[str]:
    """The start of a command line that makes the rest die with us."""
    setpriv = shutil.which("setpriv")  # util-linux; a few ms faster than the same in Python
    if setpriv:
        return (setpriv, "--pdeathsig", "KILL", "--")
    return (sys.executable, "-I", "-S", "-c", _FOLLOW)


def failure(running: Emulator) -> ParcloseError:
    """The error for a QEMU that ended with a complaint of its own."""
    code = running.process.returncode
    return ParcloseError(f"QEMU ended with {code}: {running.log()}", f"the command was: {shlex.join(running.words)}")


def alive(process: int) -> bool:
    """Whether a process of that number exists."""
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True

# SPDX-License-Identifier: Apache-2.0
"""What each verb does. Each imports what it needs when it runs: start-up time counts."""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parclose import gpt, paths
from parclose.errors import ParcloseError, Problem, UsageError

if TYPE_CHECKING:
    from parclose.emulator import Emulator, Machine, Options
    from parclose.pipeline import BuildResult
    from parclose.run import Outcome
    from parclose.stats import Counted

DEADLINE = 60.0  # seconds of a run that nobody watches
KEPT = ("disks", "run")  # folders beside an image that are a run's, not a build's


def say(text: str) -> None:
    """A message: on standard error, so that results stay alone on standard output."""
    print(text, file=sys.stderr, flush=True)


def show_json(document: object) -> None:
    """The one document of `--json`."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def show_problems(problems: Sequence[Problem], as_json: bool, colour: bool) -> None:
    """All problems at once: one JSON document on standard output, or text on standard error."""
    from parclose import render

    if as_json:
        show_json({"problems": render.as_json(problems)})
    else:
        sys.stderr.write(render.text(problems, colour=colour))
        sys.stderr.flush()


def new(options: argparse.Namespace, colour: bool) -> int:
    """Make a directory from the example that `new` copies."""
    from parclose.new import create

    files = create(Path(options.name))
    if options.json:
        show_json({"directory": options.name, "files": files})
    else:
        print("\n".join(f"{options.name}/{name}" for name in files))
        say(f"next: cd {shlex.quote(options.name)} && parclose run layout.yaml")
    return 0


def check(options: argparse.Namespace, colour: bool) -> int:
    """Report every problem of the layout on each board asked for."""
    from parclose import check as checks

    layout = layout_file(options.layout)
    problems: list[Problem] = []
    for board in options.board or [None]:
        _, found = checks.check(layout, board)
        problems += [problem for problem in found if problem not in problems]
    show_problems(problems, options.json, colour)
    errors = sum(problem.severity == "error" for problem in problems)
    if not options.json:
        say(_count(errors, len(problems) - errors))
    return 1 if errors else 0


def _count(errors: int, warnings: int) -> str:
    words = [f"{n} {word}{'s' if n > 1 else ''}" for n, word in ((errors, "error"), (warnings, "warning")) if n]
    return f"check: {' and '.join(words) or 'no problems'}"


def build(options: argparse.Namespace, colour: bool) -> int:
    """Build the image, or the disk that boots it, and say where it is."""
    if options.format == "disk":
        from parclose import grub

        grub.require()  # before the work, not after it
    result = _built(options, colour)
    if options.json:
        folder = result.image.parent
        made = [file for file in folder.rglob("*") if file.is_file() and file.relative_to(folder).parts[0] not in KEPT]
        disk = {"disk": str(result.disk)} if result.disk else {}
        show_json({"image": str(result.image), **disk, "files": sorted(map(str, made))})
    else:
        print(result.disk or result.image)
    return 0


def _built(options: argparse.Namespace, colour: bool) -> BuildResult:
    layout = layout_file(options.layout)
    out = Path(options.out) if options.out else Path("build") / layout_name(layout)
    result = build_runnable(layout, out, options.board, options.format == "disk")
    show_problems(result.warnings, False, colour)
    if options.verbose:
        for line in result.system.defaults:
            say(f"default: {line}")
    return result


def build_runnable(layout: Path, out: Path, board: str | None, disk: bool = False) -> BuildResult:
    """Build `layout` into `out`, with what `run` needs where the board says how. Raises what `pipeline.build` does."""
    from parclose import emulator, pipeline

    result = pipeline.build(layout, out, board, disk=disk)
    if result.system.board.qemu is not None:
        emulator.save(emulator.machine(result.system.board, result.image), out)
    return result


def run(options: argparse.Namespace, colour: bool) -> int:
    """Build where a layout is given, boot, and say how it ended."""
    from parclose import emulator
    from parclose.run import interactive

    emulator.require()
    target, state = _target(options, colour)
    person = interactive() and not options.json
    timeout = options.timeout or (None if person or options.gdb else DEADLINE)
    settings = _settings(options, state)
    painted = options.color == "always" or (colour and sys.stdout.isatty() and not options.json)
    outcome, counted = _follow(options, target, settings, timeout, person, painted)
    say("\n" * outcome.midline + outcome.text())
    if options.stats and not options.json:
        from parclose import stats

        say(stats.text(counted))
    if options.json:
        channels = {"channels": [each.document() for each in counted]} if options.stats else {}
        show_json(outcome.document() | channels)
    elif outcome.exit_code:
        say(f"run: the manager's report is {settings.file('report.log')}; exit {outcome.exit_code}")
    return outcome.exit_code


def _target(options: argparse.Namespace, colour: bool) -> tuple[Machine, Path]:
    from parclose import emulator

    given = Path(options.layout)
    if given.is_dir() and not (given / "layout.yaml").is_file():
        if options.board or options.out:
            raise UsageError(f"--board and --out are for a layout, and {given} is a directory without layout.yaml")
        return emulator.load(given), given
    result = _built(options, colour)
    return emulator.machine(result.system.board, result.image), result.image.parent


def _settings(options: argparse.Namespace, state: Path) -> Options:
    from parclose.emulator import Options

    return Options(
        state=state,
        fresh=options.fresh,
        disks={name: Path(file) for name, file in options.disk},
        networks=dict(options.net),
        memory=options.mem,
        gdb=options.gdb,
        extra=(*(["-no-shutdown"] if options.stats else []), *options.extra),  # so that memory outlives the power-off
    )


def _follow(
    options: argparse.Namespace, target: Machine, settings: Options, timeout: float | None, person: bool, painted: bool
) -> tuple[Outcome, Sequence[Counted]]:
    from parclose import emulator
    from parclose import run as running
    from parclose.prefixes import Painted

    copies = running.open_copy(Path(options.serial) if options.serial else None)
    shown = (sys.stderr if options.json else sys.stdout).buffer
    sinks = [Painted(shown) if painted else shown, *copies]
    keyboard = 0 if person or (sys.stdin and not sys.stdin.isatty()) else None
    if person:
        say(f"run: booting {target.image} in QEMU; Ctrl-C leaves")
    if options.gdb:
        say(f"run: waiting for a debugger: gdb -ex 'target remote :{emulator.GDB_PORT}' {target.image}")
    counting = bool(options.stats)
    with running.raw_terminal() if person else nullcontext(), emulator.Emulator(target, settings, counting) as machine:
        outcome = running.follow(machine, running.Ending(timeout, options.until), sinks, keyboard)
        return outcome, _counted(machine, target, outcome) if counting else ()


def _counted(machine: Emulator, target: Machine, outcome: Outcome) -> Sequence[Counted]:
    from parclose import stats

    if outcome.cause == "qemu":
        say("run: the machine is gone, and what was counted with it")
        return ()
    return stats.read(machine, target.image)


def inspect(options: argparse.Namespace, colour: bool) -> int:
    """Show the resource database that stands in the image; exit 1 when its parts disagree or a checksum is wrong."""
    from parclose import inspect as reader

    given = Path(options.image)
    image = given / "image.elf" if given.is_dir() else given
    if not image.exists():
        raise UsageError(f"there is no file {image}")
    found: dict[str, Any] = reader.read(image)
    if options.json:
        show_json(found)
    else:
        print(reader.text(found))
    return 1 if found["disagreements"] or not all(each["right"] for each in found["checksums"]) else 0


def flash(options: argparse.Namespace, colour: bool) -> int:
    """Write a disk to a device that the user has confirmed, and read it back."""
    from parclose import flash as flashing
    from parclose.block_device import BlockDevice, PlainFile

    image, place = Path(options.image), Path(options.device)
    content = flashing.load(image)
    if place.exists() and any(each.exists() and each.samefile(place) for each in (image, image / gpt.NAME)):
        raise UsageError(f"{place} is the image itself")
    if not options.to_file and not place.exists():
        raise UsageError(f"there is no device {place}", "to write a plain file, say --to-file")
    target = PlainFile(place) if options.to_file else BlockDevice(place)
    facts, wish = target.facts(), flashing.Wish(options.yes_serial, options.fixed_disk)
    if not facts.plain:
        say("\n".join(flashing.describe(facts)))
    flashing.check(facts, len(content), wish)
    flashing.confirm(facts, wish, _asker(options))
    flashing.write(target, content, facts, flashing.bar(sys.stderr))
    if options.json:
        digest = hashlib.sha256(content).hexdigest()
        show_json({"device": str(place), "serial": facts.serial, "bytes": len(content), "sha256": digest})
    else:
        print(f"{place}: {len(content):,} bytes written, read back and equal")
    return 0


def _asker(options: argparse.Namespace) -> Callable[[str], str] | None:
    """Asks on the terminal; None where nobody sits at one."""
    if options.json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def ask(question: str) -> str:
        sys.stderr.write(question)
        sys.stderr.flush()
        return sys.stdin.readline()

    return ask


def sdk(options: argparse.Namespace, colour: bool) -> int:
    """Write the kit for programs built elsewhere, and name its files."""
    from parclose import pipeline

    files, warnings = pipeline.kit(layout_file(options.layout), Path(options.out), options.board)
    show_problems(warnings, False, colour)
    if options.json:
        show_json({"directory": options.out, "files": sorted(map(str, files))})
    else:
        print("\n".join(map(str, files)))
        say(f"next: read {Path(options.out) / 'README.md'}")
    return 0


def explain(options: argparse.Namespace, colour: bool) -> int:
    """Show the page of one code, or the list of all."""
    from dataclasses import asdict

    from parclose import codes

    if options.code is None:
        titles = {code: found.title for code, found in codes.CODES.items()}
        if options.json:
            show_json(titles)
        else:
            print("\n".join(f"{code}  {title}" for code, title in titles.items()))
        return 0
    page = codes.explain(options.code)
    if page is None:
        from difflib import get_close_matches

        near = get_close_matches(options.code.upper(), codes.CODES, 3)
        hint = f"near it: {', '.join(near)}" if near else "all codes: parclose explain"
        raise UsageError(f"there is no code '{options.code}'", hint)
    if options.json:
        show_json(asdict(codes.CODES[options.code.upper()]))
    else:
        print(page, end="")
    return 0


def doctor(options: argparse.Namespace, colour: bool) -> int:
    """Show what this machine has and lacks; exit 3 when something is missing that is needed."""
    from parclose import doctor as checkup

    found = checkup.examine()
    if options.json:
        show_json([item.document() for item in found])
    else:
        print(checkup.text(found))
    return 3 if any(item.missing for item in found) else 0


def layout_file(given: str) -> Path:
    """The layout's file; for a directory, the layout.yaml in it. Raises `UsageError`."""
    path = Path(given)
    if not given:
        raise UsageError("the layout's name is empty")
    if path.is_dir():
        path = path / "layout.yaml"
    if not path.exists():
        raise UsageError(f"there is no file {path}")
    if not path.is_file():
        raise ParcloseError(f"{path} is no regular file")
    with path.open("rb") as file:
        if file.read(4) == b"\x7fELF":
            raise UsageError(f"{path} is an image or a program, no layout", "to boot an image: parclose run DIR")
    return path


def layout_name(layout: Path) -> str:
    """A layout's name: its file's stem, or its folder's name where the file is layout.yaml."""
    return layout.resolve().parent.name if layout.name == "layout.yaml" else layout.stem


def version() -> str:
    """The tool, the layout version and the monitor's hash: the SHA-256 of the sources of monitor_asm and abi."""
    from importlib.metadata import version as installed

    digest = hashlib.sha256()
    for folder in (paths.data("abi"), paths.data("monitor_asm")):
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(f"{file.relative_to(folder.parent)}\0".encode() + file.read_bytes())
    return f"parclose {installed('parclose')}, layout 1, monitor sources {digest.hexdigest()[:16]}"

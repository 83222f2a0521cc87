# SPDX-License-Identifier: Apache-2.0
"""The command line: its words, and what every verb has in common. What the verbs do stands in `commands`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from parclose import tools
from parclose.errors import LayoutProblems, ParcloseError, UsageError

Parsers = argparse._SubParsersAction  # the type has no public name


class _Parser(argparse.ArgumentParser):
    """Wrong usage is an error like any other: it leaves by the one way out, in JSON where that was asked for."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, self.format_usage().strip())


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. Only errors that are ours, or the system's, are raised."""
    try:
        options = _parse(arguments)
    except UsageError as error:
        _fail(error, "--json" in arguments, False)
        return error.exit_code
    except SystemExit as done:  # --help and --version
        return int(done.code or 0)
    tools.verbose = options.verbose > 0
    colour = _colour(options.color)
    try:
        from parclose import commands

        code: int = getattr(commands, options.verb)(options, colour)
        return code
    except ParcloseError as error:
        _fail(error, options.json, colour)
        return error.exit_code
    except BrokenPipeError:
        raise
    except OSError as error:
        _fail(_system_error(error), options.json, colour)
        return 1


def _system_error(error: OSError) -> ParcloseError:
    what = error.strerror or str(error)
    return ParcloseError(f"{os.fsdecode(error.filename)}: {what}" if error.filename else what)


def _fail(error: ParcloseError, as_json: bool, colour: bool) -> None:
    if isinstance(error, LayoutProblems):
        from parclose import commands

        commands.show_problems(error.problems, as_json, colour)
        return
    if as_json:
        print(json.dumps({"error": {"message": error.message, "hint": error.hint, "exit": error.exit_code}}, indent=2))
    start = "\x1b[1;31merror\x1b[0m" if colour else "error"
    print(f"{start}: {error.message}", file=sys.stderr)
    for line in filter(None, error.hint.splitlines()):
        print(f"  = {line}", file=sys.stderr)


def _colour(wish: str) -> bool:
    """Whether messages, on standard error, are coloured. https://no-color.org: a set NO_COLOR that is not empty."""
    if wish == "auto":
        return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wish == "always"


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    # argparse would hand '--' to whichever positional is open; ours has one meaning only
    words, extra = list(arguments), None
    if "--" in words:
        place = words.index("--")
        words, extra = words[:place], words[place + 1 :]
    options = _parser().parse_args(words)
    if extra is not None and options.verb != "run":
        raise UsageError("'--' is followed by arguments for QEMU, so it belongs to 'run' only")
    options.extra = extra or []
    return options


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("parclose", description="Builds one bootable image of partitions that cannot harm each other.")
    parser.add_argument("--version", action=_Version, nargs=0, help="the tool, the layout version, the monitor's hash")
    parser.set_defaults(json=False, verbose=0, color="auto")
    _common(parser)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=_Parser)
    for add in (_new, _check, _build, _run, _inspect, _flash, _sdk, _explain, _doctor):
        add(verbs)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    hidden = argparse.SUPPRESS  # so that a verb's default does not undo what stood before the verb
    parser.add_argument("--json", action="store_true", default=hidden, help="one JSON document on standard output")
    parser.add_argument("-v", "--verbose", action="count", default=hidden, help="what is filled in, and each command")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default=hidden, help="colour of messages and prefixes"
    )


def _verb(verbs: Parsers[_Parser], name: str, says: str) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=says, description=says[0].upper() + says[1:] + ".", allow_abbrev=False)
    _common(parser)
    return parser


def _new(verbs: Parsers[_Parser]) -> None:
    parser = _verb(verbs, "new", "a directory with a layout and a guest that builds and boots at once")
    parser.add_argument("name", metavar="NAME", help="the directory to make")


def _check(verbs: Parsers[_Parser]) -> None:
    parser = _verb(verbs, "check", "every problem of a layout, all at once; builds nothing")
    _layout(parser)
    parser.add_argument("--board", action="append", metavar="NAME|PATH", help="not the layout's; may be repeated")


def _build(verbs: Parsers[_Parser]) -> None:
    parser = _verb(verbs, "build", "the image, its ELF files, map, symbols and report")
    _layout(parser)
    _out(parser)
    says = "what to make: the image (the default), or also a raw disk that boots it by BIOS and by UEFI"
    parser.add_argument("--format", choices=("image", "disk"), default="image", help=says)


def _run(verbs: Parsers[_Parser]) -> None:
    parser = _verb(verbs, "run", "build if needed and boot in QEMU, the serial console on the terminal")
    parser.usage = "parclose run [options] LAYOUT|DIR [-- QEMU ARGS...]"
    parser.set_defaults(format="image")
    parser.add_argument("layout", metavar="LAYOUT|DIR", help="a layout, or a directory that build made")
    _out(parser)
    parser.add_argument("--timeout", type=_seconds, metavar="S", help="deadline (60 s when not on a terminal)")
    parser.add_argument("--until", default="", metavar="TEXT", help="end well when the console has shown TEXT")
    parser.add_argument("--gdb", action="store_true", help="wait for a debugger before the first instruction")
    parser.add_argument("--serial", metavar="FILE", help="write what the console shows to FILE too")
    counts = "say at the end what the servers counted: requests, bytes, refusals, errors and worst time of each channel"
    parser.add_argument("--stats", action="store_true", help=counts)
    parser.add_argument("--fresh", action="store_true", help="make the disks anew")
    parser.add_argument("--disk", type=_pair, action="append", default=[], metavar="NAME=FILE", help="the disk NAME")
    wire = "the wire of the card NAME, as QEMU's -netdev takes it: user,hostfwd=tcp::8080-:80 (else it leads nowhere)"
    parser.add_argument("--net", type=_pair, action="append", default=[], metavar="NAME=NETDEV", help=wire)
    parser.add_argument("--mem", default="", metavar="SIZE", help="the machine's memory, as QEMU's -m takes it")


def _inspect(verbs: Parsers[_Parser]) -> None:
    parser = _verb(verbs, "inspect", "the resource database read back out of the image itself")
    parser.add_argument("image", metavar="IMAGE", help="an image, or the directory that build made")


def _flash(verbs: Parsers[_Parser]) -> None:
    parser = _verb(verbs, "flash", "write a disk to a device, and read it back")
    parser.add_argument("image", metavar="IMAGE", help="a disk, or the directory that build --format disk made")
    parser.add_argument("device", metavar="DEVICE", help="a whole disk, such as /dev/sdb; all that is on it is lost")
    parser.add_argument("--yes-serial", metavar="SERIAL", help="do not ask: DEVICE is the one with this serial number")
    parser.add_argument("--fixed-disk", action="store_true", help="DEVICE may be a disk that is not removable")
    parser.add_argument("--to-file", action="store_true", help="DEVICE is a plain file, and is replaced")


def _sdk(verbs: Parsers[_Parser]) -> None:
    parser = _verb(verbs, "sdk", "headers, start object, library, linker script and flags for programs built elsewhere")
    _layout(parser)
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help="the folder to write them to")
    parser.add_argument("--board", metavar="NAME|PATH", help="instead of the layout's")


def _explain(verbs: Parsers[_Parser]) -> None:
    parser = _verb(verbs, "explain", "the rule behind a code, an example and its fix")
    parser.add_argument("code", metavar="CODE", nargs="?", help="such as P012; without one, all codes are listed")


def _doctor(verbs: Parsers[_Parser]) -> None:
    _verb(verbs, "doctor", "what this machine has and lacks, and the exact command to install it")


def _layout(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("layout", metavar="LAYOUT", help="the layout's YAML file")


def _out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--out", metavar="DIR", help="where the outputs go (default: build/<layout>)")
    parser.add_argument("--board", metavar="NAME|PATH", help="instead of the layout's")


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e9:
        raise ValueError
    return value


_seconds.__name__ = "number of seconds"  # argparse names the function in its message


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not (name and found and value):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=VALUE")
    return name, value


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from parclose import commands

        print(commands.version())
        parser.exit(0)

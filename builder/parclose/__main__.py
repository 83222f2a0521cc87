# SPDX-License-Identifier: Apache-2.0
"""The one place that ends the process: every error becomes a message and an exit code, never a traceback."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TextIO


class Terminated(BaseException):
    """A signal asked us to end; raised so that children are ended and files removed on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number  # as shells count; Ctrl-C so is 130


def main() -> int:
    """Run the command line `sys.argv` and return the exit code that `cli.md` promises for what happened."""
    _complete_streams()
    for stream in (sys.stdout, sys.stderr):
        _never_fail_on_characters(stream)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup(1)
            signal.signal(number, _terminate)
    try:
        code = _run()
        for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
            _give_up(stream, descriptor)
    except Terminated as ended:  # while another end was under way
        return ended.exit_code
    return code


def _run() -> int:
    try:
        from parclose import cli

        code = cli.main(sys.argv[1:])
        sys.stdout.flush()
    except Terminated as ended:
        return ended.exit_code
    except BrokenPipeError:
        return 1
    except OSError as error:  # the output itself cannot be written: a full disk, a closed descriptor
        _say(f"error: {error.strerror or error}")
        return 1
    except Exception as error:
        _say(internal_error(error))
        return 1
    return code


def internal_error(error: BaseException) -> str:
    """One line for an error that is ours: what, and the places in our own files that led to it."""
    places = []
    step = error.__traceback__
    while step is not None:
        places.append(f"{os.path.basename(step.tb_frame.f_code.co_filename)}:{step.tb_lineno}")
        step = step.tb_next
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return f"error: this is a bug in parclose, please report it: {what} (at {' > '.join(places[-4:])})"


def _terminate(number: int, _frame: FrameType | None) -> None:
    """End what we started, or a thread that waits for it would hold us up, and leave by the one way out."""
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # the thread or the process has ended meanwhile
            for child in (task / "children").read_text().split():
                os.kill(int(child), signal.SIGTERM)
    raise Terminated(number)


def _complete_streams() -> None:
    """A standard stream that was closed before we started goes nowhere, or the next file would get its number."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    sys.stdin = sys.stdin or open(0)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w")  # noqa: SIM115


def _never_fail_on_characters(stream: object) -> None:
    """A name that the terminal's encoding lacks is shown escaped rather than ending the command."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _give_up(stream: TextIO, descriptor: int) -> None:
    """What cannot be written is not tried again by the interpreter at exit, whose exit code would be 120."""
    try:
        stream.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def _say(message: str) -> None:
    try:
        print(message, file=sys.stderr)
    except (OSError, ValueError):
        return  # nobody can be told


if __name__ == "__main__":
    sys.exit(main())

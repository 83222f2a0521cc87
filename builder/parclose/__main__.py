# SPDX-License-Identifier: Apache-2.0
"""The one place that ends the process: every error becomes a message and an exit code, never a traceback."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130  # 128 + SIGINT, as shells count


class Terminated(BaseException):
    """A signal asked us to end; raised so that children are ended and files removed on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def main() -> int:
    """Run the command line `sys.argv` and return the exit code that `cli.md` promises for what happened."""
    for stream in (sys.stdout, sys.stderr):
        _never_fail_on_characters(stream)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminate)
    try:
        from parclose import cli

        code = cli.main(sys.argv[1:])
        sys.stdout.flush()
    except (KeyboardInterrupt, Terminated) as ended:
        return getattr(ended, "exit_code", INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output is gone: what is still buffered must not be written again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
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
    raise Terminated(number)


def _never_fail_on_characters(stream: object) -> None:
    """A name that the terminal's encoding lacks is shown escaped rather than ending the command."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _say(message: str) -> None:
    try:
        print(message, file=sys.stderr)
    except (OSError, ValueError):
        return  # nobody can be told


if __name__ == "__main__":
    sys.exit(main())

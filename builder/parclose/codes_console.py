# SPDX-License-Identifier: Apache-2.0
"""P160 to P169: consoles. title, rule, wrong, right, fix."""

CONSOLE = {
    "P160": (
        "an escape key that has another use",
        "the key that opens a console's menu is Ctrl with a letter or one of ]^_ that no terminal takes for itself",
        "line: {console: com1, escape: ctrl-c}",
        "line: {console: com1, escape: ctrl-t}",
        "Take another one, or leave it out: it is ctrl-a then.",
    ),
    "P161": (
        "a console buffer of an odd size",
        "a console channel's buffer has whole KiB, no more than LIMIT_CONSOLE_BUFFER (abi/limits.h)",
        "tty: {to: io.line, buffer: 100 MiB}",
        "tty: {to: io.line, buffer: 16 KiB}",
        "Take the size that the message names; without a buffer the guest waits for the line, and nothing is lost.",
    ),
    "P162": (
        "console buffers that do not fit",
        "an I/O partition keeps no more than LIMIT_CONSOLE_BUFFERS for its console channels together (abi/limits.h)",
        "tty: {to: io.line, buffer: 64 KiB}    # in three guests",
        "tty: {to: io.line, buffer: 32 KiB}",
        "Make them smaller; a log has 4 KiB where the layout says nothing.",
    ),
    "P163": (
        "too many logs of one console",
        "a console has no more than LIMIT_CONSOLE_LOGS log channels (abi/limits.h)",
        "reader: {count: 9, channels: {all: {to: io.line, log: true}}, …}",
        "reader: {count: 2, channels: {all: {to: io.line, log: true}}, …}",
        "Let one guest read, and tell the others what they need.",
    ),
}

# SPDX-License-Identifier: Apache-2.0
"""What stands on descriptor pages about console channels: logs, buffers and the menu's key."""

from __future__ import annotations

from typing import Any

from parclose.console_reader import escape_text
from parclose.constants import constants
from parclose.dwarf import Layouts
from parclose.inspect.database import Row
from parclose.inspect.ports import rows
from parclose.wording import format_size

Document = dict[str, Any]


def consoles(page: Row | None, content: bytes, layouts: Layouts) -> dict[int, Document]:
    """Each console channel by its index in the block of descriptors; `buffer` and `escape` are the server's alone."""
    if page is None:
        return {}
    channels = rows(page["channels"], "channel_descriptor", content, layouts)
    return {
        row["index"]: {
            "log": row["rights"] == constants()["RIGHT_READ"],
            "buffer": row["buffer"],
            "escape": escape_text(row["escape"]) if 0 < row["escape"] < 0x20 else None,
        }
        for row in channels
        if row["class"] == layouts.number("CLASS_CONSOLE")
    }


def text(console: Document) -> str:
    """What is special about it, to follow in a line; "" where nothing is."""
    log = ", a log" if console["log"] else ""
    kept = f", {format_size(console['buffer'])} kept" if console["buffer"] else ""
    return log + kept + (f", menu at {console['escape']}" if console["escape"] else "")

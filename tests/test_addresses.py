# SPDX-License-Identifier: Apache-2.0
"""docs/addresses.md: its table has every status of a conversion, in the monitor's order, and names what there is."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

from promise_list import PROMISES

ROOT = Path(__file__).parent.parent
CONVERT = (ROOT / "monitor_asm" / "convert.h").read_text()
SERVE = (ROOT / "monitor_asm" / "serve.c").read_text()
SERVER = ROOT / "partitions" / "io" / "server"
GIVES_UP = "gives the epoch up"


def rows(step: str = "") -> list[list[str]]:
    """Cells of the table's rows after the step: rule, status, attack, control, server; of all steps without one."""
    lines = (ROOT / "docs" / "addresses.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    found = [row for row in cells if row[0] in ("call", "entry", "count") and step in ("", row[0])]
    assert found and all(len(row) == 6 for row in found)
    return [row[1:] for row in found]


def names(cell: str) -> list[str]:
    """What a cell has in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def statuses(text: str, function: str) -> list[str]:
    """The refusals in a function's body, in its order."""
    found = re.search(rf"^[\w ].*\b{function}\([^;{{]*\{{\n(.*?)^\}}", text, re.MULTILINE | re.DOTALL)
    assert found, function
    return [status for status in re.findall(r"STATUS_\w+", found[1]) if status != "STATUS_OK"]


def without_repeats(words: list[str]) -> list[str]:
    """The words, each that follows itself once."""
    return [word for word, _ in groupby(words)]


def test_the_table_has_the_rules_of_an_entry_in_the_monitors_order() -> None:
    shown = [names(row[1])[0] for row in rows("entry")]
    order = [status for each in ("convert_one", "find_extent", "find_memory") for status in statuses(CONVERT, each)]
    assert shown == without_repeats(order)


def test_the_table_has_the_rules_of_the_count_in_the_monitors_order() -> None:
    shown = [names(row[1])[0] for row in rows("count")]
    assert shown == statuses(CONVERT, "channel_count")


def test_the_table_has_the_rules_of_the_call() -> None:
    shown = {names(row[1])[0] for row in rows("call")}
    found = [s for each in ("call_convert", "no_conversion", "server_end") for s in statuses(SERVE, each)]
    assert shown == set(found)


def test_attacks_and_controls_are_there() -> None:
    planted = {each.name: each.planted for each in PROMISES}
    fuzzer = "".join(path.read_text() for path in (ROOT / "tests" / "fuzz").glob("*.[ch]"))
    for rule, _, attack, control, _ in rows():
        attacks = names(attack)
        assert attacks, rule
        assert names(control) == [planted[each] for each in attacks if not each.startswith("RULE_")], rule
        assert all((ROOT / "tests" / "planted" / f"{each}.yaml").exists() for each in names(control)), rule
        assert all(re.search(rf"\b{each}\b", fuzzer) for each in attacks if each.startswith("RULE_")), rule


def test_no_promise_of_conversion_is_missing() -> None:
    named = {each for row in rows() for each in names(row[2])}
    assert {each.name for each in PROMISES if each.name.startswith("convert-")} | {"swapped"} <= named


def test_the_servers_do_as_it_says() -> None:
    refusal = (SERVER / "refusal.h").read_text()
    counted = dict(re.findall(r"case (STATUS_\w+):\n\s+return (COUNT_\w+);", refusal))
    (otherwise,) = re.findall(r"default:\n\s+return (COUNT_\w+);", refusal)
    given_up = {names(row[1])[0] for row in rows() if row[4] == GIVES_UP}
    for row in rows():
        if row[4].startswith("`COUNT_"):
            assert names(row[4]) == [counted.get(names(row[1])[0], otherwise)]
    for name in ("block_intake.c", "network_intake.c"):
        cases = re.search(r"((?:\s+case STATUS_\w+:)+)\s+(?:network_)?give_up\(channel\)", (SERVER / name).read_text())
        assert cases and set(re.findall(r"STATUS_\w+", cases[1])) == given_up, name

# SPDX-License-Identifier: Apache-2.0
"""The two ways in which the monitor gives up: a machine that is not the planned one, and a fault of its own."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parclose import emulator, paths, pipeline

ROOT = Path(__file__).resolve().parent.parent
LINE = "../examples/line/layout.yaml"


def replaced(words: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    """QEMU's arguments with one word changed; it must be there."""
    assert old in words, words
    return tuple(new if word == old else word for word in words)


def without_nvme(words: tuple[str, ...]) -> tuple[str, ...]:
    place = next(index for index, word in enumerate(words) if word.startswith("nvme,"))
    return words[: place - 1] + words[place + 1 :]


# what is changed of the machine: what the refusal says, with the line that it names
WRONG_MACHINES: dict[str, tuple[Callable[[tuple[str, ...]], tuple[str, ...]], str]] = {
    "too little memory": (
        lambda words: replaced(words, "256", "64"),
        r"bytes of usable memory for [^\r\n]*: planned 0x[0-9a-f]{16}, found 0x[0-9a-f]{16}\r?\n  as said in \S+",
    ),
    "a processor without AVX": (
        lambda words: replaced(words, "max", "max,-avx,-avx2"),
        r"processor feature AVX: planned 0x0+1, found 0x0+\r?\n  as said in qemu-q35.yaml:\d+",
    ),
    "no disk": (
        without_nvme,
        r"identity of device nvme0: planned 0x0*101b36, found 0x0*ffffffff\r?\n  as said in qemu-q35.yaml:\d+",
    ),
    "another device in its place": (
        lambda words: replaced(words, "nvme,drive=nvme0,serial=parclose,addr=04.0", "edu,addr=04.0"),
        r"identity of device nvme0: planned 0x0*101b36, found 0x0*11e81234\r?\n  as said in qemu-q35.yaml:\d+",
    ),
    "registers of another size": (
        lambda words: replaced(
            words,
            "nvme,drive=nvme0,serial=parclose,addr=04.0",
            "nvme,drive=nvme0,serial=parclose,addr=04.0,max_ioqpairs=4000,msix_qsize=2048",
        ),
        r"bytes of a base address register of nvme0: planned 0x0*4000, found 0x[0-9a-f]+\r?\n  as said in \S+",
    ),
}


def large_line(folder: Path) -> Path:
    """The example, with a partition that needs most of the board's memory: only what is planned must be there."""
    place = folder / "line"
    shutil.copytree(ROOT / "examples/line", place)
    layout = place / "layout.yaml"
    text = layout.read_text()
    assert text.count("    program: sensor.c\n") == 1
    layout.write_text(text.replace("    program: sensor.c\n", "    program: sensor.c\n    memory: 128 MiB\n"))
    return layout


@pytest.mark.parametrize("case", WRONG_MACHINES)
def test_a_machine_that_is_not_the_planned_one(
    case: str, tmp_path: Path, parclose_build: Callable[..., Any], parclose_boot: Callable[..., Any]
) -> None:
    change, said = WRONG_MACHINES[case]
    machine = parclose_build(large_line(tmp_path))
    running = parclose_boot(dataclasses.replace(machine, arguments=change(machine.arguments)), timeout=20)
    running.expect("this machine is not the one the image was planned for")
    running.expect(said)
    running.expect("nothing was started")
    assert "manager|" not in running.log


def test_the_planned_machine_starts(parclose_boot: Callable[..., Any]) -> None:
    parclose_boot(LINE).expect("the machine is the planned one")


def test_epitaph(tmp_path: Path, parclose_boot: Callable[..., Any]) -> None:
    """A bug of ours: registers, and a back trace that addr2line resolves to the functions that were running."""
    sources = tmp_path / "monitor_asm"
    shutil.copytree(paths.data("monitor_asm"), sources)
    call = sources / "call.c"
    text = call.read_text()
    assert text.count("  schedule_give_up();\n") == 1
    call.write_text(text.replace("  schedule_give_up();\n", "  *(volatile uint64_t *)0x123456 = 0x5a5a;\n"))
    shutil.copytree(paths.data("abi"), tmp_path / "abi")
    layout = tmp_path / "yields.yaml"
    shutil.copy(ROOT / "tests/schedule/yields.yaml", layout)
    for program in ("giver.c", "beat.c"):
        shutil.copy(ROOT / "tests/schedule" / program, tmp_path)
    result = pipeline.build(layout, tmp_path / "out", monitor_sources=sources)
    running = parclose_boot(emulator.machine(result.system.board, result.image), timeout=20)
    running.expect("the monitor has stopped the machine: exception in ring 0")
    running.wait_event(event="panic")  # written after the last line
    running.expect("text addresses on the stack")
    running.stop()
    log = running.log
    assert "cr2 0x0000000000123456" in log
    assert re.search(r"vec 0x0+e\b", log)
    addresses = re.findall(r"0xffffffff80[0-9a-f]{6}", log)
    command = ["addr2line", "-f", "-e", str(tmp_path / "out" / "monitor.elf"), *addresses]
    functions = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "call_yield" in functions

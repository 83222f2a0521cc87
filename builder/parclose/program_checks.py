# SPDX-License-Identifier: Apache-2.0
"""What a program file must be before a partition may run it. Each check is a function from a program to problems."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from parclose import elf, paths
from parclose.constants import constants
from parclose.elf import BadElf, Elf, Segment
from parclose.errors import Label, Problem
from parclose.model import Partition
from parclose.place import align_up
from parclose.plan_program import memory_needed, program_end
from parclose.wording import format_size

_MUCH = 16 << 20  # bytes of memory below which nobody is told that it is much
_MUCH_TIMES = 10  # as often what the program uses is probably not meant


@dataclass(frozen=True)
class Subject:
    """A program under examination. `data` are the file's bytes."""

    partition: Partition
    program: Elf
    data: bytes

    def problem(self, code: str, what: str, help: str = "", severity: str = "error") -> Problem:
        """A problem of this program."""
        message = f"the program of partition '{self.partition.name}' {what}"
        return Problem(code, message, _labels(self.partition), help, severity)


def _labels(partition: Partition) -> tuple[Label, ...]:
    """Where the layout names the program, and whose it is."""
    if partition.program.span is None:
        return (Label(partition.span, "the program of this"),)
    return Label(partition.program.span, "this program"), Label(partition.span, "of this partition")


def examine(partition: Partition, data: bytes) -> tuple[Elf | None, list[Problem]]:
    """The program in the bytes `data` and all that is wrong with it; None where nothing can be read."""
    try:
        program = elf.read(data)
    except BadElf as problem:
        message = f"the program of partition '{partition.name}' is no program file that can be read: {problem}"
        return None, [Problem("P309", message, _labels(partition), "build it again, or name the linked program")]
    subject = Subject(partition, program, data)
    machine = list(_machine(subject))
    if machine:
        return None, machine
    return program, [problem for check in _CHECKS for problem in check(subject)]


def _machine(subject: Subject) -> Iterator[Problem]:
    program = subject.program
    right = program.bits == 64 and program.little and program.machine == "EM_X86_64" and program.type == "ET_EXEC"
    if not right:
        order = "" if program.little else "big-endian "
        found = f"{_TYPES.get(program.type, program.type)} for {program.bits}-bit {order}{program.machine}"
        yield subject.problem(
            "P301",
            f"is {found}; a partition runs a program at fixed addresses (ET_EXEC) for 64-bit EM_X86_64",
            "compile for x86-64 and link with -static -no-pie by the kit's linker script",
        )


_TYPES = {
    "ET_EXEC": "a program at fixed addresses (ET_EXEC)",
    "ET_DYN": "a position-independent program or a library (ET_DYN)",
    "ET_REL": "an object file (ET_REL)",
    "ET_CORE": "a core dump (ET_CORE)",
}


def _undefined(subject: Subject) -> Iterator[Problem]:
    if subject.partition.program.elf is None:
        return  # the linker has seen to it
    try:
        symbols = elf.symbols(subject.data)
    except BadElf as problem:
        yield subject.problem("P309", f"cannot be read: {problem}", "build it again")
        return
    names = [each.name for each in symbols if not each.section and not each.weak]
    if names:
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        yield subject.problem(
            "P302",
            f"has undefined symbols: {', '.join(names[:5])}{more}",
            "link with -static and without --unresolved-symbols=ignore-all, so that the linker names who needs them",
        )


def _write_and_execute(subject: Subject) -> Iterator[Problem]:
    wrong = [each for each in subject.program.segments if each.write and each.execute]
    if wrong:
        yield subject.problem(
            "P303",
            f"has a segment at {wrong[0].virtual:#x}{_and_more(wrong)} that is writable and executable",
            "link by the kit's linker script, which keeps code and data apart",
        )


def _and_more(segments: list[Segment]) -> str:
    return f" and {len(segments) - 1} more" if len(segments) > 1 else ""


def _entry(subject: Subject) -> Iterator[Problem]:
    entry = subject.program.entry
    text = [each for each in subject.program.segments if each.execute]
    if not any(each.virtual <= entry < each.virtual + len(each.content) for each in text):
        places = ", ".join(f"{each.virtual:#x} to {each.end:#x}" for each in text) or "nowhere"
        yield subject.problem(
            "P304", f"starts at {entry:#x}, outside its code ({places})", "name _start as the entry when linking"
        )


def _area(subject: Subject) -> Iterator[Problem]:
    first = constants()["PROGRAM_ADDRESS"]
    last = first + constants()["LIMIT_MEMORY"]
    wrong = [each for each in subject.program.segments if each.virtual < first or each.end > last]
    if wrong:
        yield subject.problem(
            "P305",
            f"has a segment from {wrong[0].virtual:#x} to {wrong[0].end:#x}{_and_more(wrong)}; "
            f"programs stand from {first:#x} to {last:#x}",
            f"link it at {first:#x} by the kit's linker script",
        )


def _memory(subject: Subject) -> Iterator[Problem]:
    partition, program = subject.partition, subject.program
    if partition.memory is None:
        return
    page = constants()["PAGE_SIZE"]
    needed = memory_needed(partition, program)
    if needed > partition.memory:
        size = align_up(program_end(program), page) - constants()["PROGRAM_ADDRESS"]
        yield subject.problem(
            "P307",
            f"needs {format_size(needed)} (program {format_size(size)}, stack {format_size(partition.stack)}), "
            f"and has {format_size(partition.memory)}",
            f"give it 'memory: {format_size(needed)}' or more, or leave 'memory' out",
        )
    elif partition.memory >= max(_MUCH_TIMES * needed, _MUCH):
        yield subject.problem(
            "P308",
            f"has {format_size(partition.memory)} and needs {format_size(needed)} with its stack",
            f"leave 'memory' out, or give what the heap needs beside {format_size(needed)}",
            "warning",
        )


def _sections(subject: Subject) -> Iterator[Problem]:
    names = {"PT_TLS": "thread-local variables", "PT_DYNAMIC": "a dynamic section", "PT_INTERP": "a dynamic linker"}
    for kind, what in names.items():
        if kind in subject.program.other_segments:
            yield subject.problem(
                "P310", f"has {what}, which nobody sets up in a partition", "use ordinary variables and link statically"
            )


@cache
def _note_name() -> str:
    """NOTE_NAME of abi/note.h; `constants` reads numbers only."""
    found = re.search(r'#define NOTE_NAME "([^"]+)"', paths.data("abi", "note.h").read_text(encoding="utf-8"))
    assert found is not None, "abi/note.h names the note"
    return found[1]


def _note(subject: Subject) -> Iterator[Problem]:
    number = constants()
    for note in subject.program.notes:
        if note.name == _note_name() and note.type == number["NOTE_TYPE"]:
            version = int.from_bytes(note.content[:4], "little")
            if version == number["NOTE_VERSION"]:
                return
    yield subject.problem(
        "P306",
        "does not carry the note of the kit's start object, so nothing would restore its writable data at a restart",
        "link it as the README.md of the kit says: `parclose sdk LAYOUT -o kit`, then gcc … -L kit @kit/link.flags",
    )


def _shape(subject: Subject) -> Iterator[Problem]:
    """Read-only segments first, each on its own pages; the image of writable data in the read-only part."""
    page = constants()["PAGE_SIZE"]
    segments = sorted(subject.program.segments, key=lambda each: each.virtual)
    for one, other in pairwise(segments):
        together = align_up(one.end, page) > other.virtual & -page and one.write != other.write
        if one.end > other.virtual or together:
            yield _bad_shape(subject, f"the segments at {one.virtual:#x} and {other.virtual:#x} share a page")
        if one.write and not other.write:
            yield _bad_shape(subject, f"the read-only segment at {other.virtual:#x} stands above writable memory")
    data = min((each.virtual & -page for each in segments if each.write), default=0)
    for segment in segments:
        if segment.write and segment.content and not _restorable(segment, segments, data):
            yield _bad_shape(
                subject,
                f"the image of its writable data, {segment.physical:#x} to "
                f"{segment.physical + len(segment.content):#x}, is not in free space of its read-only part",
            )


def _restorable(segment: Segment, segments: list[Segment], data: int) -> bool:
    """Whether the load address of writable `segment` is in the pages of a read-only one, past its content."""
    page = constants()["PAGE_SIZE"]
    start, end = segment.physical, segment.physical + len(segment.content)
    fixed = [each for each in segments if not each.write]
    if not fixed or end > data:
        return False
    last = fixed[-1]
    room = align_up(last.end, page) if last.execute else data
    return last.end <= start and end <= room


def _bad_shape(subject: Subject, why: str) -> Problem:
    return subject.problem("P311", f"has segments that cannot be laid out: {why}", "link by the kit's linker script")


_CHECKS: tuple[Callable[[Subject], Iterator[Problem]], ...] = (
    _undefined,
    _write_and_execute,
    _entry,
    _area,
    _memory,
    _note,
    _sections,
    _shape,
)

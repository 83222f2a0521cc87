# SPDX-License-Identifier: Apache-2.0
"""Whatever the bytes are, `inspect` answers or refuses in time; it never fails with anything but a `ParcloseError`."""

from __future__ import annotations

import functools
import random
import struct
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import image_kit
from image_kit import PLACES, Sample, root
from parclose import inspect
from parclose.constants import constants
from parclose.errors import ParcloseError

DATABASE = constants()["DATABASE_PHYSICAL"]
LONGEST = 20.0  # seconds for the worst that a small file can ask for


@functools.cache
def whole() -> bytes:
    return image_kit.sample().elf()


def attempt(path: Path, content: bytes) -> str:
    """What inspect prints, or its refusal."""
    path.write_bytes(content)
    started = time.monotonic()
    try:
        return inspect.text(inspect.read(path))
    except ParcloseError as refused:
        assert refused.message
        return refused.message
    finally:
        assert time.monotonic() - started < LONGEST


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is no image"),
        (b"layout: 1\n", "is no image"),
        (b"\x7fELF", "is no image"),
        (b"\x7fELF\2\1\1" + bytes(9), "is no image"),
        (b"\x7fELF\1\1\1" + bytes(200), "is no image"),
        (b"\x7fELF\2\2\1" + bytes(200), "is no image"),
        (bytes(5000), "is no image"),
    ],
)
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "foreign.img"
    path.write_bytes(content)
    with pytest.raises(ParcloseError, match=expected) as caught:
        inspect.read(path)
    assert "foreign.img" in caught.value.message


def test_a_file_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ParcloseError, match="cannot be read"):
        inspect.read(tmp_path / "absent.img")
    with pytest.raises(ParcloseError, match="is no regular file"):
        inspect.read(tmp_path)


def test_another_program_has_no_database(tmp_path: Path) -> None:
    with pytest.raises(ParcloseError, match="has no resource database"):
        inspect.read(Path("/bin/true"))
    made = image_kit.sample()
    made.poke(DATABASE, b"X")
    with pytest.raises(ParcloseError, match="another thing"):
        inspect.read(made.write(tmp_path / "x.img"))


def test_another_version_says_so(tmp_path: Path) -> None:
    made = image_kit.sample()
    made.poke(DATABASE + 8, b"\x09")
    with pytest.raises(
        ParcloseError, match=f"version 9, this tool reads version {constants()['DATABASE_VERSION']}"
    ) as caught:
        inspect.read(made.write(tmp_path / "x.img"))
    assert caught.value.hint


def test_cut_off_anywhere(tmp_path: Path) -> None:
    content = whole()
    for size in [*range(0, 1200, 7), *range(1200, len(content), 4099), len(content) - 1]:
        said = attempt(tmp_path / "cut.img", content[:size])
        assert "is cut off" in said or "is no image" in said, (size, said)


@pytest.mark.parametrize(
    ("offset", "data", "expected"),
    [
        (12, b"\xff\xff\xff\xff", "it says that it has 4294967295 bytes"),
        (12, b"\x10\0\0\0", "it says that it has 16 bytes"),
        (24 + 4, b"\xff\xff\xff\xff", "table of features says 4294967295 rows"),
        (64, b"\xff\xff\xff\x7f", "table of partitions says 3 rows at 0x7fffffff"),
        (64 + 4, b"\x41\0\0\0", "table of partitions says 65 rows"),
        (128 + 4, b"\xff\xff\0\0", "table of start_order says 65535 rows"),
    ],
)
def test_sizes_that_cannot_be(tmp_path: Path, offset: int, data: bytes, expected: str) -> None:
    made = image_kit.sample()
    made.poke(DATABASE + offset, data)
    with pytest.raises(ParcloseError, match="is damaged") as caught:
        inspect.read(made.write(tmp_path / "x.img"))
    assert expected in caught.value.message


def test_segments_over_each_other(tmp_path: Path) -> None:
    made = image_kit.sample()
    made.chunks[DATABASE + 16] = bytearray(64)
    with pytest.raises(ParcloseError, match="two segments over each other"):
        inspect.read(made.write(tmp_path / "x.img"))


def test_a_segment_of_nothing_but_size(tmp_path: Path) -> None:
    content = bytearray(whole())
    struct.pack_into("<Q", content, 64 + 40, 1 << 50)  # p_memsz of the first segment
    assert "over each other" in attempt(tmp_path / "x.img", bytes(content))
    struct.pack_into("<Q", content, 64 + 40, (1 << 64) - 1)
    assert "impossible sizes" in attempt(tmp_path / "x.img", bytes(content))


def looped(level: int) -> Sample:
    """A root whose tables at `level` lead back to the root in each of their 512 entries."""
    made, top = image_kit.sample(), root(2)
    made.poke(top, struct.pack("<Q", top | 0x67) * (512 if level == 4 else 1))
    if level < 4:
        made.poke(top, struct.pack("<Q", (top + 0x1000) | 0x67))
        made.poke(top + 0x1000, struct.pack("<Q", top | 0x67) * 512)
    return made


@pytest.mark.parametrize("level", [4, 3])
def test_tables_that_lead_back_to_themselves(tmp_path: Path, level: int) -> None:
    said = attempt(tmp_path / "x.img", looped(level).elf())
    assert "is used twice" in said


def test_every_table_leads_to_every_other(tmp_path: Path) -> None:
    made, top = image_kit.sample(), root(2)
    pages = [top + number * 0x1000 for number in range(16)]
    for page in pages:
        made.poke(page, struct.pack("<512Q", *[(pages[index % 16]) | 0x67 for index in range(512)]))
    attempt(tmp_path / "x.img", made.elf())


def test_more_ranges_than_any_plan_makes(tmp_path: Path) -> None:
    made = image_kit.sample()
    tables = 200
    made.chunks[0x4000000] = bytearray(
        b"".join(
            struct.pack("<512Q", *[0x10000000 + index * 0x3000 | 0x67 for index in range(512)]) for _ in range(tables)
        )
    )
    directory = bytearray(4096)
    for index in range(tables):
        struct.pack_into("<Q", directory, 8 * (index + 8), 0x4000000 + index * 4096 | 0x67)
    made.chunks[0x8000000] = directory
    lower = made._number(root(2)) & ~0xFFF
    made.poke(lower + 8, struct.pack("<Q", 0x8000000 | 0x67))
    assert "larger than any plan" in attempt(tmp_path / "x.img", made.elf())


def test_rows_that_claim_everything(tmp_path: Path) -> None:
    made = image_kit.sample()
    for table, count in (("partitions", 3), ("devices", 2), ("frames", 2), ("processors", 1)):
        for index in range(count):
            for member in ("descriptor_count", "bar_count", "interrupt_count", "slot_count", "frame_count"):
                try:
                    made.poke(made.row(table, index, member), b"\xff\xff\xff\xff")
                except KeyError:
                    continue
    for index in range(10):
        made.poke(made.row("regions", index, "size"), b"\xff" * 8)
    made.poke(made.row("bars", 1, "size"), b"\xff" * 8)
    said = attempt(tmp_path / "x.img", made.elf())
    assert "disagreements" in said


def test_names_cannot_write_on_the_terminal(tmp_path: Path) -> None:
    made = image_kit.sample()
    made.poke(made.row("partitions", 2, "name"), b"\x1b[2J\x9b\x07\n\0")
    said = attempt(tmp_path / "x.img", made.elf())
    assert "\\x1b[2J\\x9b\\x07\\x0a" in said
    assert not any(ord(letter) < 32 for letter in said.replace("\n", ""))


@pytest.mark.parametrize("seed", range(8))
def test_mutated_images(tmp_path: Path, seed: int) -> None:
    """Bytes changed where they matter: the ELF headers, the database, page tables, descriptor pages."""
    chance = random.Random(seed)
    base = image_kit.sample()
    for _ in range(25):
        made = Sample({start: bytearray(chunk) for start, chunk in base.chunks.items()})
        for _ in range(chance.choice((1, 1, 2, 8, 64))):
            start = chance.choice([DATABASE, DATABASE, *made.chunks])
            chunk = made.chunks[start]
            chunk[chance.randrange(len(chunk))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        content = bytearray(made.elf())
        if chance.random() < 0.3:
            content[chance.randrange(64 + 56 * len(made.chunks))] = chance.randrange(256)
        attempt(tmp_path / "m.img", bytes(content))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 4095), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6))
def test_mutated_databases(tmp_path: Path, changes: list[tuple[int, bytes]]) -> None:
    made = image_kit.sample()
    for offset, data in changes:
        made.poke(DATABASE + offset % (len(made.chunks[DATABASE]) - 8), data)
    attempt(tmp_path / "m.img", made.elf())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_any_bytes_behind_an_elf_magic(tmp_path: Path, data: bytes) -> None:
    attempt(tmp_path / "m.img", b"\x7fELF\2\1\1" + data)


def test_the_sample_itself_is_good(tmp_path: Path) -> None:
    """The control of all the above: unchanged, it is read and agrees."""
    assert PLACES
    assert attempt(tmp_path / "good.img", whole()).endswith("rows and finished tables agree")

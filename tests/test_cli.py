# SPDX-License-Identifier: Apache-2.0
"""The command line's contract: exit codes, streams, JSON, and never a traceback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from parclose import paths

PARCLOSE = [sys.executable, "-m", "parclose"]
VERBS = ("new", "check", "build", "run", "inspect", "flash", "sdk", "explain", "doctor")
HELLO = """layout: 1
board: qemu-q35
partitions:
  hello:
    program: hello.c
"""
BAD = HELLO.replace("program: hello.c", "program: absent.c\n    memori: 4 MiB")


def parclose(*words: str | bytes, **settings: object) -> subprocess.CompletedProcess[str]:
    settings.setdefault("stdin", subprocess.DEVNULL)
    settings.setdefault("stdout", subprocess.PIPE)
    done = subprocess.run(  # type: ignore[call-overload]
        [*PARCLOSE, *words], stderr=subprocess.PIPE, encoding="utf-8", errors="replace", timeout=60, **settings
    )
    assert "Traceback" not in done.stderr and "this is a bug" not in done.stderr, done.stderr
    return done  # type: ignore[no-any-return]


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    (tmp_path / "hello.c").write_text("int main(void) { return 0; }\n")
    (tmp_path / "bad.yaml").write_text(BAD)
    good = tmp_path / "good.yaml"
    good.write_text(HELLO)
    return good


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("frobnicate",),
        ("check",),
        ("check", "a", "b"),
        ("build", "--no-such-option", "x"),
        ("build", "x", "--board"),
        ("run", "x", "--timeout", "soon"),
        ("run", "x", "--timeout", "-1"),
        ("run", "x", "--timeout", "nan"),
        ("run", "x", "--disk", "nvme0"),
        ("run", "x", "--disk", "=file"),
        ("check", "--", "-x"),
        ("check", "/nonexistent/layout.yaml"),
        ("build", "/nonexistent/layout.yaml"),
        ("run", "/nonexistent/layout.yaml"),
        ("inspect", "/nonexistent/image"),
        ("explain", "P000"),
        ("explain", ""),
        ("check", ""),
        ("new", ""),
        ("new", "."),
        ("new", "/nonexistent/deep/mything"),
        ("--color", "purple", "doctor"),
        ("doctor", "extra"),
        (b"check", b"\xff\xfe"),
        ("check", "a\nb"),
    ],
)
def test_wrong_usage_is_2_and_says_so_on_standard_error(words: tuple[str | bytes, ...]) -> None:
    done = parclose(*words)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("error: ")


def test_a_name_that_is_too_long_is_1() -> None:
    done = parclose("check", "x" * 5000)
    assert done.returncode == 1 and "File name too long" in done.stderr


def test_wrong_usage_is_json_where_that_was_asked_for() -> None:
    done = parclose("check", "--json")
    assert done.returncode == 2 and json.loads(done.stdout)["error"]["exit"] == 2


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    done = parclose(verb, "--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: parclose") and done.stderr == ""


def test_version_names_tool_layout_version_and_monitor() -> None:
    done = parclose("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"parclose \d\S*, layout 1, monitor sources [0-9a-f]{16}\n", done.stdout)


def test_new_makes_what_checks_without_a_problem(tmp_path: Path) -> None:
    done = parclose("new", "mything", cwd=tmp_path)
    assert done.returncode == 0 and "mything/layout.yaml" in done.stdout.splitlines()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mything"]
    assert parclose("check", "layout.yaml", cwd=tmp_path / "mything").returncode == 0


def test_new_touches_nothing_that_exists(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("mine", "file", "link"):
        assert parclose("new", name, cwd=tmp_path).returncode == 2
    assert list((tmp_path / "mine").iterdir()) == [] and (tmp_path / "file").read_text() == "mine"


def test_new_says_the_next_line_ready_to_paste(tmp_path: Path) -> None:
    assert "cd 'my thing' &&" in parclose("new", "my thing", cwd=tmp_path).stderr


def test_new_in_a_directory_that_cannot_be_written_is_1() -> None:
    done = parclose("new", "/proc/mything")
    assert done.returncode == 1 and done.stderr.startswith("error: ")


def test_new_as_json_is_one_document(tmp_path: Path) -> None:
    document = json.loads(parclose("new", "mything", "--json", cwd=tmp_path).stdout)
    assert document["directory"] == "mything" and "layout.yaml" in document["files"]


def test_check_of_a_good_layout_is_0_and_silent_on_standard_output(layout: Path) -> None:
    done = parclose("check", str(layout))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_check_of_a_directory_takes_its_layout_yaml(layout: Path) -> None:
    layout.rename(layout.with_name("layout.yaml"))
    assert parclose("check", str(layout.parent)).returncode == 0


def test_problems_are_1_all_at_once_on_standard_error(layout: Path) -> None:
    done = parclose("check", str(layout.with_name("bad.yaml")))
    assert (done.returncode, done.stdout) == (1, "")
    assert "absent.c" in done.stderr and "memori" in done.stderr and done.stderr.count("error[") == 2


def test_problems_as_json(layout: Path) -> None:
    done = parclose("check", "--json", str(layout.with_name("bad.yaml")))
    problems = json.loads(done.stdout)["problems"]
    assert done.returncode == 1 and len(problems) == 2
    for problem in problems:
        assert {"code", "severity", "message", "spans", "rule", "help"} <= set(problem)
        assert {"file", "line", "column", "end"} <= set(problem["spans"][0])


def test_check_for_several_boards(layout: Path) -> None:
    assert parclose("check", str(layout), "--board", "qemu-q35", "--board", "qemu-q35").returncode == 0
    assert parclose("check", str(layout), "--board", "qemu-q35", "--board", "nosuch").returncode == 2


@pytest.mark.parametrize("content", [b"", b"\0", b"\xff\xfe\0", b"- a\n", b"{", b"layout: 1\n" * 2, b"a: &a [*a]\n"])
def test_a_layout_of_rubbish_is_1(tmp_path: Path, content: bytes) -> None:
    rubbish = tmp_path / "rubbish.yaml"
    rubbish.write_bytes(content)
    done = parclose("check", str(rubbish))
    assert done.returncode == 1 and "error" in done.stderr


@pytest.mark.parametrize("verb", ["check", "build"])
def test_a_layout_that_is_no_file_is_refused(tmp_path: Path, verb: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    assert parclose(verb, str(tmp_path / "pipe")).returncode == 1
    assert parclose(verb, str(tmp_path / "loop")).returncode in (1, 2)
    assert parclose(verb, str(tmp_path)).returncode == 2


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"text", bytes(4096)])
def test_an_image_of_rubbish_is_1(tmp_path: Path, content: bytes) -> None:
    rubbish = tmp_path / "image"
    rubbish.write_bytes(content)
    done = parclose("inspect", str(rubbish))
    assert done.returncode == 1 and done.stderr.startswith("error: ")


def test_build_says_where_the_image_is(layout: Path, tmp_path: Path) -> None:
    done = parclose("build", str(layout), "-o", str(tmp_path / "out"))
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'out' / 'image.elf'}\n"), done.stderr
    document = json.loads(parclose("build", str(layout), "-o", str(tmp_path / "out"), "--json").stdout)
    assert document["image"] in document["files"] and all(Path(file).is_file() for file in document["files"])


def test_run_on_a_board_that_qemu_is_not_told_of_is_2_and_names_the_other_ways(layout: Path, tmp_path: Path) -> None:
    shipped = paths.data("boards", "qemu-q35.yaml").read_text()
    bare = tmp_path / "bare.yaml"
    bare.write_text(shipped[: shipped.index("\nqemu:")].replace("name: qemu-q35", "name: bare") + "\n")
    words = (str(layout), "--board", str(bare), "-o", str(tmp_path / "out"))
    done = parclose("run", *words)
    assert done.returncode == 2 and "no qemu: section" in done.stderr and "--board qemu-q35" in done.stderr
    assert parclose("build", *words).returncode == 0


def test_build_into_what_is_no_directory_is_1(layout: Path) -> None:
    for out in ("/dev/null/x", str(layout)):
        assert parclose("build", str(layout), "-o", out).returncode == 1


def test_verbose_says_what_was_filled_in_and_each_command(layout: Path, tmp_path: Path) -> None:
    errors = parclose("build", "-v", str(layout), "-o", str(tmp_path / "out")).stderr
    assert "default: hello: stack: 64 KiB" in errors and "gcc " in errors


def test_a_failed_build_leaves_the_last_good_image(layout: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert parclose("build", str(layout), "-o", str(out)).returncode == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    (tmp_path / "hello.c").write_text("no C at all\n")
    done = parclose("build", str(layout), "-o", str(out))
    assert done.returncode == 1 and "hello.c:1:1: error" in done.stderr
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_explain_lists_all_codes_and_knows_each() -> None:
    listed = json.loads(parclose("explain", "--json").stdout)
    assert len(listed) >= 50
    first = next(iter(listed))
    assert first in parclose("explain", first).stdout
    assert first in parclose("explain", first.lower()).stdout


def test_doctor_says_what_is_there() -> None:
    done = parclose("doctor", "--json")
    found = {item["name"]: item for item in json.loads(done.stdout)}
    assert done.returncode == 0 and found["gcc"]["found"] and found["qemu-system-x86_64"]["needed"] == "run"


def test_doctor_without_tools_is_3_with_one_line_that_installs_them() -> None:
    done = parclose("doctor", env={**os.environ, "PATH": "/nonexistent"})
    assert done.returncode == 3
    assert "apt-get install --no-install-recommends -y binutils gcc qemu-system-x86" in done.stdout
    assert "for build --format disk: apt-get install --no-install-recommends -y grub-common" in done.stdout


@pytest.mark.parametrize(
    ("program", "package", "code"),
    [
        *(("gcc", "gcc", 3), ("ld", "binutils", 3), ("objcopy", "binutils", 3)),
        *(("qemu-system-x86_64", "qemu-system-x86", 3), ("grub-mkimage", "grub-common", 0)),
        *(("mformat", "mtools", 0), ("mmd", "mtools", 0), ("mcopy", "mtools", 0), ("gdb", "gdb", 0)),
    ],
)
def test_doctor_finds_each_missing_program(program: str, package: str, code: int, tmp_path: Path) -> None:
    """On a machine that has all others, as far as ours does."""
    for folder in ("/bin", "/usr/bin", "/usr/sbin"):
        for file in Path(folder).iterdir():
            if file.name != program and not (tmp_path / file.name).exists():
                (tmp_path / file.name).symlink_to(file)
    done = parclose("doctor", env={**os.environ, "PATH": str(tmp_path)})
    said = done.stdout.splitlines()
    assert done.returncode == code, done.stdout
    assert any(line.split()[:2] == [("missing" if code else "optional"), program] for line in said), done.stdout
    assert any("apt-get install" in line and package in line.split() for line in said), done.stdout


def test_build_without_a_compiler_is_3_with_the_line_that_installs_it(layout: Path, tmp_path: Path) -> None:
    bare = {**os.environ, "PATH": "/nonexistent", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = parclose("build", str(layout), "-o", str(tmp_path / "out"), env=bare)
    assert done.returncode == 3 and "apt-get install" in done.stderr


def test_a_closed_output_is_no_success() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = parclose("explain", stdout=writer)
    os.close(writer)
    assert done.returncode == 1 and done.stderr == ""


def test_closed_standard_streams_are_survived(layout: Path) -> None:
    words = " ".join(f"'{word}'" for word in [*PARCLOSE, "check", str(layout)])
    done = subprocess.run(["/bin/sh", "-c", f"{words} <&- >&- 2>&-"], timeout=60)
    assert done.returncode == 0


def test_colour_only_where_asked_for(layout: Path) -> None:
    bad = str(layout.with_name("bad.yaml"))
    assert "\x1b[" not in parclose("check", bad).stderr
    assert "\x1b[" in parclose("check", bad, "--color", "always").stderr
    assert "\x1b[" in parclose("--color=always", "check", bad).stderr
    assert "\x1b[" not in parclose("check", bad, "--color", "never").stderr


def test_a_terminal_gets_colour_unless_no_color_is_set(layout: Path) -> None:
    bad = str(layout.with_name("bad.yaml"))
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    assert "\x1b[" in on_terminal(["check", bad], environment)
    assert "\x1b[" not in on_terminal(["check", bad], {**environment, "NO_COLOR": "1"})


def on_terminal(words: list[str], environment: dict[str, str]) -> str:
    """What a command writes on standard error, which is a terminal."""
    ours, theirs = os.openpty()
    parts: list[bytes] = []

    def read() -> None:
        while True:
            try:
                parts.append(os.read(ours, 65536))
            except OSError:  # the last writer has closed it
                return

    reader = threading.Thread(target=read)
    reader.start()
    subprocess.run([*PARCLOSE, *words], stdin=subprocess.DEVNULL, stderr=theirs, env=environment, timeout=60)
    os.close(theirs)
    reader.join(10)
    os.close(ours)
    return b"".join(parts).decode()


def test_an_interrupt_is_130_and_leaves_no_image(layout: Path, tmp_path: Path) -> None:
    """The compiler of this test never ends, so the interrupt comes while a build is under way."""
    fake, started, out = tmp_path / "bin" / "gcc", tmp_path / "started", tmp_path / "out"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\ntouch '{started}'\nexec sleep 60\n")
    fake.chmod(0o755)
    settings = {"PATH": f"{fake.parent}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    # whoever runs the tests in the background may have made SIGINT ignored, and children inherit that
    words = ["env", "--default-signal=INT", *PARCLOSE, "build", str(layout), "-o", str(out)]
    ours = subprocess.Popen(words, env={**os.environ, **settings}, stderr=subprocess.PIPE, text=True)
    limit = time.monotonic() + 20
    while not started.exists():
        assert time.monotonic() < limit and ours.poll() is None
        time.sleep(0.02)
    ours.send_signal(signal.SIGINT)
    _, errors = ours.communicate(timeout=30)
    assert ours.returncode == 130 and "Traceback" not in errors
    assert [path for path in out.rglob("*") if path.is_file()] == []


def test_start_up_loads_nothing_heavy() -> None:
    script = """
import sys
from parclose import cli
cli.main(["explain", "--json"]); cli.main(["new", "/nonexistent/x"])
print(sorted({"jinja2", "elftools", "pexpect", "qemu", "asyncio", "importlib.metadata"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr

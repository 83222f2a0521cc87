# SPDX-License-Identifier: Apache-2.0
"""`parclose run DIR`: how runs end, and that QEMU never outlives us. The guests are tiny kernels."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

import tiny
from parclose import emulator, outcome
from parclose.emulator import Machine

PARCLOSE = [sys.executable, "-m", "parclose"]
STOPPED = (
    '{"event":"started","partition":"intruder","life":1}\n'
    '{"event":"stopped","partition":"intruder","life":1,"reason":"exception","vector":14,"error":5,'
    '"address":"0x400000","rip":"0x40000123"}\n'
    '{"event":"end","failed":1}\n'
)
Make = Callable[..., Machine]


def run(target: Machine, *words: str, **settings: object) -> subprocess.CompletedProcess[str]:
    command = [*PARCLOSE, "run", str(target.image.parent), *words]
    settings.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **settings)  # type: ignore[call-overload]


def start(target: Machine, *words: str) -> tuple[subprocess.Popen[str], int]:
    """A run that has shown its first line, and QEMU's process number."""
    ours = subprocess.Popen(
        [*PARCLOSE, "run", str(target.image.parent), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # also where the tests run under nohup(1)
    )
    assert ours.stdout is not None and ours.stdout.readline() == "hello\n"
    return ours, child_of(ours.pid)


def child_of(parent: int) -> int:
    return int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])


def gone(process: int, patience: float = 5.0) -> bool:
    limit = time.monotonic() + patience
    while time.monotonic() < limit:
        if not emulator.alive(process):
            return True
        time.sleep(0.02)
    return False


def test_a_run_that_the_manager_reports_as_ended_well_exits_0(tiny_machine: Make) -> None:
    done = run(tiny_machine())
    assert (done.returncode, done.stdout) == (0, "hello\n")
    assert "all partitions that end have ended" in done.stderr


def test_what_we_say_starts_a_line_of_its_own(tiny_machine: Make) -> None:
    done = run(tiny_machine(say="unfinished"))
    assert (done.stdout, done.stderr[:6]) == ("unfinished", "\nrun: ")


def test_a_partition_stopped_by_a_fault_makes_it_1_and_is_named(tiny_machine: Make) -> None:
    done = run(tiny_machine(report=STOPPED))
    assert done.returncode == 1
    assert "intruder  stopped: page fault (error 0x5) at 0x400000, rip 0x40000123" in done.stderr


def test_a_status_other_than_0_makes_it_1(tiny_machine: Make) -> None:
    report = '{"event":"ended","partition":"a","life":1,"status":3}\n{"event":"end","failed":1}\n'
    done = run(tiny_machine(report=report))
    assert done.returncode == 1 and "a  ended with 3" in done.stderr


def test_a_hanging_guest_meets_the_deadline(tiny_machine: Make) -> None:
    begun = time.monotonic()
    done = run(tiny_machine(report=""), "--timeout", "1")
    assert done.returncode == 4 and "deadline" in done.stderr and time.monotonic() - begun < 10


def test_the_deadline_ends_a_flood_too(tiny_machine: Make) -> None:
    done = run(tiny_machine("FLOOD"), "--timeout", "1")
    assert done.returncode == 4 and done.stdout.startswith("hello\nhello\n")


@pytest.mark.parametrize("does", ["TRIPLE_FAULT", "POWEROFF"])
def test_a_machine_that_ends_before_the_report_does_makes_it_1(tiny_machine: Make, does: str) -> None:
    done = run(tiny_machine(does, report=""))
    assert done.returncode == 1 and "before the manager reported" in done.stderr


@pytest.mark.parametrize("last", ["panic", "refused-machine"])
def test_a_monitor_that_gives_up_makes_it_1_at_once(tiny_machine: Make, last: str) -> None:
    done = run(tiny_machine(report=f'{{"event":"{last}"}}\n'))
    assert done.returncode == 1 and f"the monitor gave up ({last})" in done.stderr


def test_a_machine_that_turns_itself_off_after_the_report_is_fine(tiny_machine: Make) -> None:
    assert run(tiny_machine("POWEROFF")).returncode == 0


def test_until_ends_well_at_once(tiny_machine: Make) -> None:
    done = run(tiny_machine("FLOOD"), "--until", "lo\nhel")
    assert done.returncode == 0 and "--until" in done.stderr


def test_until_that_never_comes_is_the_deadline(tiny_machine: Make) -> None:
    assert run(tiny_machine("FLOOD"), "--until", "hello hello", "--timeout", "1").returncode == 4


def test_json_is_one_document_and_the_console_goes_to_standard_error(tiny_machine: Make) -> None:
    done = run(tiny_machine(report=STOPPED), "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["exit"], document["cause"]) == (1, 1, "ended")
    assert document["partitions"][0]["partition"] == "intruder" and "hello" in done.stderr


def test_what_is_typed_reaches_the_guest(tiny_machine: Make) -> None:
    done = run(tiny_machine("ECHO", report=""), "--until", "ping", stdin=None, input="ping")
    assert (done.returncode, done.stdout) == (0, "hello\nping")


def test_input_that_no_guest_reads_does_not_hold_the_deadline_up(tiny_machine: Make) -> None:
    with open("/dev/zero", "rb") as endless:
        assert run(tiny_machine(report=""), "--timeout", "1", stdin=endless).returncode == 4


def test_serial_is_copied_to_a_file(tiny_machine: Make, tmp_path: Path) -> None:
    assert run(tiny_machine(), "--serial", str(tmp_path / "log")).returncode == 0
    assert (tmp_path / "log").read_text() == "hello\n"


def test_the_printed_command_can_be_pasted(tiny_machine: Make) -> None:
    target = tiny_machine(report="")
    line = next(line for line in run(target, "-v", "--timeout", "1").stderr.splitlines() if emulator.PROGRAM in line)
    pasted = subprocess.Popen(["/bin/sh", "-c", f"exec {line}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert pasted.stdout is not None and pasted.stdout.readline() == b"hello\n"
    finally:
        pasted.kill()
        pasted.wait()


def test_arguments_after_two_dashes_go_to_qemu(tiny_machine: Make) -> None:
    done = run(tiny_machine(), "-v", "--", "-name", "mine")
    assert done.returncode == 0 and "-name mine" in done.stderr


def test_a_complaint_of_qemu_is_shown_with_the_command(tiny_machine: Make) -> None:
    done = run(tiny_machine(), "--", "-machine", "nosuch")
    assert done.returncode == 1 and "unsupported machine type" in done.stderr and "the command was" in done.stderr


def disk_machine(make: Make) -> Machine:
    drive = ("-drive", "if=none,id=d,format=raw,file={disk:d0}")
    return make(arguments=(*tiny.ARGUMENTS, *drive), disks=(("d0", 1 << 20),))


def test_disks_are_sparse_kept_and_made_anew_when_asked(tiny_machine: Make) -> None:
    target = disk_machine(tiny_machine)
    disk = target.image.parent / "disks" / "d0.img"
    assert run(target).returncode == 0
    assert disk.stat().st_size == 1 << 20 and disk.stat().st_blocks * 512 < 1 << 16
    disk.write_bytes(b"kept".ljust(1 << 20, b"\0"))
    assert run(target).returncode == 0 and disk.read_bytes().startswith(b"kept")
    assert run(target, "--fresh").returncode == 0 and disk.read_bytes() == bytes(1 << 20)


def test_a_given_disk_is_used_whatever_its_name(tiny_machine: Make, tmp_path: Path) -> None:
    target, mine = disk_machine(tiny_machine), tmp_path / "a,b c.img"
    mine.write_bytes(bytes(4096))
    assert run(target, "--disk", f"d0={mine}").returncode == 0
    assert not (target.image.parent / "disks").exists()


@pytest.mark.parametrize("words", [("--disk", "other=x"), ("--disk", "d0=/nonexistent"), ("--net", "n=user")])
def test_overrides_of_nothing_are_wrong_usage(tiny_machine: Make, words: tuple[str, str]) -> None:
    done = run(disk_machine(tiny_machine), *words)
    assert done.returncode == 2 and done.stdout == ""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_qemu_too(tiny_machine: Make, number: int, code: int) -> None:
    ours, qemu = start(tiny_machine(report=""))
    ours.send_signal(number)
    out, errors = ours.communicate(timeout=20)
    assert ours.returncode == code and "Traceback" not in out + errors
    assert gone(qemu)


def test_qemu_dies_when_we_are_killed(tiny_machine: Make) -> None:
    ours, qemu = start(tiny_machine(report=""))
    assert emulator.alive(qemu)
    ours.kill()
    ours.communicate(timeout=20)
    assert gone(qemu)


def test_qemu_dies_with_us_without_setpriv_too(tiny_machine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tiny_machine(report="")
    path = target.image.parent / "bin"
    path.mkdir()
    (path / emulator.PROGRAM).symlink_to(f"/usr/bin/{emulator.PROGRAM}")
    monkeypatch.setenv("PATH", str(path))
    ours, qemu = start(target)
    ours.kill()
    ours.communicate(timeout=20)
    assert gone(qemu)


def test_a_second_run_in_the_same_folder_is_refused_and_harms_nothing(tiny_machine: Make) -> None:
    target = tiny_machine(report="")
    ours, _ = start(target)
    report = target.image.parent / "run" / "report.log"
    report.write_bytes(b"of the first")
    done = run(target, "--fresh")
    assert done.returncode == 1 and "another run is using" in done.stderr and report.read_bytes() == b"of the first"
    ours.send_signal(signal.SIGINT)
    ours.communicate(timeout=20)
    assert run(target, "--timeout", "1").returncode == 4


def test_a_reader_that_goes_away_ends_the_run_quietly(tiny_machine: Make) -> None:
    ours, qemu = start(tiny_machine("FLOOD"))
    assert ours.stdout is not None and ours.stderr is not None
    ours.stdout.close()
    assert ours.wait(20) != 0 and "Traceback" not in ours.stderr.read() and gone(qemu)
    ours.stderr.close()


def test_without_qemu_it_is_3_with_the_line_that_installs_it(tiny_machine: Make) -> None:
    done = run(tiny_machine(), env={**os.environ, "PATH": "/nonexistent"})
    assert done.returncode == 3 and "apt-get install --no-install-recommends -y qemu-system-x86" in done.stderr


def test_a_directory_that_build_did_not_make_is_wrong_usage(tmp_path: Path) -> None:
    done = subprocess.run([*PARCLOSE, "run", str(tmp_path)], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "machine.json" in done.stderr


@pytest.mark.parametrize("content", ["", "[]", '{"board": 1}', '{"image": null}', "\0"])
def test_a_broken_record_is_no_traceback(tmp_path: Path, content: str) -> None:
    (tmp_path / emulator.RECORD).write_text(content)
    done = subprocess.run([*PARCLOSE, "run", str(tmp_path)], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_on_a_terminal_keys_reach_the_guest_and_ctrl_c_leaves(tiny_machine: Make) -> None:
    target = tiny_machine("ECHO", report="")
    words = shlex.join([*PARCLOSE, "run", str(target.image.parent)])
    # a shell around it, so that what it leaves the terminal in can be seen
    session = pexpect.spawn(
        "/bin/sh", ["-c", f"trap : INT; {words}; echo code $?; stty -a"], encoding="utf-8", timeout=20
    )
    session.expect("Ctrl-C leaves")
    session.expect("hello")
    session.send("xyz")
    session.expect("xyz")
    session.sendintr()
    session.expect("code 130")
    session.expect(r" icanon[\s\S]* echo ")
    session.expect(pexpect.EOF)


def test_a_report_counts_lives_and_faults() -> None:
    report = outcome.Report()
    fault = b'{"event":"stopped","partition":"i","life":1,"reason":"exception","vector":13,"error":0,"rip":"0x1"}\n'
    report.feed(b"SeaBIOS\n" + b'{"event":"started","partition":"i","life":1}\n' + fault[:20])
    report.feed(fault[20:] + b'{"event":"started","partition":"i","life":2}\n')
    end = report.ends()[0]
    assert (end.state, end.lives, end.faults) == ("running", 2, 1)
    assert end.text() == "still running (life 2, stopped 1 time, last by general protection fault, rip 0x1)"
    assert report.failed and not report.finished and not report.broken
    report.feed(b'{"event":"ended","partition":"i","life":2,"status":0}\n')
    end = report.ends()[0]
    assert end.text() == "ended with 0 (life 2, stopped 1 time, last by general protection fault, rip 0x1)"


def test_a_report_with_a_broken_line_has_failed() -> None:
    report = outcome.Report()
    report.feed(b'{"event":"started","partition":"a"}\nnonsense\n{"event":"end","failed":0}\n')
    assert report.failed and report.broken == ["nonsense"]

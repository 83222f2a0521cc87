# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin for users, tested as users have it: in a directory of their own, with guests that misbehave."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import tiny
from parclose import emulator
from parclose.emulator import Machine
from parclose.new import create

Make = Callable[..., Machine]
HEAD = """
from pathlib import Path
from parclose import emulator
"""


def outcome_of(pytester: pytest.Pytester, target: Machine, body: str, *words: str) -> pytest.RunResult:
    """Run one test of a user whose `target` is a machine built before, in a pytest of its own."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    pytester.makepyfile(f"{HEAD}\nTARGET = {str(target.image.parent)!r}\n\ndef test_it(parclose_boot):\n{lines}\n")
    return pytester.runpytest_subprocess("-q", *words, timeout=60)


def test_a_machine_that_does_as_expected_passes(pytester: pytest.Pytester, tiny_machine: Make) -> None:
    report = (
        '{"event":"started","partition":"a","life":1}\n'
        '{"event":"ended","partition":"a","life":1,"status":0}\n' + tiny.ENDED
    )
    body = """
machine = parclose_boot(TARGET)
assert machine.expect(r"port (\\d+)").group(1) == "17"
machine.expect_lines("one", "two")
assert machine.finish().end("a").status == 0
assert machine.log == "port 17\\none\\ntwo\\n"
"""
    outcome_of(pytester, tiny_machine(say="port 17\none\ntwo\n", report=report), body).assert_outcomes(passed=1)


def test_what_is_sent_arrives(pytester: pytest.Pytester, tiny_machine: Make) -> None:
    body = """
machine = parclose_boot(TARGET)
machine.expect("hello")
machine.send("ping")
machine.expect("ping")
"""
    outcome_of(pytester, tiny_machine("ECHO"), body).assert_outcomes(passed=1)


def test_a_hang_fails_with_reason_log_and_command(pytester: pytest.Pytester, tiny_machine: Make) -> None:
    body = "parclose_boot(TARGET, timeout=1).expect('never')"
    result = outcome_of(pytester, tiny_machine(report=""), body)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*MachineFailure: * s passed while waiting for 'never'*",
            "*parclose machine 0*",
            "machine: * s passed while waiting for 'never'",
            "serial log:",
            "hello",
            "run it by hand:",
            f"  {emulator.PROGRAM} *-kernel *image.elf*",
        ]
    )


def test_a_line_out_of_order_fails(pytester: pytest.Pytester, tiny_machine: Make) -> None:
    body = "parclose_boot(TARGET, timeout=1).expect_lines('two', 'one')"
    outcome_of(pytester, tiny_machine(say="one\ntwo\n"), body).assert_outcomes(failed=1)


def test_a_triple_fault_fails_at_once(pytester: pytest.Pytester, tiny_machine: Make) -> None:
    begun = time.monotonic()
    body = "parclose_boot(TARGET, timeout=50).finish()"
    result = outcome_of(pytester, tiny_machine("TRIPLE_FAULT", report=""), body)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*QEMU ended by itself while waiting for the report*"])
    assert time.monotonic() - begun < 30


def test_a_panic_fails_at_once(pytester: pytest.Pytester, tiny_machine: Make) -> None:
    target = tiny_machine(report='{"event":"panic"}\n')
    result = outcome_of(pytester, target, "parclose_boot(TARGET, timeout=50).finish()")
    result.stdout.fnmatch_lines(["*the monitor gave up (panic) while waiting for the report*"])


def test_a_triple_fault_ends_an_expectation_at_once(pytester: pytest.Pytester, tiny_machine: Make) -> None:
    body = "parclose_boot(TARGET, timeout=50).expect('never')"
    result = outcome_of(pytester, tiny_machine("TRIPLE_FAULT", report=""), body)
    result.stdout.fnmatch_lines(["*the machine ended while waiting for 'never'*"])


def test_a_flood_fails_soon_and_shows_only_its_end(pytester: pytest.Pytester, tiny_machine: Make) -> None:
    result = outcome_of(pytester, tiny_machine("FLOOD"), "parclose_boot(TARGET, timeout=50).expect('never')")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the console was flooded (* while waiting for 'never'*", "*characters before*"])
    assert len(result.stdout.str()) < 60_000


def test_a_flood_does_not_hide_what_is_looked_for(pytester: pytest.Pytester, tiny_machine: Make) -> None:
    outcome_of(pytester, tiny_machine("FLOOD"), "parclose_boot(TARGET).expect('hello')").assert_outcomes(passed=1)


def test_the_end_of_a_partition_is_read_from_the_report(pytester: pytest.Pytester, tiny_machine: Make) -> None:
    report = (
        '{"event":"started","partition":"i","life":1}\n'
        '{"event":"stopped","partition":"i","life":1,"reason":"exception","vector":14,"error":5,"address":"0x0"}\n'
        '{"event":"end","failed":1}\n'
    )
    body = """
machine = parclose_boot(TARGET)
assert machine.wait_event(event="stopped")["vector"] == 14
assert (machine.finish().end("i").state, machine.end("i").faults) == ("stopped", 1)
machine.end("nobody")
"""
    result = outcome_of(pytester, tiny_machine(report=report), body)
    result.stdout.fnmatch_lines(["*MachineFailure: the manager has not mentioned 'nobody', only i*"])


def test_qemu_is_controlled_by_qmp(pytester: pytest.Pytester, tiny_machine: Make) -> None:
    body = """
machine = parclose_boot(TARGET)
machine.expect("hello")
assert machine.qmp("query-status")["running"]
machine.qmp("stop")
assert not machine.qmp("query-status")["running"]
assert "STOP" in [event["event"] for event in machine.qmp_events()]
machine.qmp("quit")
assert machine.wait_exit(10) == 0
"""
    outcome_of(pytester, tiny_machine(), body).assert_outcomes(passed=1)


def test_no_machine_outlives_its_test(pytester: pytest.Pytester, tiny_machine: Make, tmp_path: Path) -> None:
    noted = tmp_path / "processes"
    body = f"""
for _ in range(2):
    with open({str(noted)!r}, "a") as file:
        print(parclose_boot(TARGET).process, file=file)
assert False
"""
    outcome_of(pytester, tiny_machine(), body).assert_outcomes(failed=1)
    processes = noted.read_text().split()
    assert len(processes) == 2 and not any(emulator.alive(int(process)) for process in processes)


@pytest.mark.parametrize(("required", "outcome"), [("", "skipped"), ("1", "failed")])
def test_without_qemu(
    pytester: pytest.Pytester,
    tiny_machine: Make,
    monkeypatch: pytest.MonkeyPatch,
    required: str,
    outcome: str,
) -> None:
    target = tiny_machine()
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("PARCLOSE_REQUIRE_QEMU", required)
    result = outcome_of(pytester, target, "parclose_boot(TARGET)", "-rs")
    # a fixture that fails is an error of the test
    result.assert_outcomes(**({"skipped": 1} if outcome == "skipped" else {"errors": 1}))
    result.stdout.fnmatch_lines(["*qemu-system-x86_64 is not installed: apt-get install*"])


def test_a_qemu_that_refuses_says_why(pytester: pytest.Pytester, tiny_machine: Make) -> None:
    body = "parclose_boot(TARGET, timeout=20, extra=('-machine', 'nosuch')).expect('hello')"
    outcome_of(pytester, tiny_machine(), body).stdout.fnmatch_lines(["*unsupported machine type*"])


def test_control_characters_of_a_guest_do_not_reach_the_terminal(pytester: pytest.Pytester, tiny_machine: Make) -> None:
    target = tiny_machine(say="\u001b[2Jgone\n", report="")
    result = outcome_of(pytester, target, "parclose_boot(TARGET, timeout=1).expect('never')")
    assert "\x1b[2J" not in result.stdout.str()
    result.stdout.fnmatch_lines([r"\x1b[[]2Jgone"])


def test_the_plugin_costs_nothing_until_it_is_used(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\ndef test_it(): assert not {'pexpect', 'qemu.qmp', 'parclose.emulator'} & set(sys.modules)"
    )
    pytester.runpytest_subprocess("-q", timeout=60).assert_outcomes(passed=1)
    assert os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD") is None


def test_a_layout_is_built_and_booted_and_its_partitions_end(pytester: pytest.Pytester) -> None:
    """The whole way as a user goes it: a copy of the example that `new` makes, and a test beside it."""
    folder = pytester.path / "mything"
    create(folder)
    pytester.makepyfile(
        """
def test_hello(parclose_boot):
    machine = parclose_boot("mything/layout.yaml", timeout=50)
    machine.expect("hello from partition 'hello'")
    assert machine.finish().end("hello").status == 0
"""
    )
    pytester.runpytest_subprocess("-q", timeout=60).assert_outcomes(passed=1)


def test_a_layout_with_problems_fails_with_all_of_them(pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("bad.yaml").write_text("layout: 1\nboard: qemu-q35\npartitions: {a: {program: absent.c}}\n")
    pytester.makepyfile("def test_it(parclose_build):\n    parclose_build('bad.yaml')\n")
    result = pytester.runpytest_subprocess("-q", timeout=60)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*absent.c*"])


@pytest.mark.parametrize(
    ("mark", "outcome", "says"),
    [
        ("'qemu'", {"passed": 1}, ""),
        ("'lab7', 'qemu'", {"passed": 1}, ""),
        ("'lab7'", {"skipped": 1}, "*for the target lab7; this run's is qemu (--parclose-target)*"),
        ("", {"errors": 1}, "*parclose_target takes names of targets*"),
        ("7", {"errors": 1}, "*parclose_target takes names of targets*"),
    ],
)
def test_the_mark_says_on_which_targets_a_test_makes_sense(
    pytester: pytest.Pytester, mark: str, outcome: dict[str, int], says: str
) -> None:
    pytester.makepyfile(f"import pytest\n@pytest.mark.parclose_target({mark})\ndef test_it(): pass\n")
    result = pytester.runpytest_subprocess("-q", "-rs", "--strict-markers", timeout=60)
    result.assert_outcomes(**outcome)
    if says:
        result.stdout.fnmatch_lines([says])


def test_a_target_that_nobody_can_boot_is_wrong_usage(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--parclose-target=lab7", timeout=60)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--parclose-target: invalid choice: 'lab7'*qemu*"])


def test_tests_in_several_processes_share_no_disk_and_no_image(pytester: pytest.Pytester) -> None:
    """Two tests in two processes build the same layout into a cold cache, and each finds its own disk empty."""
    create(pytester.path / "mything")
    pytester.makepyfile(
        f"""
import pytest
@pytest.mark.parametrize("number", range(2))
def test_hello(parclose_boot, number, worker_id):
    machine = parclose_boot("mything/layout.yaml", timeout=50)
    disk = machine.options.state / "disks" / "nvme0.img"
    assert not any(disk.read_bytes()[:4096])
    disk.write_bytes(b"mine")
    machine.expect("hello from partition")
    with open({str(pytester.path / "seen")!r}, "a") as seen:
        print(worker_id, machine.options.state, machine.target.image, file=seen)
"""
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(pytester.path / "cache"))
        pytester.runpytest_subprocess("-q", "-n", "2", timeout=120).assert_outcomes(passed=2)
    seen = [line.split() for line in (pytester.path / "seen").read_text().splitlines()]
    workers, states, images = zip(*seen, strict=True)
    assert set(workers) == {"gw0", "gw1"} and len(set(states)) == len(set(images)) == 2


def test_unused_the_plugin_imports_two_small_modules(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    words = [sys.executable, "-X", "importtime", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    said = subprocess.run(words, cwd=pytester.path, capture_output=True, text=True, timeout=60, check=True).stderr
    times = re.findall(r"\| +(\d+) \| +(parclose[\w.]*|pexpect|qemu[\w.]*|jinja2|yaml|elftools)$", said, re.MULTILINE)
    names = {name for _, name in times}
    assert names <= {"parclose", "parclose.testing", "parclose.testing.fixtures", "parclose.testing.targets"}
    assert "parclose.testing.fixtures" in names
    assert max(int(microseconds) for microseconds, _ in times) < 100_000  # about 500 on an idle machine

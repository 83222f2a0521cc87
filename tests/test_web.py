# SPDX-License-Identifier: Apache-2.0
"""examples/web: pages by lwIP from two guests, one of which crashes, and a FAT file that the host reads afterwards."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from parclose import emulator, paths, pipeline
from parclose.fetch import Unreachable

LAYOUT = paths.data("examples", "web", "layout.yaml")
ADDRESSES = {"page": "10.0.2.15", "twin": "10.0.2.16"}
START, SIZE = 16 << 20, 16 << 20  # of the logger's extent
CRASHES = 3


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> emulator.Machine:
    """The example, built. Skipped where lwIP cannot be fetched, unless nothing may be skipped."""
    try:
        built = pipeline.build(LAYOUT, tmp_path_factory.mktemp("web") / "out")
    except Unreachable as problem:
        if os.environ.get("PARCLOSE_REQUIRE_QEMU") == "1":
            raise
        pytest.skip(problem.message)
    return emulator.machine(built.system.board, built.image)


def free_ports(count: int) -> list[int]:
    """TCP ports of the host that nobody has now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Servers:
    """The running example as the host sees it."""

    def __init__(self, machine: Any, ports: dict[str, int]) -> None:
        self.machine, self.ports = machine, ports

    def curl(self, name: str, path: str, *words: str, code: int = 0) -> str:
        """What curl prints of `path`; its exit status must be `code`."""
        url = f"http://127.0.0.1:{self.ports[name]}{path}"
        command = ["curl", "-sS", "-m", "20", *words, url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def counter(self, name: str) -> dict[str, int]:
        """The numbers of the page /counter."""
        text = self.curl(name, "/counter", "--fail")
        return {key: int(number) for key, number in re.findall(r"(?m)^([a-z ]+) (\d+)$", text)}

    def raw(self, name: str, *pieces: bytes) -> bytes:
        """The whole answer to a request that is sent in pieces, a segment each."""
        with socket.create_connection(("127.0.0.1", self.ports[name]), timeout=20) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(0.02)
            answer = b""
            while part := connection.recv(4096):
                answer += part
            return answer

    def end(self) -> None:
        """Both servers end, and the logger after them."""
        for name in ADDRESSES:
            assert self.curl(name, "/end", "--fail") == f"partition {name} ends\n"
        self.machine.finish()


Start = Callable[..., Servers]


@pytest.fixture
def start(parclose_boot: Callable[..., Any], target: emulator.Machine) -> Iterator[Start]:
    """A function that boots the example and waits until both servers serve."""

    def boot(what: emulator.Machine = target, **settings: Any) -> Servers:
        ports = dict(zip(ADDRESSES, free_ports(2), strict=True))
        forwards = [f"hostfwd=tcp:127.0.0.1:{ports[name]}-{ip}:80" for name, ip in ADDRESSES.items()]
        networks = {"nic0": ",".join(["user", *forwards])}
        machine = parclose_boot(what, networks=networks, timeout=90, **settings)
        for _ in ADDRESSES:  # in whatever order
            machine.expect(r"10\.0\.2\.1[56] serves pages; life 1")
        return Servers(machine, ports)

    yield boot


@pytest.fixture
def servers(start: Start) -> Servers:
    return start()


def test_the_report_names_what_was_fetched_and_its_licence(target: emulator.Machine) -> None:
    partitions = (Path(target.image).parent / "report.txt").read_text().split("\npartition ")
    told = [part.split(",")[0] for part in partitions if "lwip_2.1.3+dfsg1.orig.tar.xz, BSD-3-Clause" in part]
    assert told == ["page", "twin"]


def test_pages_and_a_live_counter(servers: Servers) -> None:
    for name in ADDRESSES:
        page = servers.curl(name, "/", "--fail")
        assert f"This page comes from partition {name}" in page and page.endswith("</script>\n")
        before = servers.counter(name)
        time.sleep(0.3)
        after = servers.counter(name)
        assert after["ticks"] > before["ticks"] and after["requests"] == before["requests"] + 1
    head = servers.curl("page", "/counter", "-i")
    assert "Connection: close" in head
    assert int(head.split("Content-Length: ")[1].split()[0]) == len(head.replace("\r\n", "\n").split("\n\n", 1)[1])
    assert servers.curl("page", "/nothing", "-w", "%{http_code}") == "404 Not Found404"
    servers.end()
    assert [servers.machine.end(name).status for name in (*ADDRESSES, "logger")] == [0, 0, 0]


def test_clients_that_are_slow_wrong_or_many(servers: Servers) -> None:
    """Whoever says nothing, half of it or nonsense has a place for a while; the others are answered meanwhile."""
    request = b"GET /counter HTTP/1.1\r\nHost: page\r\n\r\n"
    assert servers.raw("page", *(request[at : at + 1] for at in range(len(request)))).startswith(b"HTTP/1.1 200 OK")
    for wrong in (b"POST / HTTP/1.1\r\n\r\n", b"\r\n\r\n", b"GET /\r\n\r\n", b"\0" * 99 + b"\r\n\r\n"):
        assert servers.raw("page", wrong).startswith(b"HTTP/1.1 400 ")
    assert servers.raw("page", b"GET / HTTP/1.1\r\nX: " + b"x" * 1100).startswith(b"HTTP/1.1 431 ")
    silent = [socket.create_connection(("127.0.0.1", servers.ports["page"])) for _ in range(8)]
    silent[0].sendall(b"GET /")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: servers.curl("page", "/", "--fail"), range(32)))
    assert all(answer.endswith("</script>\n") for answer in answers)
    for each in silent:
        each.close()
    servers.end()


def counters_while_computing(servers: Servers) -> list[dict[str, int]]:
    """What /counter says while a task of the page's computes, which does not wait before it is ready."""
    assert servers.curl("page", "/compute", "--fail") == "partition page computes\n"
    found = [servers.counter("page")]
    while found[-1]["computations"] == 0:
        found.append(servers.counter("page"))
    return [counter for counter in found if counter["computing"]]


def test_a_task_that_never_waits_is_preempted(servers: Servers) -> None:
    found = counters_while_computing(servers)
    assert len(found) >= 2 and found[-1]["ticks"] > found[0]["ticks"]
    servers.end()


def test_without_looks_at_the_clock_it_is_not(start: Start, tmp_path: Path) -> None:
    """The control of the test above: nobody else of this partition runs until it is ready."""
    copy = Path(shutil.copytree(LAYOUT.parent, tmp_path / "web")) / "layout.yaml"
    text = copy.read_text()
    assert text.count("      cflags: ") == 1
    copy.write_text(re.sub("      cflags: .*\n", "", text))
    built = pipeline.build(copy, tmp_path / "out")
    servers = start(emulator.machine(built.system.board, built.image))
    assert counters_while_computing(servers) == []
    servers.end()


def test_one_is_crashed_and_the_other_answers_without_a_gap(servers: Servers) -> None:
    times: list[float] = []
    with ThreadPoolExecutor(1) as pool:
        crashing = pool.submit(crash_again_and_again, servers)
        while not crashing.done():
            begun = time.monotonic()
            assert "life 1" in servers.curl("twin", "/counter", "--fail")
            times.append(time.monotonic() - begun)
        crashing.result()
    assert len(times) > CRASHES
    print(f"{CRASHES} crashes of page; {len(times)} pages of twin meanwhile, the slowest after {max(times):.2f} s")
    assert servers.counter("page")["life"] == CRASHES + 1
    servers.end()
    assert (servers.machine.end("page").faults, servers.machine.end("twin").faults) == (CRASHES, 0)


def crash_again_and_again(servers: Servers) -> None:
    for number in range(1, CRASHES + 1):
        servers.curl("page", "/crash", code=52)  # "Empty reply from server"
        stopped = servers.machine.wait_event(event="stopped", partition="page")
        assert (stopped["vector"], stopped["address"]) == (14, "0x10")
        servers.machine.expect(rf"10\.0\.2\.15 serves pages; life {number + 1}\.")
        assert servers.counter("page")["life"] == number + 1


def extent(disk: Path, folder: Path) -> Path:
    """The logger's part of the disk, as a file of its own: what a host would see of a whole disk or partition."""
    with open(disk, "rb") as whole:
        whole.seek(START)
        data = whole.read(SIZE)
    (folder / "extent.img").write_bytes(data)
    return folder / "extent.img"


def fsck(volume: Path) -> int:
    """How fsck.fat of dosfstools ends: 0 where nothing is wrong. It changes nothing."""
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    return subprocess.run(["fsck.fat", "-n", volume], capture_output=True, env=environment, check=False).returncode


def text_of(volume: Path) -> str:
    done = subprocess.run(["mtype", "-i", volume, "::LOG.TXT"], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_host_reads_what_the_logger_wrote(start: Start, tmp_path: Path) -> None:
    """Once, and once more on the same disk; a table that somebody changed is noticed by the same look."""
    disk = tmp_path / "nvme0.img"
    with open(disk, "wb") as file:
        file.truncate(64 << 20)
    lines: list[str] = []
    for _ in range(2):
        servers = start(disks={"nvme0": disk})
        for _ in range(3):
            servers.counter("page")
            time.sleep(0.3)
        servers.end()
        assert servers.machine.end("logger").status == 0
        volume = extent(disk, tmp_path)
        assert fsck(volume) == 0
        told = [
            re.sub(r"^logger\| ", "", line.strip()) for line in re.findall(r"logger\| \w+: life.*", servers.machine.log)
        ]
        assert len(told) >= 4  # two begun, two ended
        lines += told
        assert [line.split(" ms  ")[1] for line in text_of(volume).splitlines()] == lines
    data = bytearray(volume.read_bytes())
    data[512 + 2 * 2] ^= 0xFF  # where the first cluster's successor stands
    volume.write_bytes(data)
    assert fsck(volume) != 0


def test_a_disk_with_something_else_on_it_is_left_alone(start: Start, tmp_path: Path) -> None:
    disk = tmp_path / "nvme0.img"
    with open(disk, "wb") as file:
        file.truncate(64 << 20)
        file.seek(START)
        file.write(b"somebody's data")
    before = disk.read_bytes()
    servers = start(disks={"nvme0": disk})
    servers.machine.wait_event(event="ended", partition="logger", status=1)
    assert servers.counter("page")["life"] == 1  # without its logger too
    servers.end()
    assert disk.read_bytes() == before


@pytest.mark.slow
def test_the_demo_is_right_from_end_to_end(target: emulator.Machine, tmp_path: Path) -> None:
    words = [sys.executable, str(LAYOUT.parent / "demo.py")]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    for text in ("Empty reply from server", "life 2", "without an error", "as it should be"):
        assert text in done.stdout

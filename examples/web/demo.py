#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`make demo-web`: boots this example, fetches its pages with curl, crashes one server, and reads the logger's file.

Uses nothing of the tool but its command line. Exit 0 only when everything was as it should be.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = Path("build", "web")
PARCLOSE = str(HERE.parent.parent / ".venv" / "bin" / "parclose")
ADDRESSES = {"page": "10.0.2.15", "twin": "10.0.2.16"}
PATIENCE = 60.0  # seconds until both serve
EMPTY_REPLY = 52  # of curl: the server went away


def main() -> int:
    """The demo, a chapter a line."""
    print("Parclose: two web servers, each with lwIP for its TCP, on one network card; a logger with a FAT file")
    ports = dict(zip(ADDRESSES, free_ports(len(ADDRESSES)), strict=True))
    build()
    with boot(ports) as machine:
        try:
            wrong = [*wait_until_up(machine), *pages(ports), *crash(ports), *end(machine, ports)]
        finally:
            machine.terminate()
    wrong += read_log(OUT / "disks" / "nvme0.img")
    for line in wrong:
        print(f"   WRONG: {line}")
    print("\nEverything was as it should be." if not wrong else f"\n{len(wrong)} things were not as they should be.")
    return 1 if wrong else 0


def free_ports(count: int) -> list[int]:
    """TCP ports of this computer that nobody has now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def build() -> None:
    """Build the image, or leave with the tool's own exit code."""
    done = subprocess.run([PARCLOSE, "build", HERE / "layout.yaml", "-o", OUT])
    if done.returncode:
        sys.exit(done.returncode)


def boot(ports: dict[str, int]) -> subprocess.Popen[str]:
    """The machine, running; its console and what the tool says come out of one pipe."""
    forwards = ",".join(f"hostfwd=tcp:127.0.0.1:{ports[name]}-{ip}:80" for name, ip in ADDRESSES.items())
    words = [PARCLOSE, "run", str(OUT), "--fresh", "--timeout", "120", "--net", f"nic0=user,{forwards}"]
    print(f"\n$ {' '.join(words)}\n", flush=True)
    pipe = subprocess.PIPE
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT, text=True)


def wait_until_up(machine: subprocess.Popen[str]) -> Iterator[str]:
    """Show the console until both serve; then a thread shows what comes later."""
    assert machine.stdout is not None
    up = 0
    for line in machine.stdout:
        print(f"   | {line}", end="", flush=True)
        up += "serves pages" in line
        if up == len(ADDRESSES):
            break
    else:
        yield "the machine ended before both servers served"
    threading.Thread(target=show, args=(machine,), daemon=True).start()


def show(machine: subprocess.Popen[str]) -> None:
    """The rest of the console."""
    assert machine.stdout is not None
    for line in machine.stdout:
        print(f"   | {line}", end="", flush=True)


def curl(port: int, path: str, show_it: bool = True) -> tuple[int, str]:
    """How curl ends, and the page; both shown."""
    words = ["curl", "-sS", "-m", "20", f"http://127.0.0.1:{port}{path}"]
    done = subprocess.run(words, capture_output=True, text=True)
    if show_it:
        print(f"\n$ {' '.join(words)}\n{done.stdout}{done.stderr}", end="", flush=True)
    return done.returncode, done.stdout


def pages(ports: dict[str, int]) -> Iterator[str]:
    """What is wrong with the pages and their counters."""
    for name, port in ports.items():
        if f"comes from partition {name}" not in curl(port, "/", show_it=False)[1]:
            yield f"the page of {name} is not there"
        counts = [re.search(r"ticks (\d+)", curl(port, "/counter")[1]) for _ in range(2)]
        if not all(counts) or len({count[1] for count in counts if count}) != 2:
            yield f"the counter of {name} stands"


def crash(ports: dict[str, int]) -> Iterator[str]:
    """Crash page and, meanwhile, fetch the counter of twin all the time."""
    failed: list[int] = []
    fetched, missed = 0, False
    crashing = threading.Thread(target=lambda: failed.append(curl(ports["page"], "/crash")[0]))
    crashing.start()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        code, text = curl(ports["twin"], "/counter", show_it=False)
        if code or "life 1" not in text:
            missed = True
            yield f"twin did not answer (curl ended with {code})"
            break
        fetched += 1
        if not crashing.is_alive() and "life 2" in curl(ports["page"], "/counter", show_it=False)[1]:
            break
    crashing.join()
    if failed != [EMPTY_REPLY] or "life 2" not in curl(ports["page"], "/counter")[1]:
        yield "page did not crash and come back"
    print(f"\n   meanwhile twin answered {fetched} times{', and then not' if missed else ', without an error'}")


def end(machine: subprocess.Popen[str], ports: dict[str, int]) -> Iterator[str]:
    """Have both servers end, and the logger after them."""
    for port in ports.values():
        curl(port, "/end")
    print(flush=True)
    try:
        machine.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        yield "the machine did not end"


def read_log(disk: Path) -> list[str]:
    """What is wrong with the file that the logger wrote, read by mtools where that is installed."""
    words = ["mtype", "-i", f"{disk}@@16M", "::LOG.TXT"]
    print(f"\n$ {' '.join(words)}", flush=True)
    try:
        text = subprocess.run(words, capture_output=True, text=True).stdout
    except FileNotFoundError:
        print("   (apt-get install mtools, to read it)")
        return []
    print(text, end="")
    missing = [part for part in ("page: life 2", "twin: life 1", "ended") if part not in text]
    return [f"LOG.TXT has no '{part}'" for part in missing]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

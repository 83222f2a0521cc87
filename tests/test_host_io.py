# SPDX-License-Identifier: Apache-2.0
"""Drivers and servers of the I/O partition on the host, under sanitizers, against models of device and monitor."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOST = ROOT / "tests" / "host"
IO = ROOT / "partitions" / "io"
RUNTIME = ROOT / "partitions" / "runtime"

FLAGS = (
    "-std=c17",
    "-D_GNU_SOURCE",
    "-DPARCLOSE_HOST",
    "-O1",
    "-g",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    *(word for folder in (IO, IO / "drivers", RUNTIME, ROOT / "abi", HOST) for word in ("-iquote", str(folder))),
)
DEFINES = {"io_block_fairness": ("-DMODEL_CHANNELS=32u",)}
RINGS = (RUNTIME / "virtqueue.c", RUNTIME / "session.c")
BLOCK = (
    HOST / "io_block_model.c",
    HOST / "io_monitor_model.c",
    IO / "server" / "block_config.c",
    IO / "server" / "block_server.c",
    IO / "server" / "block_intake.c",
    IO / "server" / "block_request.c",
    IO / "server" / "block_turns.c",
    *RINGS,
)
CONSOLE = (
    HOST / "io_console_model.c",
    HOST / "io_monitor_model.c",
    *sorted((IO / "server").glob("console_*.c")),
    *RINGS,
)
NVME = (HOST / "io_nvme_model.c", *sorted((IO / "drivers").glob("nvme*.c")))
AHCI = (HOST / "io_ahci_model.c", *sorted((IO / "drivers").glob("ahci*.c")))
E1000E = (HOST / "io_e1000e_model.c", *sorted((IO / "drivers").glob("e1000e*.c")))
VIRTIO = (HOST / "io_virtio_model.c", IO / "drivers" / "virtio_pci.c", IO / "drivers" / "virtio_queue.c")
VIRTIO_BLK = (*VIRTIO, HOST / "io_virtio_blk_model.c", *sorted((IO / "drivers").glob("virtio_blk*.c")))
NETWORK = (
    HOST / "io_network_model.c",
    HOST / "io_monitor_model.c",
    *sorted((IO / "server").glob("network_*.c")),
    *RINGS,
)

PROGRAMS = {
    "io_nvme": NVME,
    "io_nvme_faults": NVME,
    "io_ahci": AHCI,
    "io_ahci_faults": AHCI,
    "io_e1000e": E1000E,
    "io_e1000e_faults": E1000E,
    "io_virtio_blk": VIRTIO_BLK,
    "io_virtio_blk_faults": VIRTIO_BLK,
    "io_virtio_net": (*VIRTIO, *sorted((IO / "drivers").glob("virtio_net*.c"))),
    "io_uart": (IO / "drivers" / "uart16550.c",),
    "io_gpt": (IO / "gpt.c",),
    "io_block_server": BLOCK,
    "io_block_ranges": BLOCK,
    "io_block_registers": BLOCK,
    "io_block_hostile": BLOCK,
    "io_block_fairness": BLOCK,
    "io_console": CONSOLE,
    "io_console_buffers": CONSOLE,
    "io_console_hostile": CONSOLE,
    "io_network_server": NETWORK,
    "io_network_refusals": NETWORK,
    "io_network_hostile": NETWORK,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_under_sanitizers(name: str, tmp_path: Path) -> None:
    program = tmp_path / name
    sources = [HOST / f"{name}.c", *PROGRAMS[name]]
    made = subprocess.run(
        ["gcc", *FLAGS, *DEFINES.get(name, ()), *sources, "-o", program], capture_output=True, text=True, timeout=120
    )
    assert made.returncode == 0, made.stderr
    done = subprocess.run([program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ok")


def test_the_server_knows_no_register_and_the_drivers_no_client() -> None:
    for source in (IO / "server").iterdir():
        text = source.read_text()
        assert "access.h" not in text and "16550" not in text, source.name
        included = set(re.findall(r'"\.\./drivers/(\w+)\.h"', text))
        assert included <= {"block", "console", "network"}, source.name
    for source in (IO / "drivers").iterdir():
        assert "channel" not in source.read_text().replace("no channel", ""), source.name

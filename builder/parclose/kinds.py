# SPDX-License-Identifier: Apache-2.0
"""The kinds of devices that the built-in I/O partition has a driver for, a line each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Kind:
    """`endpoint`: the key of the endpoints that may stand on such a device. A disk has a `block-size` and a `capacity`.

    `parameters`: what its board must state of it, `options`: what it may (PARAMETER_* in abi/descriptor.h).
    """

    name: str
    endpoint: str
    disk: bool = False
    parameters: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


# Where the structures of a virtio device lie in its BARs.
_VIRTIO = ("bar", "common", "device", "notify", "notify-multiplier")

_KINDS = (
    Kind("nvme", "block", disk=True),
    Kind("ahci", "block", disk=True, options=("port",)),
    Kind("virtio-blk", "block", disk=True, parameters=_VIRTIO, options=("isr",)),
    Kind("e1000e", "network"),
    Kind("virtio-net", "network", parameters=_VIRTIO, options=("isr",)),
    Kind("16550", "console"),
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _KINDS})
OTHER = "other"  # how a board calls a device without a driver of ours


def endpoint_of(kind: str) -> str:
    """The key of endpoints on a device of `kind`; "" where there are none."""
    return KINDS[kind].endpoint if kind in KINDS else ""

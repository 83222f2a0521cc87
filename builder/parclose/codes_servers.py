# SPDX-License-Identifier: Apache-2.0
"""P150 to P159: what one I/O partition serves. title, rule, wrong, right, fix."""

SERVERS = {
    "P150": (
        "a channel to a device too many",
        "the built-in I/O partition drives the first LIMIT_IO_DISKS disks, LIMIT_IO_CARDS cards and LIMIT_IO_LINES "
        "lines of its list (abi/limits.h)",
        "io: {program: {builtin: io}, devices: [nic0, nic1, nic2], …}",
        "io: {program: {builtin: io}, devices: [nic0, nic1], …}\nfar: {program: {builtin: io}, devices: [nic2], …}",
        "Give the rest to a second I/O partition, or list those that no channel leads to last.",
    ),
    "P151": (
        "too many networks without a card",
        "the built-in I/O partition has LIMIT_IO_SWITCHES networks at most, one for each card that it owns among them "
        "(abi/limits.h)",
        "endpoints: {a: {network: none}, b: {network: none}, …}    # nine of them, each with channels",
        "endpoints: {all: {network: none}}    # its channels divided by vlan and talks_to",
        "Divide one network by vlan and talks_to, or begin a second I/O partition.",
    ),
    "P152": (
        "too many channels of one class",
        "the built-in I/O partition serves LIMIT_IO_NETWORK_CHANNELS network channels and LIMIT_IO_CONSOLE_CHANNELS "
        "console channels at most (abi/limits.h)",
        "reader: {count: 40, channels: {tty: io.line, other: io.second}}",
        "reader: {count: 40, channels: {tty: io.line}}",
        "Remove some, or let a second I/O partition serve them.",
    ),
}

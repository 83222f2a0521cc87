# SPDX-License-Identifier: Apache-2.0
"""Ethernet frames with ARP, ICMP and UDP in them, as tests put them on a wire."""

from __future__ import annotations

import struct

ARP, IP = 0x0806, 0x0800
ICMP, UDP = 1, 17
BROADCAST = b"\xff" * 6


def checksum(data: bytes) -> int:
    """RFC 1071. Of bytes that hold their checksum already: 0."""
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def address(text: str) -> bytes:
    """Four bytes of `10.0.2.15`, six of `52:54:00:00:00:0f`."""
    return bytes.fromhex(text.replace(":", "")) if ":" in text else bytes(map(int, text.split(".")))


def ethernet(to: bytes, whence: bytes, kind: int, payload: bytes) -> bytes:
    """A frame, without filling and check sequence."""
    return to + whence + struct.pack(">H", kind) + payload


def arp(operation: int, mac: bytes, ip: bytes, to_mac: bytes, to_ip: bytes) -> bytes:
    """RFC 826, for IPv4 on Ethernet; `operation` 1 asks, 2 answers."""
    return struct.pack(">HHBBH", 1, IP, 6, 4, operation) + mac + ip + to_mac + to_ip


def ipv4(whence: bytes, to: bytes, protocol: int, payload: bytes) -> bytes:
    """RFC 791, without options and fragments."""
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, whence, to)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def icmp_echo(kind: int, payload: bytes) -> bytes:
    """RFC 792; `kind` 8 asks, 0 answers."""
    head = struct.pack(">BBHHH", kind, 0, 0, 1, 1)
    return head[:2] + struct.pack(">H", checksum(head + payload)) + head[4:] + payload


def udp(whence: bytes, to: bytes, ports: tuple[int, int], payload: bytes, begun: bool = False) -> bytes:
    """RFC 768. `begun`: with the sum over the pseudo-header alone, as who leaves the rest to a card does."""
    length = 8 + len(payload)
    pseudo, head = whence + to + struct.pack(">BBH", 0, UDP, length), struct.pack(">HHH", *ports, length)
    whole = checksum(pseudo + head + b"\0\0" + payload) or 0xFFFF
    return head + struct.pack(">H", ~checksum(pseudo) & 0xFFFF if begun else whole) + payload

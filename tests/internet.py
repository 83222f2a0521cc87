# SPDX-License-Identifier: Apache-2.0
"""Frames of a station at the far end of a wire: ARP, ICMP echo and UDP over Ethernet."""

from __future__ import annotations

import struct

ARP, IP = 0x0806, 0x0800
ICMP, UDP = 1, 17
HOST_MAC, HOST_IP = bytes.fromhex("0200000000ee"), bytes([10, 0, 2, 2])
EVERYONE = b"\xff" * 6


def checksum(data: bytes, start: int = 0) -> int:
    """RFC 1071's sum of `data`."""
    data += b"\0" * (len(data) % 2)
    total = start + sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(to: bytes, kind: int, payload: bytes, source: bytes = HOST_MAC) -> bytes:
    """A frame, filled up to the shortest that a wire carries."""
    return (to + source + struct.pack(">H", kind) + payload).ljust(60, b"\0")


def who_has(address: bytes) -> bytes:
    """An ARP request for an IP address."""
    words = struct.pack(">HHBBH", 1, IP, 6, 4, 1)
    return ethernet(EVERYONE, ARP, words + HOST_MAC + HOST_IP + bytes(6) + address)


def _ip(protocol: int, to: bytes, payload: bytes) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0) + HOST_IP + to
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ping(mac: bytes, to: bytes, number: int, data: bytes) -> bytes:
    """An ICMP echo request."""
    head = struct.pack(">BBHHH", 8, 0, 0, 0x1234, number)
    sum_ = checksum(head + data)
    return ethernet(mac, IP, _ip(ICMP, to, head[:2] + struct.pack(">H", sum_) + head[4:] + data))


def udp(mac: bytes, to: bytes, data: bytes, port: int = 4000) -> bytes:
    """A UDP datagram to port 7."""
    length = 8 + len(data)
    head = struct.pack(">HHHH", port, 7, length, 0)
    sum_ = checksum(HOST_IP + to + struct.pack(">BBH", 0, UDP, length) + head + data)
    return ethernet(mac, IP, _ip(UDP, to, head[:6] + struct.pack(">H", sum_ or 0xFFFF) + data))


def answer_of(frame: bytes) -> tuple[int, bytes, bytes] | None:
    """Protocol, sender's IP address and data of an echo answer; None for anything else, and for a wrong checksum."""
    if frame[:6] != HOST_MAC or frame[12:14] != b"\x08\x00" or checksum(frame[14:34]):
        return None
    (length,) = struct.unpack(">H", frame[16:18])
    inside, source = frame[34 : 14 + length], frame[26:30]
    if frame[23] == ICMP:
        return None if checksum(inside) or inside[0] else (ICMP, source, inside[6:])
    pseudo = source + frame[30:34] + struct.pack(">BBH", 0, UDP, len(inside))
    return None if checksum(pseudo + inside) else (UDP, source, inside[8:])

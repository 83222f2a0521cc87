# SPDX-License-Identifier: Apache-2.0
"""The layouts in which promises are attacked. GUESTS stands for the folder of the hostile programs."""

from __future__ import annotations

_HEAD = """# SPDX-License-Identifier: Apache-2.0
layout: 1
board: qemu-q35
partitions:
"""

_IO = """  io:
    program: {builtin: io}
    devices: [nvme0, com1]
    dma: trusted
    endpoints:
      first: {block: nvme0, start: 0, size: 1 MiB}
      second: {block: nvme0, start: 1 MiB, size: 1 MiB}
      line: {console: com1}
"""

_ATTACKER = """  attacker:
    program: {{sources: [GUESTS/{guest}]{define}}}
    debug: true
    config: [targets.bin]
    health: {{fault: {{do: restart, limit: none}}}}
"""

_VICTIM = """  victim:
    program: {sources: [GUESTS/victim.c]}
"""

_HOLDER = """  holder:
    program: {sources: [GUESTS/holder.c]}
"""

_BEAT = """regions:
  beat: {size: 4 KiB, write: holder, read: [attacker]}
"""

_SERVED = """  server:
    program: {{sources: [GUESTS/{guest}]}}
    debug: true
    devices: [nvme0]
    dma: trusted
    health: {{fault: restart}}
    endpoints:
      first: {{block: nvme0, start: 0, size: 1 MiB}}
      second: {{block: nvme0, start: 1 MiB, size: 1 MiB}}
  client:
    program: {{sources: [GUESTS/confessing_client.c], define: {{END: {end}}}}}
    health: {{fault: restart}}
    channels: {{disk: {channel}}}
  neighbour:
    program: {{sources: [GUESTS/confessing_client.c], define: {{END: WAITS}}}}
    channels: {{disk: server.second}}
"""

CLIENT_CONVERTS = (
    _HEAD
    + _IO
    + """  attacker:
    program: {sources: [GUESTS/convert_endpoint.c]}
    debug: true
    devices: [com2]
    endpoints: {line: {console: com2}}
    channels: {disk: io.first}
  victim:
    program: {sources: [GUESTS/victim.c]}
    channels: {line: attacker.line}
"""
)

RELEASES = (
    _HEAD
    + """  server:
    program: {sources: [GUESTS/holds_one.c]}
    debug: true
    devices: [nvme0]
    dma: trusted
    endpoints:
      first: {block: nvme0, start: 0, size: 1 MiB}
  attacker:
    program: {sources: [GUESTS/release_end.c]}
    debug: true
    channels: {disk: server.first}
"""
)

TRIO = (
    _HEAD
    + """  one:
    program: {sources: [GUESTS/signals.c], define: {STRICT: 0}}
    debug: true
    channels: {feed: {to: two, data: 4 KiB}}
  two:
    program: {sources: [GUESTS/answers.c]}
  three:
    program: {sources: [GUESTS/signals.c], define: {STRICT: 1}}
    channels: {talk: {to: four, data: 4 KiB}}
  four:
    program: {sources: [GUESTS/answers.c]}
"""
)

_OWNER = """  attacker:
    program: {{sources: [GUESTS/{guest}]}}
    debug: true
    devices: [nvme0]
    dma: trusted
    config: [targets.bin]
    health: {{fault: {{do: restart, limit: none}}}}
    endpoints:
      first: {{block: nvme0, start: 0, size: 1 MiB}}
"""

_SERVES = """
    devices: [nvme0]
    dma: trusted
    endpoints: {extent: {block: nvme0, start: 0, size: 1 MiB}}"""

_THEFT = """  io:
    program: {{builtin: io}}
    devices: [com1]
    endpoints: {{line: {{console: com1}}}}
  attacker:
    program: {{sources: [GUESTS/theft.c], define: {{WAY: {way}}}}}
    debug: true
    health: {{fault: {{do: restart, limit: none}}}}{more}
  victim:
    program: {{sources: [GUESTS/theft_victim.c]}}
    debug: true
  listener:
    program: {{sources: [GUESTS/victim.c]}}{client}
regions:
  measured: {{size: 4 KiB, write: victim, read: [attacker]}}
schedule:
  cpu0:
    - {{for: 200 us, run: [attacker]}}
    - {{for: 200 us, run: [{{attacker: 20 us}}, victim]}}
    - {{for: 100 us, run: [listener]}}
    - {{for: 100 us, run: [io]}}
"""

OVERWRITTEN = (
    _HEAD
    + _OWNER.format(guest="dma_trusted.c")
    + """  victim:
    program: {sources: [GUESTS/dma_victim.c]}
    debug: true
"""
)

TIMED = (
    _HEAD
    + """  secretive:
    program: {{sources: [GUESTS/timing_secret.c], define: {{SECRET: {secret}}}}}
  attacker:
    program: {{sources: [GUESTS/timing_spy.c]}}
    debug: true
schedule:
  cpu0:
    - {{for: 200 us, run: [{{secretive: 150 us}}, attacker]}}
    - {{for: 100 us, run: [_io]}}
"""
)

PASSED_ON = (
    _HEAD
    + """  speaker:
    program: {sources: [GUESTS/passed_on.c]}
"""
)

DISK_OF_TWO = (
    _HEAD
    + _IO
    + """  attacker:
    program: {sources: [GUESTS/beyond.c]}
    debug: true
    channels: {disk: io.first}
  victim:
    program: {sources: [GUESTS/victim.c]}
    channels: {disk: io.second}
"""
)

SWAPPED = (
    _HEAD
    + _IO
    + """  attacker:
    program: {sources: [GUESTS/swapped.c]}
    debug: true
    channels: {disk: io.first}
  victim:
    program: {sources: [GUESTS/swapped.c]}
    debug: true
    channels: {disk: io.second}
"""
)


def duel(guest: str, define: str = "", disk: bool = False) -> str:
    """The attacker, a victim, and what every layout has: the manager and an I/O partition, `disk`: one with a disk."""
    attacker = _ATTACKER.format(guest=guest, define=f", define: {{{define}}}" if define else "")
    return _HEAD + (_IO if disk else "") + attacker + _VICTIM


def owner(guest: str) -> str:
    """The attacker owns a disk controller of its own."""
    return _HEAD + _OWNER.format(guest=guest) + _VICTIM


def theft(way: str) -> str:
    """The attacker before the victim in the victim's frame, with a budget, and alone in one of its own."""
    more = "\n    channels: {bell: {to: listener, data: 4 KiB}}" if way in ("SIGNALS", "LAST") else ""
    if way == "STORMS":
        more = "\n    devices: [com2]"
    if way == "CONVERTS":
        more = _SERVES
    client = "\n    channels: {disk: attacker.extent}" if way == "CONVERTS" else ""
    return _HEAD + _THEFT.format(way=way, more=more, client=client)


def chained(guest: str, way: str = "0") -> str:
    """Two clients of one I/O partition, each with an extent of its disk: one hostile, one that wants to be served."""
    attacker = f"""  attacker:
    program: {{sources: [GUESTS/{guest}], define: {{WAY: {way}}}}}
    debug: true
    channels: {{disk: io.first}}
"""
    victim = """  victim:
    program: {sources: [GUESTS/disk_victim.c]}
    debug: true
    channels: {disk: io.second}
"""
    return _HEAD + _IO + attacker + victim


def on_disk(guest: str, endpoint: str, way: str = "0") -> str:
    """The attacker alone on an endpoint of the disk; the victim has none."""
    io = f"""  io:
    program: {{builtin: io}}
    devices: [nvme0, com1]
    dma: trusted
    endpoints:
      own: {endpoint}
      line: {{console: com1}}
"""
    attacker = f"""  attacker:
    program: {{sources: [GUESTS/{guest}], define: {{WAY: {way}}}}}
    debug: true
    channels: {{disk: io.own}}
"""
    return _HEAD + io + attacker + _VICTIM


def killed(way: str) -> str:
    """A client and its server, each with a new life after a fault."""
    io = _IO.replace("dma: trusted", "dma: trusted\n    health: {fault: restart}")
    attacker = f"""  attacker:
    program: {{sources: [GUESTS/in_flight.c], define: {{WAY: {way}}}}}
    debug: true
    health: {{fault: {{do: restart, limit: none}}}}
    channels: {{disk: io.first}}
"""
    return _HEAD + io + attacker + _VICTIM


def spied(guest: str, define: str = "") -> str:
    """The attacker after one that keeps a secret in every register and counts in a region while it runs."""
    attacker = _ATTACKER.format(guest=guest, define=f", define: {{{define}}}" if define else "")
    return _HEAD + _HOLDER + attacker + _BEAT


def served(guest: str, end: str = "WAITS", channel: str = "server.first") -> str:
    """A hostile server with two clients, each with an extent of one disk; `end` is what the first does at last."""
    return _HEAD + _SERVED.format(guest=guest, end=end, channel=channel)


def shared_frame(guest: str) -> str:
    """The attacker in one frame with one that never waits: what the first leaves, the second gets at once."""
    schedule = """schedule:
  cpu0:
    - {for: 2 ms, run: [{attacker: 1 ms}, holder]}
    - {for: 1 ms, run: [_io]}
"""
    return spied(guest) + schedule

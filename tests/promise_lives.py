# SPDX-License-Identifier: Apache-2.0
"""Promises about ends of lives with requests in flight: a client's, its server's, both at once."""

from __future__ import annotations

from promise_channels import SLOW_DISK
from promise_kit import Patch, Promise, Run
from promise_layouts import SWAPPED, killed
from promise_processor import finished
from promise_targets import ATTACKER, Target
from promise_verdicts import INVALID_OPCODE, Verdict, escaped_some, nobody_escaped

# The server's first life ends when the device has begun with what the attacker asks for, and most is still to come.
_SERVER_DIES = Patch(
    "io/server/block_server.c",
    "  for (uint32_t i = 0; i < count; i++)\n    complete(server, &completion[i]);",
    "  if (calls_life() == 1 && count && server->device->depth - server->device->free >= 8)\n"
    "    __builtin_trap();\n"
    "  for (uint32_t i = 0; i < count; i++)\n    complete(server, &completion[i]);",
)
# Its next one takes its time before it resets the device, which goes on meanwhile.
_SERVER_IS_SLOW = Patch(
    "io/main.c",
    "  devices_open(page);",
    "  for (uint64_t end = calls_now() + calls_ticks(250000000); calls_life() > 1 && calls_now() < end;)\n"
    "    calls_wait(end, &events);\n"
    "  devices_open(page);",
)


def _lives(*stopped: tuple[str, int]) -> Verdict:
    """Exactly these ended by their fault, whoever first; nothing of their first lives came late, and all is well."""

    def judge(run: Run, targets: list[Target]) -> str:
        nobody_escaped(run)
        assert len(run.lines("attempting")) == 1, (run.debug, run.events)
        assert run.lines("fair") == ["fair 0"] * 2, (run.debug, run.events, run.console)
        stops = [(each["partition"], each["life"]) for each in run.of("stopped")]
        assert sorted(stops) == sorted(stopped), run.events
        assert {each["vector"] for each in run.of("stopped")} == {INVALID_OPCODE}, run.events
        assert [each["status"] for each in run.of("ended", ATTACKER)] == [0] and not run.of("refused"), run.events
        if (ATTACKER, 1) in stopped:
            assert run.of("draining", ATTACKER), run.events
            return "the client starts again only when the device has nothing more of its last life"
        (line,) = run.lines("lost")
        assert int(line.split()[1]) >= 8, line
        return f"{line.split()[1]} requests lost, and the device had been reset before the client heard of it"

    return judge


# Takes the attacker's channel for the next one, which is the victim's, and believes every life.
_SERVER_SWAPS = (
    Patch(
        "io/server/block_server.c",
        ".index = descriptor->index,",
        ".index = descriptor->index + (descriptor->peer[0] == 'a'),",
    ),
    Patch(
        "io/calls.c",
        "LIVE_LIFE(word) == life_number",
        "(LIVE_LIFE(word) - life_number) << (32 - CHANNEL_LIFE_SHIFT) == 0",
    ),
)


def _is_refused(run: Run, targets: list[Target]) -> str:
    """The attacker's read came to nothing, and nothing came to the victim."""
    nobody_escaped(run)
    assert len(run.lines("attempting")) == 1 and run.lines("result") in (["result 2"], ["result 4"]), run.debug
    assert [each["status"] for each in run.of("ended", "victim")] == [0] and not run.of("stopped"), run.events
    return "no conversion: the life is not one of that channel's"


LIVES = (
    Promise(
        "swapped",
        "a server that takes one client's channel for another's moves no data",
        "swapped.c",
        SWAPPED,
        "channel-life",
        _is_refused,
        escaped_some,
        partitions=_SERVER_SWAPS,
        needs_disk=True,
        done=lambda run: bool(run.of("ended", "victim") and run.of("ended", ATTACKER)),
    ),
    Promise(
        "killed-client",
        "what a killed client left in flight never lands in its next life",
        "in_flight.c",
        killed("CLIENT"),
        "in-flight",
        _lives((ATTACKER, 1)),
        escaped_some,
        done=finished,
        extra=SLOW_DISK,
    ),
    Promise(
        "killed-server",
        "what a killed server left in flight never lands after its client was told that it is lost",
        "in_flight.c",
        killed("SERVER"),
        "reset-first",
        _lives(("io", 1)),
        escaped_some,
        partitions=(_SERVER_DIES,),
        done=finished,
        extra=SLOW_DISK,
    ),
    Promise(
        "killed-both",
        "what a killed client and its killed server left in flight never lands in the client's next life",
        "in_flight.c",
        killed("BOTH"),
        "counts-stay",
        _lives((ATTACKER, 1), ("io", 1)),
        escaped_some,
        partitions=(_SERVER_DIES, _SERVER_IS_SLOW),
        done=finished,
        extra=SLOW_DISK,
    ),
)

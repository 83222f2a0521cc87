# SPDX-License-Identifier: Apache-2.0
"""Every promise, its attack and its control."""

from __future__ import annotations

import promise_special as special
from promise_channels import CHANNELS
from promise_console import CONSOLE
from promise_devices import DEVICES
from promise_disk import DISK
from promise_kit import Patch, Promise, Run
from promise_layouts import CLIENT_CONVERTS, DISK_OF_TWO, RELEASES, TRIO, duel, served, shared_frame, spied
from promise_lives import LIVES
from promise_processor import PROCESSOR
from promise_targets import ATTACKER
from promise_time import TIME
from promise_verdicts import (
    GENERAL_PROTECTION,
    INVALID_OPCODE,
    Verdict,
    escaped,
    escaped_some,
    faults,
    granted,
    nothing_found,
    page_faults,
    panicked,
    panicked_or_escaped,
    statuses,
)

# What cannot be attacked here, or has its control elsewhere, and why; printed under the table.
UNPROVEN = (
    "SYSRET to a non-canonical address: under TCG it faults in ring 3, so no control can succeed. No page at or above "
    "USER_END_ADDRESS is mapped for ring 3, so no SYSCALL instruction stands at the edge.",
    "SYSENTER: this emulator's processor has none in 64-bit mode (#UD), with or without SYSENTER_CS.",
    "A far return or IRET, to the monitor's code segment or to set RF: this emulator reads their stack with the rights "
    "of ring 0, so with SMAP on they end in a page fault of their own (error 0x1).",
    "ICEBP: this emulator's processor has none (#UD). Breakpoints: nobody sets one (debug registers, under 'privileged "
    "instructions' above). This emulator holds back no trap in the shadow of MOV SS.",
    "Flags carried into the monitor by an interrupt: it is entered by the same lines as an exception, whose control is "
    "'no flag of a faulting program' above.",
    "Non-canonical addresses: the processor refuses them itself, whatever page tables say, so no control can succeed.",
    "A translation that survives a switch because its page is global: this emulator drops those too when CR3 is "
    "loaded. The audit of the finished tables sees to it that no page of a partition is global.",
    "RDPMC: this emulator's processor has no counters (#UD in ring 0), so the control cannot succeed.",
)


def _finished(run: Run) -> bool:
    """Whether the attacker has ended, or was stopped for good."""
    return bool(run.of("ended", ATTACKER)) or any(each["then"] == "stop" for each in run.of("stopped", ATTACKER))


def _finished_or_escaped(run: Run) -> bool:
    return _finished(run) or bool(run.lines("escaped"))


def _reach(name: str, promise: str, guest: str, targets: str, error: int, planted: str = "") -> Promise:
    """An access to each target of a set."""
    return Promise(
        name=name,
        promise=promise,
        guest=guest,
        layout=duel(guest, disk=targets == "registers_outside"),
        planted=planted or name,
        targets=targets,
        attack=page_faults(error),
        control=escaped(),
        done=_finished,
    )


def _deeds(
    name: str, promise: str, guest: str, planted: str, attack: Verdict, control: Verdict, define: str = ""
) -> Promise:
    """Deeds of an attacker beside a victim."""
    layout = duel(guest, define)
    return Promise(name, promise, guest, layout, planted, attack, control, done=_finished)


def _wild(name: str, promise: str, guest: str, planted: str, attack: Verdict, control: Verdict) -> Promise:
    """Calls with wild arguments."""
    return Promise(name, promise, guest, duel(guest), planted, attack, control, done=_finished)


def _conversion(name: str, promise: str, count: int, fair: int = 1, planted: str = "", **how: str) -> Promise:
    """A conversion that a hostile server has no right to."""
    guest = name.replace("-", "_") + ".c"
    return Promise(
        name=name,
        promise=promise,
        guest=guest,
        layout=served(guest, **how),
        planted=planted or name,
        attack=statuses(count, fair),
        control=granted,
        done=lambda run: bool(run.of("ended", "server")),
    )


def _spy(name: str, promise: str, guest: str, define: str = "") -> Promise:
    """Looks for another's register contents."""
    layout, planted = spied(guest, define), f"switch-{name.removeprefix('leftover-')}"
    return Promise(name, promise, guest, layout, planted, nothing_found, escaped_some, done=_finished_or_escaped)


def _manager(name: str, promise: str, planted: str, attack: Verdict, control: Verdict) -> Promise:
    """A hostile manager in place of the real one."""
    guest = name.replace("-", "_") + ".c"
    files = (
        Patch("manager/manager.c", source=guest),
        Patch("manager/manager_hostile.h", source="manager_hostile.h"),
    )
    return Promise(name, promise, guest, TRIO, planted, attack, control, partitions=files)


_IO_WITHOUT_CHECK = Patch(
    "io/server/block_request.c",
    "  return request->offset + length > request->offset || wrong(request, COUNT_OUTSIDE_EXTENT);",
    "  return true;",
)

_MEMORY = (
    _reach("neighbour-read", "no partition reads another's memory", "read.c", "partitions", 4),
    _reach("neighbour-write", "no partition writes another's memory", "write.c", "partitions", 6),
    _reach("neighbour-execute", "no partition executes another's memory", "execute.c", "returns_of_partitions", 0x14),
    _reach("monitor-read", "no partition reads the monitor", "read.c", "monitor", 5),
    _reach("monitor-write", "no partition writes the monitor", "write.c", "monitor", 7),
    _reach("monitor-execute", "no partition executes the monitor", "execute.c", "returns_of_monitor", 0x15),
    _reach("database-read", "no guest reads the resource database", "read.c", "database", 5),
    _reach("database-write", "no guest writes the resource database", "write.c", "database", 7),
    _reach("database-execute", "no guest executes the resource database", "execute.c", "return_in_database", 0x15),
    _reach("own-text", "a program cannot change its own text", "write.c", "own_text", 7),
    _reach("own-data", "a program cannot execute its own data", "execute.c", "own_data", 0x15),
    _reach("read-only-execute", "a program cannot execute what it is told", "execute.c", "returns_in_read_only", 0x15),
    _reach(
        "written-execute",
        "a program cannot execute its stack or its call page",
        "execute_written.c",
        "own_writable",
        0x15,
    ),
    _reach("guard-pages", "a stack that overflows meets an unmapped page", "write.c", "around_stack", 6),
    _reach("read-only", "descriptor page, clock and configuration are read-only", "write.c", "read_only", 7),
    _reach("registers-read", "nobody reads a device's registers but its owner", "read.c", "registers_outside", 4),
    _reach("registers-write", "nobody writes a device's registers but its owner", "write.c", "registers_outside", 6),
    _reach("apic-read", "no partition reads the interrupt controllers", "read.c", "registers_monitor", 5),
    _reach("apic-write", "no partition writes the interrupt controllers", "write.c", "registers_monitor", 7),
)

_PRIVILEGE = (
    _deeds(
        "privileged",
        "privileged instructions fault",
        "privileged.c",
        "ring-3",
        faults(GENERAL_PROTECTION, [0] * 27),
        escaped(27),
    ),
    _deeds(
        "tables",
        "nobody learns where the processor's tables are",
        "tables.c",
        "umip",
        faults(GENERAL_PROTECTION, [0] * 5),
        escaped(5),
    ),
    _deeds(
        "msr",
        "no partition reads or writes model-specific registers",
        "registers.c",
        "ring-3",
        faults(GENERAL_PROTECTION, [0] * 22),
        escaped(22),
    ),
    _deeds(
        "selectors",
        "no partition loads the monitor's segments",
        "selectors.c",
        "ring-3",
        faults(GENERAL_PROTECTION, [8, 16]),
        escaped(2),
    ),
    _deeds(
        "halt",
        "no partition halts the processor",
        "halt.c",
        "ring-3",
        faults(GENERAL_PROTECTION, [0]),
        panicked("vec 0x00000000000000f0"),
    ),
    _deeds(
        "ports",
        "no partition reaches a port that it was not given",
        "ports.c",
        "ports",
        faults(GENERAL_PROTECTION, [0] * 26),
        escaped(26),
    ),
    Promise(
        "interrupts-off",
        "no partition turns interrupts off",
        "interrupts_off.c",
        spied("interrupts_off.c"),
        "io-privilege",
        special.stays_interruptible,
        escaped(2),
        done=_finished,
    ),
    _deeds(
        "fault-on-stack",
        "a fault is taken on the monitor's stack",
        "fault_on_stack.c",
        "ring-3",
        faults(INVALID_OPCODE, [0] * 4),
        panicked("vec 0x0000000000000008"),
    ),
)

_CALLS = (
    _wild(
        "call-stack",
        "a call uses no stack of the caller",
        "stack_pointer.c",
        "entry-stack",
        statuses(6),
        panicked("vec 0x000000000000000d"),
    ),
    Promise(  # a preempted partition comes next, so that the monitor leaves by IRET
        "call-flags",
        "no flag of the caller reaches the monitor",
        "flags.c",
        shared_frame("flags.c"),
        "flag-mask",
        statuses(5),
        panicked("vec 0x000000000000000d"),
        done=_finished,
    ),
    _wild(
        "call-index",
        "a call names the caller's own descriptors only",
        "calls_index.c",
        "index-bound",
        statuses(140),
        granted,
    ),
    _wild(
        "call-device",
        "a call names the caller's own devices only",
        "calls_index.c",
        "device-bound",
        statuses(140),
        granted,
    ),
    _wild(
        "call-number",
        "a number that is no call is none, whatever its arguments",
        "calls_number.c",
        "number-bound",
        statuses(39, fair=3),
        panicked_or_escaped,
    ),
    _wild(
        "call-role",
        "another role's calls do not exist",
        "calls_role.c",
        "role-table",
        statuses(48),
        granted,
    ),
)

_CONVERSION = (
    _conversion("convert-wrap", "no conversion wraps around", 2),
    _conversion("convert-span", "no conversion leaves a region of the client", 12),
    _conversion("convert-length", "no conversion of no bytes", 3),
    _conversion("convert-direction", "no conversion in both directions, or in none", 5),
    _conversion("convert-right", "no conversion lacks the right of the region", 2),
    _conversion(
        "convert-write", "no conversion lacks the right of the channel", 1, channel="{to: server.first, access: read}"
    ),
    _conversion("convert-extent", "no conversion leaves the endpoint's extent", 4),
    _conversion("convert-unaligned", "no conversion of a part of a disk's block", 5),
    _conversion("convert-stopped", "no conversion for a stopped client", 1, end="EXITS"),
    _conversion("convert-draining", "no conversion for a client whose channel drains", 2, end="EXITS"),
    _conversion("convert-stale", "no conversion for another life of the client", 3, end="FAULTS"),
    _conversion(
        "convert-quota", "no more conversions in flight than the quota", 3, 0, channel="{to: server.first, quota: 2}"
    ),
    _conversion("serve-batch", "no batch is longer than the call page", 5, planted="batch-bound"),
    _conversion("release-count", "no more is released than is in flight", 6),
    Promise(
        "serve-index",
        "a server names its own channels only",
        "serve_index.c",
        served("serve_index.c"),
        "serve-bound",
        statuses(78, attempts=26),
        granted,
        done=lambda run: bool(run.of("ended", "server")),
    ),
    Promise(
        "convert-endpoint",
        "only the server of an endpoint converts",
        "convert_endpoint.c",
        CLIENT_CONVERTS,
        "convert-endpoint",
        statuses(4),
        granted,
        done=_finished,
    ),
    Promise(
        "release-end",
        "only a server releases conversions",
        "release_end.c",
        RELEASES,
        "release-end",
        special.keeps_what_is_in_flight,
        special.loses_what_is_in_flight,
        done=lambda run: "in flight" in run.debug and bool(run.of("ended", ATTACKER)),
    ),
    Promise(
        "in-flight",
        "no memory is used again while a device may write to it",
        "keeps_in_flight.c",
        served("keeps_in_flight.c", end="FAULTS"),
        "in-flight",
        special.drains,
        escaped(1),
        done=special.drained,
    ),
    Promise(
        "disk-beyond",
        "no server reaches a sector outside its client's extent",
        "beyond.c",
        DISK_OF_TWO,
        "convert-extent",
        special.stays_in_its_extent,
        special.reaches_the_neighbour,
        partitions=(_IO_WITHOUT_CHECK,),
        needs_disk=True,
        done=_finished,
    ),
)

_MANAGER = (
    _manager("manager-omits", "nothing starts without what it requires", "required", special.omits, special.starts),
    _manager("manager-omits-end", "no channel opens with one end", "required", special.omits_end, special.starts),
    _manager(
        "manager-repeats", "nothing is assigned twice", "assigned-once", special.repeats, special.is_assigned_twice
    ),
    _manager("manager-swaps", "nothing is assigned to another", "assigned-to", special.swaps, special.is_swapped),
    _manager(
        "manager-writes",
        "not even the manager writes the resource database",
        "manager-writes",
        special.manager_is_stopped,
        special.manager_writes,
    ),
    _manager(
        "manager-wild",
        "the manager names rows that exist, and does not stop itself",
        "manager-bound",
        special.manager_is_refused,
        special.manager_reads_beyond,
    ),
)

_LEFTOVERS = (
    _spy("leftover-general", "no general register passes to another partition", "spy_general.c"),
    _spy("leftover-vector", "no vector register passes to another partition", "spy_vector.c", "WHICH: 0"),
    _spy("leftover-upper", "no upper half of one passes to another partition", "spy_vector.c", "WHICH: 1"),
    _spy("leftover-x87", "no x87 register passes to another partition", "spy_x87.c"),
    _spy("leftover-mxcsr", "MXCSR passes to no other partition", "spy_mxcsr.c"),
    _spy("leftover-base", "FS and GS base pass to no other partition", "spy_base.c"),
    _spy("leftover-selector", "no segment selector passes to another partition", "spy_selector.c"),
    _spy("leftover-flags", "no flag passes to another partition", "spy_flags.c"),
)

PROMISES = (
    *_MEMORY,
    *_PRIVILEGE,
    *PROCESSOR,
    *_CALLS,
    *_CONVERSION,
    *CHANNELS,
    *CONSOLE,
    *DISK,
    *LIVES,
    *DEVICES,
    *TIME,
    *_MANAGER,
    *_LEFTOVERS,
)

# SPDX-License-Identifier: Apache-2.0
"""Words for the numbers in rows: enumerations, rights, PCI places, ranges."""

from __future__ import annotations

from collections.abc import Iterable

from parclose.constants import constants
from parclose.dwarf import Layouts

# What is said of a value is its constant's name without this, in lower case.
_PREFIX = {
    "role": "ROLE_",
    "resource": "RESOURCE_",
    "channel_end": "END_",
    "channel_class": "CLASS_",
    "region_kind": "REGION_",
    "bus": "BUS_",
    "bar_kind": "BAR_",
    "interrupt_kind": "INTERRUPT_",
    "on_end": "ON_END_",
    "health_action": "HEALTH_",
    "call": "CALL_",
}
_RIGHTS = (("RIGHT_READ", "r"), ("RIGHT_WRITE", "w"), ("RIGHT_EXECUTE", "x"))


def word(layouts: Layouts, enum: str, value: int) -> str:
    """The word for `value` of the enumeration `enum`, or `unknown (value)`."""
    prefix = _PREFIX[enum]
    for name, known in layouts.enums[enum].items():
        if known == value and name != f"{prefix}COUNT":
            return name.removeprefix(prefix).lower()
    return f"unknown ({value})"


def role_calls(layouts: Layouts, role: str, debug: bool) -> list[str]:
    """The calls that a partition of this role has, in order of their numbers. None for an unknown role."""
    bits = layouts.enums["role_calls"].get(f"ROLE_CALLS_{role.upper()}", 0)
    numbers = {value: name for name, value in layouts.enums["call"].items() if name != "CALL_COUNT"}
    calls = [numbers[number].removeprefix("CALL_").lower() for number in sorted(numbers) if bits >> number & 1]
    return [call for call in calls if debug or call != "debug"]


def rights(value: int) -> str:
    """`rwx`, with a dash for each right that is missing, and the bits that mean nothing."""
    text = "".join(letter if value & constants()[name] else "-" for name, letter in _RIGHTS)
    unknown = value & ~sum(constants()[name] for name, _ in _RIGHTS)
    return f"{text} and unknown bits {unknown:#x}" if unknown else text


def served_rights(buffer_rights: int) -> int:
    """The rights to an endpoint by those that its device has to the client's buffers: what is read is written there."""
    read, write = constants()["RIGHT_READ"], constants()["RIGHT_WRITE"]
    rest = buffer_rights & ~(read | write)
    return rest | read * bool(buffer_rights & write) | write * bool(buffer_rights & read)


def pci_address(value: int) -> str:
    """bus:device.function."""
    return f"{value >> 8 & 0xFF:02x}:{value >> 3 & 0x1F:02x}.{value & 7}"


def pci_identity(value: int) -> str:
    """vendor:device, as the usual tools print it."""
    return f"{value & 0xFFFF:04x}:{value >> 16:04x}"


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The first and last of each run of consecutive numbers."""
    found: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found

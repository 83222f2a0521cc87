# SPDX-License-Identifier: Apache-2.0
"""What there is to attack in an image, by address: worked out from its plan, for the program called "attacker".

Places are chosen so that a write of zero changes nothing that anybody uses: the controls go on to the next place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from parclose import dwarf
from parclose.constants import constants
from parclose.elf import Elf
from parclose.planned import Plan, PlannedPartition, RegionKind, Stretch

ATTACKER = "attacker"
RET = 0xC3
_WORD = 8
_LAST_WORD = constants()["PAGE_SIZE"] - _WORD  # of a page
_XSAVE_SECOND_WORD = 512 + 8  # of the header, in a context, which begins with that area
_CONTEXT_UNUSED = 0xEC8  # between a context's XSAVE area and its frame


@dataclass(frozen=True)
class Target:
    """`virtual` is what the attacker's program names; `physical` is what it would like to find there."""

    virtual: int
    physical: int
    label: str


def partitions(plan: Plan) -> Iterator[Target]:
    """Memory and tables of every other partition, at the addresses where an identity mapping would show them."""
    for other in _others(plan):
        name = other.partition.name
        for region in plan.regions:
            if region.owner == other.index and region.kind is not RegionKind.SHARED:
                unused = 0 if region.kind is RegionKind.STACK else region.size - _WORD
                yield _identity(region.physical + unused, f"{region.name} of {name}")
        last = other.descriptor_pages * constants()["PAGE_SIZE"] - _WORD
        yield _identity(other.descriptor_page + last, f"descriptor page of {name}")
        yield _identity(other.call_page + _LAST_WORD, f"call page of {name}")
        yield _identity(other.context + _CONTEXT_UNUSED, f"context of {name}")
        yield _identity(other.root + _WORD, f"root of {name}")
    own = plan.partition(ATTACKER).index
    for channel in plan.channels:
        if own not in (channel.client, channel.server):
            yield _identity(channel.physical + channel.size - _WORD, f"window of {channel.channel.client_name}")


def returns_of_partitions(plan: Plan) -> Iterator[Target]:
    """A RET in the text of every other partition, and one in the victim's read-only data."""
    for other in _others(plan):
        at = _find_return(other.program)
        yield _identity(_physical(other, at), f"text of {other.partition.name}")
    victim = plan.partition("victim")
    at = _data_return(victim.program, write=False)
    yield _identity(_physical(victim, at), "read-only data of victim")


def monitor(plan: Plan) -> Iterator[Target]:
    """Each stretch of ring 0 that is memory, but for the database."""
    for stretch in _ring0(plan):
        if not stretch.uncached and stretch.label != "database":
            offset = _unused(plan, stretch)
            yield Target(stretch.virtual + offset, stretch.physical + offset, stretch.label)


def _unused(plan: Plan, stretch: Stretch) -> int:
    """A word of a stretch of ring 0 that is zero, or that nobody minds."""
    if stretch.label == "processor":
        return 0  # the null entry of the GDT, the far ends of stacks, what is before the TSS
    if stretch.label == "context":
        return _CONTEXT_UNUSED
    if stretch.label == "monitor data":
        return plan.clock_page - stretch.physical + _LAST_WORD
    return stretch.size - _WORD


def returns_of_monitor(plan: Plan) -> Iterator[Target]:
    """A RET in the monitor's text."""
    at = _find_return(plan.monitor)
    yield Target(at, plan.monitor.physical(at) or 0, "monitor text")


def database(plan: Plan) -> Iterator[Target]:
    """Places in the resource database: in its head and at its end."""
    number = constants()
    end = number["DATABASE_SIZE"] - _WORD
    yield from return_in_database(plan)
    yield Target(number["DATABASE_ADDRESS"] + end, number["DATABASE_PHYSICAL"] + end, "database")


def database_of_manager(plan: Plan) -> Iterator[Target]:
    """The end of the database where the manager reads it."""
    number = constants()
    end = number["DATABASE_SIZE"] - _WORD
    yield Target(number["DATABASE_USER_ADDRESS"] + end, number["DATABASE_PHYSICAL"] + end, "database")


def return_in_database(plan: Plan) -> Iterator[Target]:
    """The last byte of the board's name, which no name is long enough to use: the test puts a RET there."""
    number = constants()
    field = dwarf.layouts().structs["database"].field("board")
    offset = field.offset + number["LIMIT_NAME"] & -_WORD
    yield Target(number["DATABASE_ADDRESS"] + offset, number["DATABASE_PHYSICAL"] + offset, "database")


def registers_monitor(plan: Plan) -> Iterator[Target]:
    """The interrupt controllers where the monitor drives them. Each place ignores a write of 0."""
    for stretch in _ring0(plan):
        if stretch.uncached and "MSI-X" not in stretch.label:
            offset = _harmless(stretch)
            yield Target(stretch.virtual + offset, stretch.physical + offset, stretch.label)


def registers_outside(plan: Plan) -> Iterator[Target]:
    """Device registers, at the addresses where an identity mapping would show them. Each ignores a write of 0."""
    for stretch in _ring0(plan):
        if stretch.uncached and "MSI-X" not in stretch.label:
            yield _identity(stretch.physical + _harmless(stretch), stretch.label)
    for device in plan.devices:
        for bar in device.bars:
            if bar.virtual:
                yield _identity(bar.address, f"registers of {device.device.name}")


def _harmless(stretch: Stretch) -> int:
    """The local APIC's version (read-only); the I/O APIC's index."""
    return 0x30 if stretch.label == "local APIC" else 0x00


def own_text(plan: Plan) -> Iterator[Target]:
    """The program's own text and read-only data."""
    own = plan.partition(ATTACKER)
    for region in plan.regions:
        if region.owner == own.index and region.kind in (RegionKind.TEXT, RegionKind.RODATA):
            place = region.physical + region.size - _WORD
            yield Target(constants()["PROGRAM_ADDRESS"] + place - own.physical, place, region.name)


def own_data(plan: Plan) -> Iterator[Target]:
    """A RET in the program's own data."""
    own = plan.partition(ATTACKER)
    at = _data_return(own.program, write=True)
    yield Target(at, _physical(own, at), "own data")


def around_stack(plan: Plan) -> Iterator[Target]:
    """The pages below and above the program's own stack; for the control something harmless is there."""
    own = plan.partition(ATTACKER)
    yield Target(own.stack_top - own.partition.stack - 8, own.call_page, "below the stack")
    yield Target(own.stack_top, own.call_page, "above the stack")


def read_only(plan: Plan) -> Iterator[Target]:
    """What a partition is told and may not change: its descriptor page, the clock, its configuration."""
    own = plan.partition(ATTACKER)
    number = constants()
    yield Target(number["DESCRIPTOR_ADDRESS"] + _LAST_WORD, own.descriptor_page + _LAST_WORD, "descriptor page")
    yield Target(number["CLOCK_PAGE_ADDRESS"] + _LAST_WORD, plan.clock_page + _LAST_WORD, "clock page")
    for config in plan.configs:
        if config.partition == own.index:
            last = len(config.content) - _WORD
            yield Target(config.virtual + last, config.physical + last, "configuration")


def returns_in_read_only(plan: Plan) -> Iterator[Target]:
    """The end of the name in the descriptor page, and of the configuration: the test puts a RET there."""
    own, number = plan.partition(ATTACKER), constants()
    end_of_name = dwarf.layouts().structs["descriptor_page"].field("partition").offset + number["LIMIT_NAME"]
    yield Target(number["DESCRIPTOR_ADDRESS"] + end_of_name, own.descriptor_page + end_of_name, "descriptor page")
    yield from (each for each in read_only(plan) if each.label == "configuration")


def own_writable(plan: Plan) -> Iterator[Target]:
    """Pages that the program writes itself, beside its data: the far end of its stack, its call page."""
    own = plan.partition(ATTACKER)
    for region in plan.regions:
        if region.owner == own.index and region.kind is RegionKind.STACK:
            yield Target(own.stack_top - own.partition.stack, region.physical, "own stack")
    yield Target(constants()["CALL_PAGE_ADDRESS"] + _LAST_WORD, own.call_page + _LAST_WORD, "own call page")


def own_image(plan: Plan) -> Iterator[Target]:
    """The second word of the header of the extended state that the monitor keeps of this partition (SDM 1, 13.4.2)."""
    own = plan.partition(ATTACKER)
    yield _identity(own.context + _XSAVE_SECOND_WORD, "own saved state")


def own_vectors(plan: Plan) -> Iterator[Target]:
    """The MSI-X table of the attacker's own device, where it stands between the registers that it sees."""
    own = plan.partition(ATTACKER).index
    for device in plan.devices:
        msix = device.device.msix
        if device.owner == own and msix is not None:
            bar = next(each for each in device.bars if each.bar.index == msix.bar)
            for entry in (0, msix.entries - 1):
                offset = msix.table + 16 * entry
                yield Target(bar.virtual + offset, bar.address + offset, f"MSI-X entry {entry} of {device.device.name}")


def last_page_of_victim(plan: Plan) -> Iterator[Target]:
    """For DMA: the physical address of the last page that the victim's program has for itself."""
    victim = plan.partition("victim").index
    for region in plan.regions:
        if region.owner == victim and region.kind is RegionKind.DATA:
            yield _identity(region.physical + region.size - constants()["PAGE_SIZE"], "last page of victim")


SETS: dict[str, Callable[[Plan], Iterator[Target]]] = {
    each.__name__: each
    for each in (
        partitions,
        returns_of_partitions,
        monitor,
        returns_of_monitor,
        database,
        database_of_manager,
        return_in_database,
        registers_monitor,
        registers_outside,
        own_text,
        own_data,
        around_stack,
        read_only,
        returns_in_read_only,
        own_writable,
        own_image,
        own_vectors,
        last_page_of_victim,
    )
}


PLACED_RETURNS = ("return_in_database", "returns_in_read_only")  # sets at whose places the test puts a RET


def _data_return(program: Elf, write: bool) -> int:
    """The address of a RET that the program keeps in its data, alone in sixteen bytes: writable ones, or constants."""
    for segment in program.segments:
        fits = segment.write == write and not segment.execute
        place = segment.content.find(bytes([RET]) + bytes(15)) if fits else -1
        if place >= 0:
            return segment.virtual + place
    raise KeyError("no RET in the data")


def _others(plan: Plan) -> Iterator[PlannedPartition]:
    yield from (each for each in plan.partitions if each.partition.name != ATTACKER)


def _identity(physical: int, label: str) -> Target:
    return Target(physical, physical, label)


def _ring0(plan: Plan) -> tuple[Stretch, ...]:
    return (*plan.shared_stretches, *(each for each in plan.partition(ATTACKER).stretches if not each.user))


def _physical(partition: PlannedPartition, virtual: int) -> int:
    return partition.physical + virtual - constants()["PROGRAM_ADDRESS"]


def _find_return(program: Elf) -> int:
    """The address of a byte that is a RET instruction when executed."""
    text = max((each for each in program.segments if each.execute), key=lambda each: each.virtual)
    return text.virtual + text.content.index(RET)

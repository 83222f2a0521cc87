# SPDX-License-Identifier: Apache-2.0
"""Which of the monitor's instructions serialise the processor or flush what it remembers (SDM 3A, 9.3; 2, 4.3)."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence

from bench.guest import Image, NotMeasured

# State saved or loaded whole, model-specific registers, ways back to ring 3, descriptor tables, invalidations, fences.
_NAMES = (
    r"wrmsr|xsave(c|opt|s)?(64)?|xrstors?(64)?|fxsave(64)?|fxrstor(64)?|iret[dlq]?|sysret[lq]?|sysexit[lq]?|"
    r"invlpga?|invpcid|invept|invvpid|wbinvd|invd|cpuid|rsm|xsetbv|lgdt|lidt|lldt|ltr|lret|lretq|ljmp|clflush|clflushopt|clwb|"
    r"mfence|lfence|serialize|lmsw"
)
_INSTRUCTION = re.compile(r"\s*([0-9a-f]+):\t(?:(?:rex\S*|lock|cs|ds|data16)\s+)*(\S+)\s*(.*)")
_REGISTER = re.compile(r".*,%(cr|db)\d+$")


def is_serialising(mnemonic: str, operands: str) -> bool:
    """Whether an instruction in objdump's words is one of them."""
    return bool(re.fullmatch(_NAMES, mnemonic)) or (
        mnemonic.startswith("mov") and _REGISTER.fullmatch(operands) is not None
    )


def addresses(image: Image) -> Sequence[int]:
    """Where they stand in the monitor of `image`. Raises `NotMeasured` when there are none: the listing was misread."""
    words = ["objdump", "-d", "--no-show-raw-insn", str(image.folder / "monitor.elf")]
    listing = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
    found = [_INSTRUCTION.match(line) for line in listing.splitlines()]
    here = [int(each[1], 16) for each in found if each and is_serialising(each[2], each[3].split("#")[0].strip())]
    if not here:
        raise NotMeasured("no serialising instruction was found in the monitor")
    return here

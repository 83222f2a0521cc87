# SPDX-License-Identifier: Apache-2.0
"""The checks of a layout: each a small function that looks at one rule and notes every place that breaks it."""

from __future__ import annotations

from collections.abc import Callable

from parclose.checks import (
    channels,
    console,
    devices,
    endpoints,
    memory,
    network,
    order,
    programs,
    regions,
    schedule,
    servers,
)
from parclose.problems import Collector
from parclose.scope import Scope

Check = Callable[[Scope, Collector], None]

CHECKS: tuple[Check, ...] = (
    *devices.CHECKS,
    *programs.CHECKS,
    *memory.CHECKS,
    *endpoints.CHECKS,
    *network.CHECKS,
    *console.CHECKS,
    *servers.CHECKS,
    *channels.CHECKS,
    *regions.CHECKS,
    *order.CHECKS,
    *schedule.CHECKS,
)

/* SPDX-License-Identifier: Apache-2.0
 *
 * The clock, the same for all partitions.
 */
#ifndef PARCLOSE_CLOCK_H
#define PARCLOSE_CLOCK_H

#include <stdint.h>

/* The clock: written once by the monitor, at CLOCK_PAGE_ADDRESS in every partition. The clock itself is the TSC. The whole
   page is the clock's: what the linker put behind it, every partition could read. */
struct clock_page {
  _Alignas(4096) uint64_t frequency; /* TSC ticks a second */
  uint64_t start;                    /* TSC when the monitor entered the manager */
};

_Static_assert(sizeof(struct clock_page) == 4096, "the clock page is one page");

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a switch needs of the timer, inline. See timer.c.
 */
#ifndef MONITOR_TIMER_H
#define MONITOR_TIMER_H

#include "state.h"

extern uint64_t ticks_per_ns;    /* TSC, 32 fractional bits */
extern uint64_t counts_per_tick; /* APIC timer counts for a TSC tick, 32 fractional bits */

static inline uint64_t timer_ticks(uint64_t nanoseconds) {
  return (uint64_t)((unsigned __int128)nanoseconds * ticks_per_ns >> 32);
}

/* One interrupt at `at` (TSC, after `now`, at most FRAME_LONGEST_NS later: so the counter of 32 bits suffices). */
static inline void timer_arm(uint64_t now, uint64_t at) {
  CPU->armed = at;
  uint64_t counts = (uint64_t)((unsigned __int128)(at - now) * counts_per_tick >> 32) + 1;
  *apic(APIC_TIMER_INITIAL) = (uint32_t)counts;
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two that are not apart in time agree on: which bit the clock stands at.
 */
#ifndef TIMING_H
#define TIMING_H

#include "parclose.h"

#define TIMING_BITS 16u
#define TIMING_NS 8000000u /* of a turn: some frames */

/* Which bit it is the turn of; the clock counts nanoseconds, as it does under -icount. */
__attribute__((unused)) static inline unsigned timing_turn(uint64_t now) {
  return now / TIMING_NS % TIMING_BITS;
}

__attribute__((unused)) static inline uint64_t timing_left(uint64_t now) {
  return TIMING_NS - now % TIMING_NS;
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Under which reason a refused conversion is counted.
 */
#ifndef PARCLOSE_IO_REFUSAL_H
#define PARCLOSE_IO_REFUSAL_H

#include "call.h"
#include "counters.h"

static inline enum counter refusal_of(enum status status) {
  switch (status) {
  case STATUS_NO_RIGHT:
    return COUNT_NO_RIGHT;
  case STATUS_QUOTA:
    return COUNT_OVER_QUOTA;
  case STATUS_OUTSIDE_EXTENT:
    return COUNT_OUTSIDE_EXTENT;
  case STATUS_UNALIGNED:
    return COUNT_UNALIGNED;
  default:
    return COUNT_BAD_RANGE;
  }
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two readers of large pieces share: places, the comparison, and the pace.
 */
#ifndef LARGE_H
#define LARGE_H

#include "../measure.h"

#define PIECE 0x100000u /* bytes of a read */
#define READS 16u
#define DEPTH 8u
#define ROUNDS 5u
#define EXTENT_START 0x100000u

static uint8_t buffer[READS][PIECE] __attribute__((aligned(4096)));

/* The disk holds in each 8 bytes a function of their place. `first`: of the disk. */
static inline bool all_as_written(uint64_t first) {
  for (unsigned i = 0; i < READS; i++)
    for (unsigned at = 0; at < PIECE; at += 8) {
      uint64_t place = first + i * (uint64_t)PIECE + at;
      if (*(uint64_t *)&buffer[i][at] != place * 0x9e3779b97f4a7c15ull)
        return false;
    }
  return true;
}

#endif

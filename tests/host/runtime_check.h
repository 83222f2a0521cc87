/* SPDX-License-Identifier: Apache-2.0
 *
 * What the runtime's host tests share: a check that names its place, and
 * numbers that are the same in every run.
 */
#ifndef RUNTIME_CHECK_H
#define RUNTIME_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                          \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

/* xorshift64 (Marsaglia, 2003) */
static inline uint64_t random_next(void) {
  static uint64_t state = 0x9e3779b97f4a7c15ull;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static inline uint32_t random_below(uint32_t limit) {
  return (uint32_t)(random_next() >> 33) % limit;
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * C11 as Frama-C 25 knows it: without atomic types, for whose functions it has no specification, and without alignment. A
 * weak exchange may fail at any time, and then the object is whatever another processor has made of it.
 */
#ifndef TESTS_VALUES_PLAIN_H
#define TESTS_VALUES_PLAIN_H

#include "__fc_builtin.h"

#include <stdbool.h>
#include <stdint.h>

#define _Atomic
#define _Alignas(bytes)
#define __builtin_expect(value, usual) (value)
#define __builtin_ctz first_bit

#define __FC_STDATOMIC /* the guard of Frama-C's own header */
#define memory_order_relaxed 0
#define atomic_load_explicit(object, order) (*(object))

#define MONITOR_INSTRUCTIONS_H /* its assembly: what is used of it stands here in C */

/* A loop that is unrolled keeps apart what EVA would join. */
static inline int first_bit(unsigned value) {
  /*@ assert value != 0; */
  int bit = 0;
  while ((value >> bit & 1) == 0)
    bit++;
  return bit;
}

static inline uint64_t any_number(void) {
  return Frama_C_unsigned_long_interval(0, UINT64_MAX);
}

static inline uint64_t atomic_exchange(uint64_t *object, uint64_t value) {
  uint64_t old = *object;
  *object = value;
  return old;
}

static inline bool atomic_compare_exchange_weak(uint64_t *object, uint64_t *expected, uint64_t value) {
  if (*object == *expected && Frama_C_interval(0, 1)) {
    *object = value;
    return true;
  }
  *object = any_number();
  *expected = *object;
  return false;
}

static inline void set_bit(volatile void *bits, unsigned long index) {
  volatile unsigned long *word = (volatile unsigned long *)bits + index / 64;
  *word |= 1ul << index % 64;
}

/* The analyser does not know the compiler's own. */
#define __builtin_sub_overflow(left, right, result) (*(result) = (left) - (right), (left) < (right))

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What Rust's core, as built for Linux, asks of its surroundings. Weak: a program may have its own.
 */
#include "parclose.h"

/* 0 for equal bytes, with no order among others. */
__attribute__((weak)) int bcmp(const void *left, const void *right, size_t size) {
  return memcmp(left, right, size);
}

/* Named in core's tables for unwinding. With panic=abort nobody unwinds. */
__attribute__((weak)) void rust_eh_personality(void) {
  __builtin_trap();
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies of whole frames. Where the partition's processor state holds the wide
 * vector registers, they carry 512 bytes in each step.
 */
#ifndef PARCLOSE_COPY_H
#define PARCLOSE_COPY_H

#include <stdbool.h>
#include <stdint.h>

#define COPY_STEP 512u

#ifndef PARCLOSE_HOST

#define XCR0_WIDE 6u /* Intel SDM 1, 13.3: SSE and AVX state; never set without the instructions */

/* XGETBV is there: the monitor relies on XSAVE, and turns it on. */
static inline bool copy_is_wide(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & XCR0_WIDE) == XCR0_WIDE;
}

#define COPY_LOAD(n) "vmovdqu " #n "*32(%1), %%ymm" #n "\n\t"
#define COPY_STORE(n) "vmovdqu %%ymm" #n ", " #n "*32(%0)\n\t"
#define COPY_ALL(each)                                                                                                 \
  each(0) each(1) each(2) each(3) each(4) each(5) each(6) each(7) each(8) each(9) each(10) each(11) each(12) each(13)  \
      each(14) each(15)

static inline void copy_step(uint8_t *to, const uint8_t *from) {
  __asm__ volatile(COPY_ALL(COPY_LOAD) COPY_ALL(COPY_STORE)
                   :
                   : "r"(to), "r"(from)
                   : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                     "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

#else

static inline bool copy_is_wide(void) {
  return true;
}

static inline void copy_step(uint8_t *to, const uint8_t *from) {
  __builtin_memcpy(to, from, COPY_STEP);
}

#endif

/* The last step ends where the bytes end, and so carries some of them a second time. */
static inline void copy_bytes(uint8_t *to, const uint8_t *from, uint32_t size, bool wide) {
  if (!wide || size < COPY_STEP) {
    __builtin_memcpy(to, from, size);
    return;
  }
  uint8_t *last = to + size - COPY_STEP;
  const uint8_t *last_from = from + size - COPY_STEP;
  for (; to < last; to += COPY_STEP, from += COPY_STEP)
    copy_step(to, from);
  copy_step(last, last_from);
}

#endif

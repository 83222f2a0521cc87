/* SPDX-License-Identifier: Apache-2.0
 *
 * What the benchmark guests share: the clock around a call, state that a switch must carry, marks for the counting
 * plugin, and results on the debug port. Compiled with -mgeneral-regs-only, so that only what stands here touches vectors.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include "monitor.h"
#include "parclose.h"

/* No-operations that bench/counter.c knows: it counts what is executed between them, for each number (1 to 15) apart. */
#define MARK(number, kind) __asm__ volatile(".byte 0x0f, 0x1f, 0x80; .long " #number " + (" #kind " << 8)" ::: "memory")
#define COUNT_BEGIN(number) MARK(number, 0x424547)
#define COUNT_END(number) MARK(number, 0x454e44)

/* A call between two readings of the clock, and the same without the call: their difference is the call's own, from the
   SYSCALL instruction to the one before the next of ours. Under -icount a tick of the clock is an instruction. */
#define TIMED(instruction)                                                                                             \
  __asm__ volatile("rdtsc\n\tmovl %%eax, %%r8d\n\tmovl %k[number], %%eax\n\tmovq %[third], %%rdx\n\t" instruction      \
                   "\n\tmovl %%eax, %%r9d\n\tmovq %%rdx, %%r10\n\trdtsc\n\tsubl %%r8d, %%eax"                          \
                   : "=&a"(ticks)                                                                                      \
                   : [number] "r"(number), [third] "r"(third), "D"(first), "S"(second)                                 \
                   : "rcx", "rdx", "r8", "r9", "r10", "r11", "memory")

static inline uint32_t timed_call(uint64_t number, uint64_t first, uint64_t second, uint64_t third) {
  uint32_t ticks;
  TIMED("syscall");
  return ticks;
}

static inline uint32_t timed_nothing(uint64_t number, uint64_t first, uint64_t second, uint64_t third) {
  uint32_t ticks;
  TIMED("");
  return ticks;
}

/* Values that live in every vector register, and an FS base: different ones for each `seed`. */
static inline void vectors_set(uint64_t seed) {
  static uint64_t value[16][4];
  for (unsigned i = 0; i < 16; i++)
    for (unsigned k = 0; k < 4; k++)
      value[i][k] = seed * 0x9e3779b97f4a7c15ull + i * 4 + k;
#define LOAD(n) "vmovdqu " #n "*32(%0), %%ymm" #n "\n\t"
  __asm__ volatile(LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5) LOAD(6) LOAD(7) LOAD(8) LOAD(9) LOAD(10) LOAD(11)
                       LOAD(12) LOAD(13) LOAD(14) LOAD(15)
                   :
                   : "r"(value)
                   : "memory");
  __asm__ volatile("wrfsbase %0" : : "r"(seed << 12));
}

/* Whether they are as vectors_set(seed) left them. */
static inline bool vectors_kept(uint64_t seed) {
  static uint64_t value[16][4];
  uint64_t base, wrong = 0;
#define STORE(n) "vmovdqu %%ymm" #n ", " #n "*32(%0)\n\t"
  __asm__ volatile(STORE(0) STORE(1) STORE(2) STORE(3) STORE(4) STORE(5) STORE(6) STORE(7) STORE(8) STORE(9) STORE(10)
                       STORE(11) STORE(12) STORE(13) STORE(14) STORE(15)
                   :
                   : "r"(value)
                   : "memory");
  __asm__ volatile("rdfsbase %0" : "=r"(base));
  for (unsigned i = 0; i < 16; i++)
    for (unsigned k = 0; k < 4; k++)
      wrong |= value[i][k] ^ (seed * 0x9e3779b97f4a7c15ull + i * 4 + k);
  return wrong == 0 && base == seed << 12;
}

static inline void say(const char *text) {
  for (; *text; text++)
    monitor_debug(*text);
}

/* One line for each sample: its figure's name and its value. */
static inline void say_samples(const char *name, const uint32_t *sample, unsigned count) {
  char line[64];
  for (unsigned i = 0; i < count; i++) {
    format(line, sizeof line, "%s %u\n", name, sample[i]);
    say(line);
  }
}

#endif

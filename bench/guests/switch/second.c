/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the clock as fast as it can into an array. Where two readings are further apart than their own two instructions
 * and `first` ran meanwhile, the later one less the last one of `first` is a switch, with at most one instruction of `first`
 * (the store after its reading, or that and the next reading less one) and one of ours (the store before the reading) in it.
 */
#include "../measure.h"

#define READINGS 1024u
#define SAMPLES 2000u
#define BLOCKS 4000000u

static uint32_t reading[READINGS];
static uint32_t sample[SAMPLES];

static inline uint32_t now(void) {
  return (uint32_t)clock_now();
}

static void read_block(void) {
  __asm__ volatile(".set place, 0\n\t"
                   ".rept 1024\n\t"
                   "rdtsc\n\t"
                   "movl %%eax, place(%0)\n\t"
                   ".set place, place + 4\n\t"
                   ".endr"
                   :
                   : "r"(reading)
                   : "eax", "edx", "memory");
}

/* The first reading after the only gap; 0: there is none, or several. */
static uint32_t after_gap(void) {
  uint32_t found = 0;
  for (unsigned i = 1; i < READINGS; i++) {
    if (reading[i] - reading[i - 1] == 2)
      continue;
    if (found)
      return 0;
    found = reading[i];
  }
  return found;
}

/* Returns whether the block holds a switch from `first`; `other` is its clock. */
static bool measure_block(const volatile uint32_t *other, uint32_t *ticks) {
  uint32_t before = *other;
  read_block();
  uint32_t last = *other;
  uint32_t read_at = now();
  if (last == before || last == 0 || reading[READINGS - 1] - reading[0] == 2 * (READINGS - 1))
    return false;
  if (read_at - reading[READINGS - 1] > 10) /* gone once more before `last` was read */
    return false;
  uint32_t first = after_gap();
  *ticks = first - last;
  return first != 0;
}

int main(void) {
  const volatile uint32_t *other = (const volatile uint32_t *)region("clock")->address;
  volatile uint32_t *stop = (volatile uint32_t *)region("stop")->address;
  unsigned count = 0;
  vectors_set(2);
  COUNT_BEGIN(1);
  for (unsigned block = 0; block < BLOCKS && count < SAMPLES; block++)
    count += measure_block(other, &sample[count]);
  COUNT_END(1);
  bool kept = vectors_kept(2);
  *stop = 1;
  say_samples("partition-switch", sample, count);
  return kept && count == SAMPLES ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Time: the TSC is the clock, the local APIC's timer wakes us once for each decision. Both are measured against the
 * PIT's channel 2, from the change of one count to the change of another, for a third of a millisecond, again where something
 * held it up.
 */
#include "timer.h"
#include "../abi/clock.h"
#include "instructions.h"
#include "monitor.h"

#define PIT_FREQUENCY 1193182u
#define PIT_COMMAND 0x43
#define PIT_CHANNEL_2 0x42
#define PIT_MODE_0_CHANNEL_2 0xb0 /* low and high byte, count down once */
#define PIT_LATCH_CHANNEL_2 0x80
#define PIT_GATE 0x61
#define PIT_GATE_ON 0x01
#define PIT_SPEAKER_ON 0x02
#define MEASURED_COUNTS 350u
#define PATIENCE 10000000 /* polls: a PIT that stands still must not hold us up for ever */

struct clock_page clock_page __attribute__((section(".bss.clock_page")));

uint64_t ticks_per_ns;
uint64_t counts_per_tick;

static uint32_t pit_read(void) {
  out8(PIT_COMMAND, PIT_LATCH_CHANNEL_2);
  uint32_t low = in8(PIT_CHANNEL_2);
  return low | (uint32_t)in8(PIT_CHANNEL_2) << 8;
}

static void pit_start(void) {
  out8(PIT_GATE, (uint8_t)((in8(PIT_GATE) & ~PIT_SPEAKER_ON) | PIT_GATE_ON));
  out8(PIT_COMMAND, PIT_MODE_0_CHANNEL_2);
  out8(PIT_CHANNEL_2, 0xff);
  out8(PIT_CHANNEL_2, 0xff);
}

/* Wait until the count is below `below` and has just changed; returns it. */
static uint32_t pit_edge(uint32_t below) {
  uint32_t before = pit_read();
  for (int poll = 0; poll < PATIENCE; poll++) {
    uint32_t now = pit_read();
    if (now != before && now < below)
      return now;
    before = now;
  }
  refuse("timer", "PIT channel 2 does not count", DATABASE->board, 1, 0);
}

void timer_initialise(void) {
  *apic(APIC_TIMER_DIVIDE) = APIC_TIMER_DIVIDE_BY_1;
  *apic(APIC_LVT_TIMER) = APIC_LVT_MASKED | VECTOR_TIMER;
  uint32_t first, last;
  uint64_t half, ticks, counts;
  do { /* until both halves agree within a sixteenth of the whole: what holds the machine up meanwhile makes one longer */
    pit_start();
    *apic(APIC_TIMER_INITIAL) = UINT32_MAX;
    first = pit_edge(0xfff0);
    uint64_t start = read_tsc(), start_count = *apic(APIC_TIMER_CURRENT);
    pit_edge(first - MEASURED_COUNTS / 2);
    half = read_tsc() - start;
    last = pit_edge(first - MEASURED_COUNTS);
    ticks = read_tsc() - start;
    counts = start_count - *apic(APIC_TIMER_CURRENT);
  } while (half - ticks / 2 + ticks / 32 > ticks / 16);
  *apic(APIC_TIMER_INITIAL) = 0;
  *apic(APIC_LVT_TIMER) = VECTOR_TIMER;
  clock_page.frequency = ticks * PIT_FREQUENCY / (first - last);
  ticks_per_ns = (clock_page.frequency << 28) / 1000000000u << 4;
  counts_per_tick = (counts << 32) / ticks;
  counts_per_tick += counts_per_tick >> 13; /* rather late by 0.01 % than early, which would cost a second interrupt */
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The clock is the TSC; its frequency stands in the clock page. Conversions
 * split off whole seconds, so that the product of what remains (below a second,
 * times 10^9 or a frequency below 18 GHz) fits 64 bits.
 */
#include "runtime.h"

#define CLOCK ((const struct clock_page *)CLOCK_PAGE_ADDRESS)
#define NS_PER_SECOND 1000000000ull

uint64_t clock_frequency(void) {
  return CLOCK->frequency;
}

static uint64_t convert(uint64_t amount, uint64_t from, uint64_t to) {
  return amount / from * to + amount % from * to / from;
}

uint64_t ticks_to_ns(uint64_t ticks) {
  return convert(ticks, CLOCK->frequency, NS_PER_SECOND);
}

uint64_t ticks_to_us(uint64_t ticks) {
  return convert(ticks, CLOCK->frequency, 1000000);
}

uint64_t ns_to_ticks(uint64_t nanoseconds) {
  return convert(nanoseconds, NS_PER_SECOND, CLOCK->frequency);
}

uint64_t deadline_in_ns(uint64_t nanoseconds) {
  if (nanoseconds == UINT64_MAX)
    return NEVER;
  return clock_now() + ns_to_ticks(nanoseconds);
}

uint64_t uptime_ns(void) {
  return ticks_to_ns(clock_now() - CLOCK->start);
}

void sleep_ns(uint64_t nanoseconds) {
  wait_until(deadline_in_ns(nanoseconds));
}

void yield(void) {
  monitor_yield();
}

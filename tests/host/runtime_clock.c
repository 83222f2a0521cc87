/* SPDX-License-Identifier: Apache-2.0
 *
 * Times against arithmetic of 128 bits.
 */
#include "parclose.h"
#include "runtime_check.h"

static uint64_t exact(uint64_t amount, uint64_t from, uint64_t to) {
  return (uint64_t)((unsigned __int128)amount * to / from);
}

static void check_frequency(uint64_t frequency) {
  ((struct clock_page *)CLOCK_PAGE_ADDRESS)->frequency = frequency;
  for (int i = 0; i < 100000; i++) {
    uint64_t amount = random_next() >> (4 + random_below(60)); /* up to 36 years in ns */
    CHECK(ticks_to_ns(amount) == exact(amount, frequency, 1000000000));
    CHECK(ticks_to_us(amount) == exact(amount, frequency, 1000000));
    CHECK(ns_to_ticks(amount) == exact(amount, 1000000000, frequency));
  }
}

int main(void) {
  check_frequency(1000000000);
  check_frequency(2999999937u);
  check_frequency(5800000000ull);
  CHECK(deadline_in_ns(UINT64_MAX) == NEVER);
  uint64_t now = clock_now();
  CHECK(deadline_in_ns(1000000000) >= now + 5800000000ull);
  return 0;
}

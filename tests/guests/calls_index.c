/* SPDX-License-Identifier: Apache-2.0
 *
 * Every call that takes an index, with indexes outside this partition's own descriptors: other blocks come right after
 * and before ours, and a check of the low half alone would take 2^32 for 0.
 */
#include "hostile.h"

static uint64_t wild(unsigned i) {
  static const uint64_t values[] = {0x40,        0xfff,       0x10000,    0x7fffffff, 0x80000000, 0xffffffff,
                                    0x100000000, 0x100000005, 1ull << 62, 1ull << 63, ~0ull};
  return values[i];
}

static uint64_t own_count(void) {
  return DESCRIPTOR_PAGE->regions.count + DESCRIPTOR_PAGE->devices.count + DESCRIPTOR_PAGE->channels.count;
}

static void all_calls(uint64_t index) {
  static const enum call calls[] = {CALL_SIGNAL, CALL_SIGNAL_AND_WAIT, CALL_ACKNOWLEDGE, CALL_QUIET};
  for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++) {
    attempting("call %d with index %llx", calls[i], (unsigned long long)index);
    must_be(STATUS_BAD_INDEX, monitor_call(calls[i], index, 0, 0).status);
  }
}

int main(void) {
  for (uint64_t beyond = 0; beyond < 12; beyond++)
    all_calls(own_count() + beyond);
  for (uint64_t before = 1; before <= 12; before++)
    all_calls(0 - before);
  for (unsigned i = 0; i < 11; i++)
    all_calls(wild(i));
  return verdict();
}

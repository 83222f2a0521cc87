/* SPDX-License-Identifier: Apache-2.0
 *
 * A wait takes all pending events at once; those that nobody asked for yet are
 * kept here until somebody does, so no channel can swallow another's.
 */
#include "runtime.h"

#define WORDS (LIMIT_EVENTS / 64)

static uint64_t kept[WORDS];

static void keep(struct call_result result) {
  if (result.status != STATUS_OK)
    return;
  for (uint64_t summary = result.value; summary; summary &= summary - 1) {
    unsigned word = (unsigned)__builtin_ctzll(summary);
    if (word < WORDS)
      kept[word] |= CALL_PAGE->events[word];
  }
}

bool event_take(unsigned event) {
  uint64_t bit = 1ull << event % 64;
  if (event >= LIMIT_EVENTS || !(kept[event / 64] & bit))
    return false;
  kept[event / 64] &= ~bit;
  return true;
}

static bool any_kept(void) {
  uint64_t all = 0;
  for (unsigned word = 0; word < WORDS; word++)
    all |= kept[word];
  return all != 0;
}

bool wait_event(unsigned event, uint64_t deadline) {
  while (!event_take(event)) {
    struct call_result result = monitor_wait(deadline);
    keep(result);
    if (result.status != STATUS_OK)
      return event_take(event);
  }
  return true;
}

bool signal_and_wait_event(uint32_t channel, unsigned event, uint64_t deadline) {
  if (event_take(event)) {
    monitor_signal(channel, 0);
    return true;
  }
  struct call_result result = monitor_signal_and_wait(channel, 0, deadline);
  keep(result);
  /* Refused (nobody at the other end yet): then it has not waited either. */
  if (result.status != STATUS_OK && result.status != STATUS_TIMEOUT)
    return wait_event(event, deadline);
  return result.status == STATUS_OK ? wait_event(event, deadline) : event_take(event);
}

bool wait_any_event(uint64_t deadline) {
  if (!any_kept())
    keep(monitor_wait(deadline));
  return any_kept();
}

void wait_until(uint64_t deadline) {
  while (clock_now() < deadline)
    keep(monitor_wait(deadline));
}

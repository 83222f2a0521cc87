/* SPDX-License-Identifier: Apache-2.0
 *
 * The monitor's calls for the main loop and the server.
 */
#include "calls.h"
#include "drivers/pause.h"
#include "live.h"
#include "monitor.h"
#include "parclose.h"

#define WORDS (LIMIT_EVENTS / 64)

/* A signal that waits for company: the next wait sends it in the same call. */
static struct {
  uint32_t channel, release;
  bool waits;
} held;

static struct events kept; /* came while a driver paused */

struct convert_entry *calls_entries(void) {
  return CALL_PAGE->convert;
}

enum status calls_convert(uint32_t channel, uint32_t count, uint32_t life_number, uint32_t *refused) {
  struct call_result result = monitor_convert(channel, count, life_number);
  *refused = (uint32_t)result.value;
  return result.status;
}

bool calls_client_lives(uint32_t channel, uint32_t life_number) {
  uint64_t word = monitor_channel(channel).value;
  return LIVE_STATE(word) == CHANNEL_CONNECTED && LIVE_LIFE(word) == life_number;
}

void calls_release(uint32_t channel, uint32_t count) {
  monitor_release(channel, count);
}

void calls_signal(uint32_t channel, uint32_t release) {
  if (held.waits)
    monitor_signal(held.channel, held.release);
  held.channel = channel;
  held.release = release;
  held.waits = true;
}

void calls_acknowledge(uint32_t device_index, uint32_t interrupt) {
  monitor_acknowledge(device_index, interrupt);
}

bool calls_quiet(uint32_t device_index) {
  return monitor_quiet(device_index) == STATUS_OK;
}

uint64_t calls_now(void) {
  return clock_now();
}

uint64_t calls_ticks(uint64_t nanoseconds) {
  return ns_to_ticks(nanoseconds);
}

uint32_t calls_life(void) {
  return life();
}

static struct call_result wait_once(uint64_t deadline) {
  if (!held.waits)
    return monitor_wait(deadline);
  held.waits = false;
  struct call_result result = monitor_signal_and_wait(held.channel, held.release, deadline);
  /* A client that is gone is nobody to signal; the monitor did not wait then. */
  return result.status == STATUS_OK || result.status == STATUS_TIMEOUT ? result : monitor_wait(deadline);
}

static void add(struct events *events, struct call_result result) {
  if (result.status != STATUS_OK)
    return;
  for (uint64_t left = result.value; left; left &= left - 1) {
    unsigned word = (unsigned)__builtin_ctzll(left) % WORDS;
    events->word[word] = CALL_PAGE->events[word] | (events->summary >> word & 1 ? events->word[word] : 0);
    events->summary |= 1ull << word;
  }
}

void calls_wait(uint64_t deadline, struct events *events) {
  if (kept.summary)
    deadline = 0;
  *events = kept;
  kept.summary = 0;
  add(events, wait_once(deadline));
}

void driver_pause(void) {
  uint64_t end = clock_now() + clock_frequency() / PAUSES_PER_SECOND;
  while (clock_now() < end)
    add(&kept, wait_once(end));
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Has 200 channels, and so more events than a word has bits. Takes them in each way that there is: while it waits, when it
 * only asks, with a signal of its own. Each round must bring what was rung, all of it and nothing else.
 */
#include "rounds.h"

#define WORDS (LIMIT_EVENTS / 64)

enum way { WAITING, ASKING, SIGNALLING, WAYS };

static uint64_t wanted[WORDS], found[WORDS];

static void add(struct call_result result) {
  if (result.status != STATUS_OK)
    return;
  for (uint64_t left = result.value; left; left &= left - 1)
    found[__builtin_ctzll(left) % WORDS] |= CALL_PAGE->events[__builtin_ctzll(left) % WORDS];
  uint32_t console = channel("console")->event; /* its server comes up when it likes */
  found[console / 64] &= ~(1ull << console % 64);
}

static void want(uint32_t round) {
  memset(wanted, 0, sizeof wanted);
  memset(found, 0, sizeof found);
  for (uint32_t i = 0; i < RUNG; i++) {
    uint32_t event = numbered(rounds[round][i])->event;
    wanted[event / 64] |= 1ull << event % 64;
  }
}

static bool one_round(uint32_t round, enum way way, uint32_t number) {
  uint64_t limit = deadline_in_ns(PATIENCE_MS * 1000000ull);
  want(round);
  *word("go") = number;
  while (way != WAITING && *word("done") != number && clock_now() < limit)
    ;
  if (way == SIGNALLING)
    add(monitor_signal_and_wait(numbered(0)->index, 0, limit));
  else
    add(monitor_wait(way == ASKING ? 0 : limit));
  while (way == WAITING && memcmp(found, wanted, sizeof found) && clock_now() < limit)
    add(monitor_wait(limit)); /* its turn came before all of them were rung */
  return memcmp(found, wanted, sizeof found) == 0;
}

int main(void) {
  uint32_t number = 0, wrong = 0;
  while (*word("done") == 0)
    sleep_ns(1000000); /* until the other end is up */
  for (uint32_t way = WAITING; way < WAYS; way++)
    for (uint32_t round = 0; round < ROUNDS; round++)
      wrong += !one_round(round, (enum way)way, ++number);
  *word("go") = UINT32_MAX;
  printf("events up to %u: %u rounds, %u wrong\n", numbered(199)->event, number, wrong);
  return wrong != 0;
}

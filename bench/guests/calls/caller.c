/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls between two readings of the clock, 2000 of each kind.
 */
#include "../measure.h"

#define SAMPLES 2000u

static uint32_t sample[SAMPLES];

static void measure_nothing(void) {
  for (unsigned i = 0; i < SAMPLES; i++)
    sample[i] = timed_nothing(CALL_WAIT, 0, 0, 0);
  say_samples("nothing", sample, SAMPLES);
}

/* Nothing has happened and nothing is waited for: the answer to "did anything happen?". */
static void measure_poll(void) {
  COUNT_BEGIN(1);
  for (unsigned i = 0; i < SAMPLES; i++)
    sample[i] = timed_call(CALL_WAIT, 0, 0, 0);
  COUNT_END(1);
  say_samples("poll", sample, SAMPLES);
}

/* A call that this partition's role does not have. */
static void measure_no_call(void) {
  COUNT_BEGIN(2);
  for (unsigned i = 0; i < SAMPLES; i++)
    sample[i] = timed_call(CALL_CONVERT, 0, 0, 0);
  COUNT_END(2);
  say_samples("no-call", sample, SAMPLES);
}

/* Returns whether all the calls left the vector registers alone: printing does not. */
static bool measure_round_trip(uint32_t peer) {
  vectors_set(1);
  COUNT_BEGIN(3);
  for (unsigned i = 0; i < SAMPLES; i++)
    sample[i] = timed_call(CALL_SIGNAL_AND_WAIT, peer, 0, NEVER);
  COUNT_END(3);
  bool kept = vectors_kept(1);
  say_samples("round-trip", sample, SAMPLES);
  return kept;
}

int main(void) {
  uint32_t peer = channel("peer")->index;
  while (monitor_signal_and_wait(peer, 0, deadline_in_ns(1000000)).status != STATUS_OK)
    ; /* until `answerer` runs */
  measure_nothing();
  measure_poll();
  measure_no_call();
  return measure_round_trip(peer) ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends messages by one copy into the channel, where the other end reads them; before each round the same bytes are copied the
 * same way within our own memory: the plain memcpy that the stream is held against. A round ends with the sink's answer.
 */
#include "stream.h"

static struct peer stream;
static uint64_t message[MESSAGE / 8];
static uint64_t copy[MESSAGE / 8];
static uint32_t sample[ROUNDS], plain[ROUNDS];

static void fill(uint32_t number) {
  for (uint32_t place = 0; place < MESSAGE / 8; place++)
    message[place] = word_of(number, place);
}

static bool send(void) {
  void *room = peer_reserve(&stream, NEVER);
  memcpy(room, message, MESSAGE);
  return peer_commit(&stream, MESSAGE) == STATUS_OK;
}

/* The sink's answer: how many messages it has found right. */
static bool answered(uint32_t expected) {
  uint32_t found;
  return peer_receive(&stream, &found, sizeof found, NEVER) == sizeof found && found == expected;
}

static bool compared_round(void) {
  for (uint32_t number = 0; number < MESSAGES; number++) {
    fill(number);
    if (!send())
      return false;
  }
  return answered(MESSAGES);
}

static uint32_t copy_round(void) {
  uint32_t start = (uint32_t)clock_now();
  for (unsigned i = 0; i < MESSAGES; i++)
    memcpy(copy, message, MESSAGE);
  return (uint32_t)clock_now() - start;
}

/* From before the first message to the answer to the last. */
static bool stream_round(uint32_t expected, uint32_t *ticks) {
  uint32_t start = (uint32_t)clock_now();
  for (unsigned i = 0; i < MESSAGES; i++)
    if (!send())
      return false;
  bool good = answered(expected);
  *ticks = (uint32_t)clock_now() - start;
  return good;
}

int main(void) {
  if (!peer_open(&stream, channel("stream")) || peer_limit(&stream) < MESSAGE)
    return 2;
  if (!compared_round())
    return 3;
  for (uint32_t round = 0; round < ROUNDS; round++) {
    fill(0);
    plain[round] = copy_round();
    if (!stream_round((round + 2) * MESSAGES, &sample[round]))
      return 4;
  }
  say_samples("plain", plain, ROUNDS);
  say_samples("stream", sample, ROUNDS);
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads messages where they stand: every word of the first round, then the first and the last of each, so that what is measured is
 * the stream and not the reader. Answers each round with the number of messages that were right since the start.
 */
#include "stream.h"

static bool all_right(const uint64_t *word, uint32_t number) {
  for (uint32_t place = 0; place < MESSAGE / 8; place++)
    if (word[place] != word_of(number, place))
      return false;
  return true;
}

static bool ends_right(const uint64_t *word) {
  return word[0] == word_of(0, 0) && word[MESSAGE / 8 - 1] == word_of(0, MESSAGE / 8 - 1);
}

static bool receive(struct peer *stream, bool compare, uint32_t number) {
  size_t size;
  const uint64_t *word = peer_peek(stream, &size, NEVER);
  bool right = size == MESSAGE && (compare ? all_right(word, number) : ends_right(word));
  return peer_done(stream) == STATUS_OK && right;
}

int main(void) {
  static struct peer stream;
  uint32_t right = 0;
  if (!peer_open(&stream, channel("stream")))
    return 2;
  for (uint32_t round = 0; round <= ROUNDS; round++) {
    for (uint32_t number = 0; number < MESSAGES; number++)
      right += receive(&stream, round == 0, number);
    if (peer_send(&stream, &right, sizeof right, NEVER) != STATUS_OK)
      return 3;
  }
  return 0;
}

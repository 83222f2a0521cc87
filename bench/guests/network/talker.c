/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends frames of 64 and of 1,500 bytes to somebody who sends them back, 32 under way. Between the marks only the number in
 * each is looked at; a round before them compares every byte.
 */
#include "../measure.h"
#include "frames.h"

#define ROUNDS 5u
#define PATIENCE 10000000000ull

static const uint8_t peer[ETHERNET_ADDRESS] = {0x52, 0x54, 0, 0, 0, 0x0b};
static struct network network;
static struct network_loan loan[WINDOW];
static uint8_t frame[WINDOW][ETHERNET_FRAME] __attribute__((aligned(64)));

static void prepare(void) {
  uint8_t own[ETHERNET_ADDRESS];
  network_address(&network, own);
  for (unsigned i = 0; i < WINDOW; i++) {
    for (unsigned at = CONTENT; at < ETHERNET_FRAME; at++)
      frame[i][at] = content(at, i);
    make_header(frame[i], peer, own, i, true);
  }
}

static bool send(uint64_t number, size_t size, uint64_t deadline) {
  unsigned slot = number % WINDOW;
  if (loan[slot].busy && !network_settle(&network, &loan[slot], deadline))
    return false;
  __builtin_memcpy(&frame[slot][NUMBER], &number, sizeof number);
  return network_lend(&network, &loan[slot], frame[slot], size, deadline) == STATUS_OK;
}

/* What comes back has our address first and the peer's behind it. */
static bool take(uint64_t number, size_t size, bool compare, uint64_t deadline) {
  size_t length;
  const uint8_t *got = network_peek(&network, &length, deadline);
  uint64_t found;
  if (!got || length < size)
    return false;
  __builtin_memcpy(&found, got + NUMBER, sizeof found);
  bool right = found == number;
  if (compare)
    right &= memcmp(got + 12, frame[number % WINDOW] + 12, size - 12) == 0;
  network_done(&network);
  return right;
}

static bool exchange(size_t size, bool compare) {
  uint64_t deadline = deadline_in_ns(PATIENCE);
  for (uint64_t sent = 0, got = 0; got < FRAMES; got++) {
    for (; sent < FRAMES && sent - got < WINDOW; sent++)
      if (!send(sent, size, deadline))
        return false;
    if (!take(got, size, compare, deadline))
      return false;
  }
  return true;
}

static bool count_short(void) {
  COUNT_BEGIN(1);
  bool good = exchange(64, false);
  COUNT_END(1);
  return good;
}

static bool count_long(void) {
  COUNT_BEGIN(2);
  bool good = exchange(1500, false);
  COUNT_END(2);
  return good;
}

int main(void) {
  if (!network_open(&network, channel("plant")))
    return 2;
  prepare();
  if (!exchange(64, true) || !exchange(1500, true))
    return 3;
  for (unsigned round = 0; round < ROUNDS; round++)
    if (!count_short() || !count_long())
      return 4;
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends frames of 1,500 bytes to another guest, at most 32 that it has not heard of, each made where it goes out from. A round
 * before those that are counted has every byte made and compared.
 */
#include "../measure.h"
#include "frames.h"

#define ROUNDS 5u
#define PATIENCE 10000000000ull
#define SIZE 1500u

static const uint8_t peer[ETHERNET_ADDRESS] = {0x52, 0x54, 0, 0, 0, 0x0b};
static struct network network;
static uint8_t own[ETHERNET_ADDRESS];

/* Made where it goes out from. What is not compared holds what stood there before. */
static bool send(uint64_t number, bool compare, uint64_t deadline) {
  uint8_t *frame = network_reserve(&network, deadline);
  if (!frame)
    return false;
  if (compare)
    for (unsigned at = CONTENT; at < SIZE; at++)
      frame[at] = content(at, number);
  make_header(frame, peer, own, number, compare);
  return network_commit(&network, SIZE) == STATUS_OK;
}

/* The other end has had everything up to the number that comes. */
static uint64_t hear(uint64_t deadline) {
  size_t size;
  const uint8_t *got = network_peek(&network, &size, deadline);
  uint64_t number;
  if (!got)
    return LAST;
  __builtin_memcpy(&number, got + NUMBER, sizeof number);
  network_done(&network);
  return number;
}

static bool stream(bool compare) {
  uint64_t deadline = deadline_in_ns(PATIENCE);
  for (uint64_t sent = 0, heard = 0; heard < FRAMES; heard += ACKNOWLEDGED) {
    for (; sent < FRAMES && sent - heard < WINDOW; sent++)
      if (!send(sent, compare, deadline))
        return false;
    if (hear(deadline) != heard + ACKNOWLEDGED - 1)
      return false;
  }
  return true;
}

static bool count_stream(void) {
  COUNT_BEGIN(3);
  bool good = stream(false);
  COUNT_END(3);
  return good;
}

int main(void) {
  if (!network_open(&network, channel("plant")))
    return 2;
  network_address(&network, own);
  if (!stream(true))
    return 3;
  for (unsigned round = 0; round < ROUNDS; round++)
    if (!count_stream())
      return 4;
  if (!send(LAST, false, deadline_in_ns(PATIENCE)))
    return 5;
  network_flush(&network);
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes frames and says of every sixteenth that it is there. Ends with the last number, or badly when a number is missing or
 * a frame that is to be compared is not as the source makes it.
 */
#include "frames.h"

static struct network network;

static bool as_made(const uint8_t *frame, size_t size, uint64_t number) {
  for (size_t at = CONTENT; at < size; at++)
    if (frame[at] != content(at, number))
      return false;
  return true;
}

static void acknowledge(const uint8_t *frame, const uint8_t *own) {
  uint8_t *answer = network_reserve(&network, NEVER);
  __builtin_memcpy(answer, frame + ETHERNET_ADDRESS, ETHERNET_ADDRESS);
  __builtin_memcpy(answer + ETHERNET_ADDRESS, own, ETHERNET_ADDRESS);
  __builtin_memcpy(answer + 2 * ETHERNET_ADDRESS, frame + 2 * ETHERNET_ADDRESS, CONTENT - 2 * ETHERNET_ADDRESS);
  memset(answer + CONTENT, 0, ETHERNET_SHORTEST - CONTENT);
  network_commit(&network, ETHERNET_SHORTEST);
}

int main(void) {
  uint8_t own[ETHERNET_ADDRESS];
  if (!network_open(&network, channel("plant")))
    return 1;
  network_address(&network, own);
  for (uint64_t expected = 0;; expected = (expected + 1) % FRAMES) {
    size_t size;
    const uint8_t *frame = network_peek(&network, &size, NEVER);
    uint64_t number;
    __builtin_memcpy(&number, frame + NUMBER, sizeof number);
    if (number == LAST)
      return 0;
    if (number != expected || (frame[COMPARE] && !as_made(frame, size, number)))
      return 2;
    if (number % ACKNOWLEDGED == ACKNOWLEDGED - 1)
      acknowledge(frame, own);
    network_done(&network);
  }
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends every frame back to where it came from, until one with the last number comes.
 */
#include "parclose.h"

static struct network network;

int main(void) {
  if (!network_open(&network, channel("plant")))
    return 1;
  for (;;) {
    size_t size;
    const uint8_t *frame = network_peek(&network, &size, NEVER);
    uint64_t number;
    memcpy(&number, frame + ETHERNET_HEADER, sizeof number);
    if (number == UINT64_MAX)
      return 0;
    uint8_t *answer = network_reserve(&network, NEVER);
    memcpy(answer, frame, size);
    memcpy(answer, frame + ETHERNET_ADDRESS, ETHERNET_ADDRESS);
    memcpy(answer + ETHERNET_ADDRESS, frame, ETHERNET_ADDRESS);
    network_done(&network);
    network_commit(&network, size);
  }
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends every frame back to where it came from.
 */
#include "frames.h"

static struct network network;

int main(void) {
  uint8_t own[ETHERNET_ADDRESS];
  if (!network_open(&network, channel("bus")))
    return 1;
  network_address(&network, own);
  for (;;) {
    size_t size;
    const uint8_t *frame = network_peek(&network, &size, NEVER);
    uint8_t *answer = network_reserve(&network, NEVER);
    memcpy(answer, frame, size);
    make_header(answer, frame + ETHERNET_ADDRESS, own, get16(frame + 12));
    network_done(&network);
    network_commit(&network, size);
  }
}

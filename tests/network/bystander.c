/* SPDX-License-Identifier: Apache-2.0
 *
 * Hears what is meant for it: one frame of the spoofer's.
 */
#include "frames.h"

static struct network network;

int main(void) {
  uint8_t frame[ETHERNET_FRAME];
  if (!network_open(&network, channel("bus")))
    return 1;
  int length = network_receive(&network, frame, sizeof frame, deadline_in_ns(30 * SECOND));
  if (length != 100 || get16(frame + 12) != TYPE_TEST)
    return 2;
  return network_receive(&network, frame, sizeof frame, deadline_in_ns(2 * SECOND)) < 0 ? 0 : 3;
}

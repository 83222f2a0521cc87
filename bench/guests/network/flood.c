/* SPDX-License-Identifier: Apache-2.0
 *
 * One of many that send small frames to a wire where nobody is, as many at once
 * as there is room for. The first one's marks stand around the middle of its
 * work, when all are at theirs.
 */
#include "../measure.h"

#define SIZE 64u
#define BURST 16u
#define BURSTS 300u
#define FIRST_COUNTED 100u
#define LAST_COUNTED 200u

static const uint8_t FAR[ETHERNET_ADDRESS] = {0x02, 0, 0, 0, 0, 0xee};
static struct network network;
static uint8_t frame[SIZE];

static bool send_burst(void) {
  for (unsigned i = 0; i < BURST; i++)
    if (network_queue(&network, frame, SIZE, NEVER) != STATUS_OK)
      return false;
  network_flush(&network);
  return true;
}

static bool send_all(void) {
  for (unsigned i = 0; i < BURSTS; i++) {
    if (COUNTS && i == FIRST_COUNTED)
      COUNT_BEGIN(1);
    if (COUNTS && i == LAST_COUNTED)
      COUNT_END(1);
    if (!send_burst())
      return false;
  }
  return true;
}

int main(void) {
  if (!network_open(&network, channel("plant")))
    return 1;
  memcpy(frame, FAR, sizeof FAR);
  network_address(&network, frame + ETHERNET_ADDRESS);
  frame[12] = 0x88; /* IEEE 802, for experiments */
  frame[13] = 0xb5;
  sleep_ns(100000000); /* until all are there */
  return send_all() ? 0 : 2;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Lends frames to the card and dies at once, in each life but the last. Every
 * byte of a frame says in which life it was made: what the wire sees of a frame
 * must be of one life.
 */
#include "frames.h"

#define FRAMES 32u
#define SIZE 1000u

static const uint8_t FAR[ETHERNET_ADDRESS] = {0x02, 0, 0, 0, 0, 0xee};
static struct network network;
static uint8_t frame[FRAMES][SIZE] __attribute__((aligned(4096)));
static struct network_loan loan[FRAMES];

int main(void) {
  uint8_t own[ETHERNET_ADDRESS];
  if (!network_open(&network, channel("plant")))
    return 1;
  network_address(&network, own);
  while (!network_link(&network))
    wait_event(network.channel->event, deadline_in_ns(SECOND / 100));
  for (unsigned i = 0; i < FRAMES; i++) {
    make_header(frame[i], FAR, own, TYPE_TEST);
    memset(frame[i] + ETHERNET_HEADER, (int)life(), SIZE - ETHERNET_HEADER);
    if (network_lend(&network, &loan[i], frame[i], SIZE, NEVER) != STATUS_OK)
      return 2;
  }
  network_flush(&network);
  if (life() < LIVES)
    *(volatile int *)0 = 0;
  for (unsigned i = 0; i < FRAMES; i++)
    if (!network_settle(&network, &loan[i], deadline_in_ns(20 * SECOND)))
      return 3;
  return 0;
}

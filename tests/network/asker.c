/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends frames of all sizes to the mirror, singly and many at a time, and looks
 * at what comes back: every one, in order, unchanged. Before, it asks until the
 * mirror is there: who has no buffers yet hears nothing.
 */
#include "frames.h"

#define SINGLE 300u
#define ROUNDS 50u
#define AT_ONCE 8u

static const uint8_t MIRROR[ETHERNET_ADDRESS] = {0x52, 0x54, 0, 0, 0, 0x0b};
static struct network network;
static uint8_t own[ETHERNET_ADDRESS], frame[ETHERNET_FRAME];

static size_t size_of(uint32_t number) {
  return ETHERNET_HEADER + number * 37 % (ETHERNET_PAYLOAD + 1);
}

static bool ask(const uint8_t *to, uint32_t number) {
  size_t size = size_of(number);
  make_header(frame, to, own, TYPE_TEST);
  make_payload(frame, size, number);
  return network_queue(&network, frame, size, deadline_in_ns(10 * SECOND)) == STATUS_OK;
}

static bool hear(uint32_t number) {
  int length = network_receive(&network, frame, sizeof frame, deadline_in_ns(10 * SECOND));
  return length == (int)size_of(number) && memcmp(frame, own, ETHERNET_ADDRESS) == 0 &&
         memcmp(frame + ETHERNET_ADDRESS, MIRROR, ETHERNET_ADDRESS) == 0 && is_payload(frame, (size_t)length, number);
}

/* Returns whether the mirror is there, and nothing of its answers is left. */
static bool greet(void) {
  bool there = false;
  for (uint32_t i = 0; i < 200 && !there; i++)
    there = ask(MIRROR, 0) && network_receive(&network, frame, sizeof frame, deadline_in_ns(SECOND / 20)) > 0;
  while (network_receive(&network, frame, sizeof frame, deadline_in_ns(SECOND / 5)) > 0)
    ;
  return there;
}

int main(void) {
  uint32_t number = 0;
  if (!network_open(&network, channel("bus")))
    return 1;
  network_address(&network, own);
  if (!greet())
    return 6;
  uint64_t before = network_counted(&network, COUNT_RECEIVED);
  for (; number < SINGLE; number++)
    if (!ask(number % 10 ? MIRROR : EVERYONE, number) || !hear(number))
      return 2;
  for (uint32_t round = 0; round < ROUNDS; round++, number += AT_ONCE) {
    for (uint32_t i = 0; i < AT_ONCE; i++)
      if (!ask(MIRROR, number + i))
        return 3;
    for (uint32_t i = 0; i < AT_ONCE; i++)
      if (!hear(number + i))
        return 4;
  }
  if (!network_link(&network) || network_counted(&network, COUNT_RECEIVED) != before + number ||
      before < (uint64_t)number * (life() - 1))
    return 5;
  printf("%u frames came back, life %u\n", number, life());
  if (life() < LIVES)
    *(volatile int *)0 = 0; /* the next life finds the channel as the first did */
  return 0;
}

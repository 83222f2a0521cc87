/* SPDX-License-Identifier: Apache-2.0
 *
 * Tries to be heard by those whose lists leave it out, and to be somebody else.
 * Success is a frame at the mirror, which would answer, or at the bystander.
 */
#include "frames.h"
#include "monitor.h"

#define TRIES 20u

static const uint8_t ASKER[ETHERNET_ADDRESS] = {0x52, 0x54, 0, 0, 0, 0x0a};
static const uint8_t MIRROR[ETHERNET_ADDRESS] = {0x52, 0x54, 0, 0, 0, 0x0b};
static const uint8_t BYSTANDER[ETHERNET_ADDRESS] = {0x52, 0x54, 0, 0, 0, 0x0c};
static struct network network;
static uint8_t own[ETHERNET_ADDRESS], frame[ETHERNET_FRAME];

static void attempt(const uint8_t *to, const uint8_t *from, uint32_t type) {
  make_header(frame, to, from, type);
  network_send(&network, frame, 100, NEVER);
}

/* A chain of the size given, whatever the runtime thinks of it. */
static void odd_size(uint32_t bytes) {
  uint8_t *place = (uint8_t *)network_reserve(&network, NEVER) - NETWORK_HEADER;
  make_header(place + NETWORK_HEADER, BYSTANDER, own, TYPE_TEST);
  memset(place, 0, NETWORK_HEADER);
  struct virtqueue_buffer buffer = {(uintptr_t)place, bytes, 0};
  network.transmit_slot[virtqueue_add(&network.transmit, &buffer, 1)] = network.reserved_slot;
  network.reserved = false;
  monitor_signal(network.channel->index, 0);
}

#define IS(what, number)                                                                                               \
  do {                                                                                                                 \
    uint64_t counted = network_counted(&network, what);                                                                \
    if (counted != (number)) {                                                                                         \
      printf(#what ": %lu, not %u\n", (unsigned long)counted, number);                                                 \
      return 2;                                                                                                        \
    }                                                                                                                  \
  } while (0)

int main(void) {
  static const uint32_t SIZES[] = {0, 12, 25, 12 + 1515, 12 + 9000, 12 + 65535, 0xffffffff};
  if (!network_open(&network, channel("bus")))
    return 1;
  network_address(&network, own);
  for (uint32_t i = 0; i < TRIES; i++) {
    attempt(MIRROR, own, TYPE_TEST);
    attempt(MIRROR, ASKER, TYPE_TEST);
    attempt(BYSTANDER, ASKER, TYPE_TEST);
    attempt(EVERYONE, MIRROR, TYPE_TEST);
    attempt(BYSTANDER, own, ETHERNET_TYPE_VLAN);
    attempt(own, own, TYPE_TEST);
  }
  attempt(BYSTANDER, own, TYPE_TEST); /* the one that it may */
  for (uint32_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++)
    odd_size(SIZES[i]);
  sleep_ns(SECOND / 5);
  IS(COUNT_FALSE_SOURCE, 3 * TRIES);
  IS(COUNT_OWN_TAG, TRIES);
  IS(COUNT_NOBODY, 2 * TRIES);
  IS(COUNT_BAD_LENGTH, (unsigned)(sizeof SIZES / sizeof SIZES[0]));
  IS(COUNT_REQUESTS, 1);
  IS(COUNT_RECEIVED, 0);
  printf("refused as it should be\n");
  return 0;
}

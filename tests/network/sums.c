/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaves the checksums of its datagrams to the card, and says what the card
 * thought of those that come.
 */
#include "frames.h"

#define IP_HEADER 20u
#define UDP_HEADER 8u
#define UDP_AT (ETHERNET_HEADER + IP_HEADER)
#define DATA_AT (UDP_AT + UDP_HEADER)
#define DATAGRAMS 24u

static const uint8_t FAR[ETHERNET_ADDRESS] = {0x02, 0, 0, 0, 0, 0x01};
static const uint8_t ADDRESSES[8] = {10, 0, 2, 15, 10, 0, 2, 9};
static struct network network;
static uint8_t frame[DATAGRAMS][ETHERNET_FRAME];
static struct network_loan loan[DATAGRAMS];

/* A datagram with data of the size given, and the sum of its pseudo-header alone. */
static size_t make(uint8_t *bytes, size_t data, const uint8_t *own) {
  uint8_t *ip = bytes + ETHERNET_HEADER, *udp = bytes + UDP_AT;
  uint32_t length = (uint32_t)(UDP_HEADER + data);
  make_header(bytes, FAR, own, 0x0800);
  memset(ip, 0, IP_HEADER);
  ip[0] = 0x45;
  put16(ip + 2, IP_HEADER + length);
  ip[8] = 64;
  ip[9] = 17;
  memcpy(ip + 12, ADDRESSES, sizeof ADDRESSES);
  put16(ip + 10, checksum(ip, IP_HEADER, 0));
  put16(udp, 5000);
  put16(udp + 2, 6000);
  put16(udp + 4, length);
  put16(udp + 6, ~checksum(ADDRESSES, sizeof ADDRESSES, 17 + length) & 0xffff);
  for (size_t i = 0; i < data; i++)
    bytes[DATA_AT + i] = (uint8_t)(i * 7 + data);
  return DATA_AT + data;
}

static void tell_of_one(void) {
  size_t size;
  const uint8_t *got = network_peek(&network, &size, NEVER);
  printf("%s: %s\n", got[DATA_AT] == 'g' ? "good" : "bad", network_checked(&network) ? "checked" : "not checked");
  network_done(&network);
}

int main(void) {
  uint8_t own[ETHERNET_ADDRESS];
  if (!network_open(&network, channel("plant")))
    return 1;
  network_address(&network, own);
  while (!network_link(&network))
    wait_event(network.channel->event, deadline_in_ns(SECOND / 100));
  for (unsigned i = 0; i < DATAGRAMS; i++) {
    size_t size = make(frame[i], 1 + 61 * i, own);
    if (network_lend_checksum(&network, &loan[i], frame[i], size, UDP_AT, 6, NEVER) != STATUS_OK)
      return 2;
  }
  for (unsigned i = 0; i < DATAGRAMS; i++)
    if (!network_settle(&network, &loan[i], deadline_in_ns(10 * SECOND)))
      return 3;
  network_flush(&network);
  tell_of_one();
  tell_of_one();
  return 0;
}

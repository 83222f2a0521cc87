/* SPDX-License-Identifier: Apache-2.0
 *
 * A station of the Internet that answers ARP (RFC 826), ICMP echo (RFC 792) and
 * UDP echo (RFC 862). Answers are made where they go out; those to somebody
 * beyond the wire that are long are lent to the card instead.
 */
#include "frames.h"

#define TYPE_IP 0x0800u
#define TYPE_ARP 0x0806u
#define IP ETHERNET_HEADER
#define IP_HEADER 20u
#define ICMP_ECHO 8u
#define PROTOCOL_ICMP 1u
#define PROTOCOL_UDP 17u
#define PORT_ECHO 7u
#define LOANS 8u

static const uint8_t OWN_IP[4] = {10, 0, 2, HOST};
static struct network network;
static uint8_t own[ETHERNET_ADDRESS];
static uint8_t lent[LOANS][ETHERNET_FRAME];
static struct network_loan loan[LOANS];
static uint32_t answers;

static size_t answer_arp(uint8_t *frame, size_t size) {
  uint8_t *arp = frame + ETHERNET_HEADER;
  if (size < ETHERNET_HEADER + 28 || get16(arp + 6) != 1 || memcmp(arp + 24, OWN_IP, 4) != 0)
    return 0;
  put16(arp + 6, 2);
  memcpy(arp + 18, arp + 8, 10); /* who asked, is told */
  memcpy(arp + 8, own, ETHERNET_ADDRESS);
  memcpy(arp + 14, OWN_IP, 4);
  return ETHERNET_HEADER + 28;
}

static size_t answer_icmp(uint8_t *icmp, size_t size) {
  if (size < 8 || icmp[0] != ICMP_ECHO || checksum(icmp, size, 0) != 0)
    return 0;
  icmp[0] = 0;
  put16(icmp + 2, 0);
  put16(icmp + 2, checksum(icmp, size, 0));
  return size;
}

static uint32_t udp_checksum(const uint8_t *ip, const uint8_t *udp, size_t size) {
  uint32_t sum = PROTOCOL_UDP + (uint32_t)size;
  for (uint32_t i = 12; i < IP_HEADER; i += 2)
    sum += get16(ip + i);
  return checksum(udp, size, sum);
}

static size_t answer_udp(uint8_t *ip, uint8_t *udp, size_t size) {
  if (size < 8 || get16(udp + 4) > size || get16(udp + 4) < 8 || get16(udp + 2) != PORT_ECHO)
    return 0;
  size = get16(udp + 4);
  if (get16(udp + 6) && udp_checksum(ip, udp, size) != 0)
    return 0;
  uint32_t port = get16(udp);
  put16(udp, PORT_ECHO);
  put16(udp + 2, port);
  put16(udp + 6, 0);
  uint32_t sum = udp_checksum(ip, udp, size);
  put16(udp + 6, sum ? sum : 0xffff);
  return size;
}

static size_t answer_ip(uint8_t *frame, size_t size) {
  uint8_t *ip = frame + IP;
  if (size < IP + IP_HEADER || ip[0] != 0x45 || get16(ip + 2) > size - IP || get16(ip + 2) < IP_HEADER ||
      memcmp(ip + 16, OWN_IP, 4) != 0 || checksum(ip, IP_HEADER, 0) != 0)
    return 0;
  size_t inside = get16(ip + 2) - IP_HEADER, made = 0;
  if (ip[9] == PROTOCOL_ICMP)
    made = answer_icmp(ip + IP_HEADER, inside);
  else if (ip[9] == PROTOCOL_UDP)
    made = answer_udp(ip, ip + IP_HEADER, inside);
  if (!made)
    return 0;
  memcpy(ip + 16, ip + 12, 4);
  memcpy(ip + 12, OWN_IP, 4);
  put16(ip + 2, IP_HEADER + (uint32_t)made);
  put16(ip + 10, 0);
  put16(ip + 10, checksum(ip, IP_HEADER, 0));
  return IP + IP_HEADER + made;
}

static void answer(const uint8_t *asked, size_t size) {
  uint32_t next = answers % LOANS;
  uint8_t *frame = lent[next];
  network_settle(&network, &loan[next], NEVER);
  memcpy(frame, asked, size);
  size_t made = 0;
  if (get16(frame + 12) == TYPE_ARP)
    made = answer_arp(frame, size);
  else if (get16(frame + 12) == TYPE_IP)
    made = answer_ip(frame, size);
  if (!made)
    return;
  memcpy(frame, asked + ETHERNET_ADDRESS, ETHERNET_ADDRESS);
  memcpy(frame + ETHERNET_ADDRESS, own, ETHERNET_ADDRESS);
  if (network_lend(&network, &loan[next], frame, made, NEVER) == STATUS_OK)
    answers++;
}

int main(void) {
  bool link = false;
  if (!network_open(&network, channel("plant")))
    return 1;
  network_address(&network, own);
  for (;;) {
    size_t size;
    const uint8_t *frame = network_peek(&network, &size, deadline_in_ns(SECOND / 10));
    if (network_link(&network) != link) {
      link = !link;
      printf("link %s\n", link ? "up" : "down");
    }
    if (!frame)
      continue;
    answer(frame, size);
    network_done(&network);
  }
}

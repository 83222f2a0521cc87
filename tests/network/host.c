/* SPDX-License-Identifier: Apache-2.0
 *
 * As much of an Internet host as an echo needs: ARP (RFC 826), echo requests of
 * ICMP (RFC 792) and the echo port of UDP (RFC 862) on 10.0.2.LAST. It asks its
 * gateway, 10.0.2.2, for an echo first, where PING is defined. What has a wrong
 * checksum is dropped. Ends when "end" comes to the echo port.
 */
#include "parclose.h"

#define SECOND 1000000000ull
#define ETHERNET 14u
#define ARP_SIZE 28u
#define IP_SIZE 20u
#define UDP_SIZE 8u
#define TYPE_IP 0x0800u
#define TYPE_ARP 0x0806u
#define ICMP 1u
#define UDP 17u
#define ECHO_PORT 7u

static struct network net;
static const uint8_t own_ip[4] = {10, 0, 2, LAST}, gateway_ip[4] = {10, 0, 2, 2};
static uint8_t own[6], gateway[6];
static bool gateway_known, gateway_answered, ended;
static unsigned echoes, dropped;

static uint32_t get16(const uint8_t *place) {
  return (uint32_t)place[0] << 8 | place[1];
}

static void put16(uint8_t *place, uint32_t value) {
  place[0] = (uint8_t)(value >> 8);
  place[1] = (uint8_t)value;
}

/* RFC 1071: of bytes that hold their checksum already, `sum` and the result are 0. */
static uint32_t checksum(const uint8_t *bytes, uint32_t length, uint32_t sum) {
  for (uint32_t i = 0; i < length; i++)
    sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/* --- out --- */

static uint8_t *begin(const uint8_t *to, uint32_t type) {
  uint8_t *frame = network_reserve(&net, deadline_in_ns(SECOND));
  if (!frame)
    return 0;
  memcpy(frame, to, 6);
  memcpy(frame + 6, own, 6);
  put16(frame + 12, type);
  return frame;
}

static void send_arp(const uint8_t *to, uint32_t operation, const uint8_t *address, const uint8_t *ip) {
  static const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0};
  uint8_t *frame = begin(to, TYPE_ARP);
  if (!frame)
    return;
  uint8_t *arp = frame + ETHERNET;
  memcpy(arp, head, sizeof head);
  arp[7] = (uint8_t)operation;
  memcpy(arp + 8, own, 6);
  memcpy(arp + 14, own_ip, 4);
  memcpy(arp + 18, address, 6);
  memcpy(arp + 24, ip, 4);
  network_commit(&net, ETHERNET + ARP_SIZE);
}

static void ask_gateway(void) {
  uint8_t *frame = begin(gateway, TYPE_IP);
  if (!frame)
    return;
  uint8_t *ip = frame + ETHERNET, *icmp = ip + IP_SIZE;
  memset(ip, 0, IP_SIZE + 16);
  ip[0] = 0x45;
  put16(ip + 2, IP_SIZE + 16);
  ip[8] = 64;
  ip[9] = ICMP;
  memcpy(ip + 12, own_ip, 4);
  memcpy(ip + 16, gateway_ip, 4);
  put16(ip + 10, checksum(ip, IP_SIZE, 0));
  icmp[0] = 8;
  put16(icmp + 2, checksum(icmp, 16, 0));
  network_commit(&net, ETHERNET + IP_SIZE + 16);
}

/* The same packet to who sent it: no sum changes by an exchange. Null: no room, and so lost. */
static uint8_t *begin_back(const uint8_t *packet, uint32_t length) {
  uint8_t *frame = begin(packet - ETHERNET + 6, TYPE_IP);
  if (!frame)
    return 0;
  uint8_t *ip = frame + ETHERNET;
  memcpy(ip, packet, length);
  memcpy(ip + 12, packet + 16, 4);
  memcpy(ip + 16, packet + 12, 4);
  return ip;
}

static void send_back(uint32_t length) {
  network_commit(&net, ETHERNET + length);
  echoes++;
}

/* --- in --- */

static void take_arp(const uint8_t *arp, uint32_t length) {
  if (length < ARP_SIZE || memcmp(arp + 24, own_ip, 4) != 0)
    return;
  if (arp[7] == 1) {
    send_arp(arp + 8, 2, arp + 8, arp + 14);
  } else if (arp[7] == 2 && memcmp(arp + 14, gateway_ip, 4) == 0) {
    memcpy(gateway, arp + 8, 6);
    gateway_known = true;
  }
}

static bool take_icmp(const uint8_t *ip, uint32_t length) {
  const uint8_t *icmp = ip + IP_SIZE;
  if (length < IP_SIZE + 8 || checksum(icmp, length - IP_SIZE, 0) != 0)
    return false;
  if (icmp[0] == 0)
    gateway_answered = memcmp(ip + 12, gateway_ip, 4) == 0;
  if (icmp[0] != 8)
    return true;
  uint8_t *answer = begin_back(ip, length);
  if (answer) {
    answer += IP_SIZE;
    answer[0] = 0;
    put16(answer + 2, 0);
    put16(answer + 2, checksum(answer, length - IP_SIZE, 0));
    send_back(length);
  }
  return true;
}

static bool take_udp(const uint8_t *ip, uint32_t length) {
  const uint8_t *udp = ip + IP_SIZE;
  uint32_t size = length - IP_SIZE;
  if (size < UDP_SIZE || get16(udp + 4) != size || get16(udp + 2) != ECHO_PORT)
    return false;
  /* the pseudo-header: addresses, protocol, length (RFC 768); a checksum of 0: there is none */
  uint32_t pseudo = get16(ip + 12) + get16(ip + 14) + get16(ip + 16) + get16(ip + 18) + UDP + size;
  if (get16(udp + 6) && checksum(udp, size, pseudo) != 0)
    return false;
  ended = size == UDP_SIZE + 3 && memcmp(udp + UDP_SIZE, "end", 3) == 0;
  uint8_t *answer = begin_back(ip, length);
  if (answer) {
    memcpy(answer + IP_SIZE, udp + 2, 2);
    memcpy(answer + IP_SIZE + 2, udp, 2);
    send_back(length);
  }
  return true;
}

static bool take_ip(const uint8_t *ip, uint32_t room) {
  uint32_t length = room < IP_SIZE ? 0 : get16(ip + 2);
  if (length < IP_SIZE || length > room || ip[0] != 0x45 || checksum(ip, IP_SIZE, 0) != 0)
    return false;
  if (memcmp(ip + 16, own_ip, 4) != 0)
    return true;
  return ip[9] == ICMP ? take_icmp(ip, length) : ip[9] == UDP ? take_udp(ip, length) : true;
}

static void take_frame(uint64_t deadline) {
  size_t size;
  const uint8_t *frame = network_peek(&net, &size, deadline);
  if (!frame)
    return;
  uint32_t type = size < ETHERNET ? 0 : get16(frame + 12);
  if (type == TYPE_ARP)
    take_arp(frame + ETHERNET, (uint32_t)size - ETHERNET);
  if (type == TYPE_IP)
    dropped += !take_ip(frame + ETHERNET, (uint32_t)size - ETHERNET);
  network_done(&net);
}

static bool reach_gateway(void) {
  static const uint8_t everybody[6] = {255, 255, 255, 255, 255, 255}, nobody[6];
  for (unsigned tries = 0; tries < 100 && !gateway_answered; tries++) {
    if (gateway_known)
      ask_gateway();
    else
      send_arp(everybody, 1, nobody, gateway_ip);
    take_frame(deadline_in_ns(SECOND / 4));
  }
  return gateway_answered;
}

int main(void) {
  if (!network_open(&net, channel("plant")))
    return 1;
  network_address(&net, own);
#ifdef PING
  if (!reach_gateway())
    return 2;
  printf("the gateway answers\n");
#else
  (void)reach_gateway;
#endif
  printf("10.0.2.%u is up\n", LAST);
  while (!ended)
    take_frame(NEVER);
  network_flush(&net);
  printf("%u echoes, %u dropped\n", echoes, dropped);
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames as the guests of the network tests make and read them.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include "parclose.h"

#define TYPE_TEST 0x88b5u /* IEEE 802: for experiments */
#define SECOND 1000000000ull

static const uint8_t EVERYONE[ETHERNET_ADDRESS] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static inline uint32_t get16(const uint8_t *place) {
  return (uint32_t)place[0] << 8 | place[1];
}

static inline void put16(uint8_t *place, uint32_t value) {
  place[0] = (uint8_t)(value >> 8);
  place[1] = (uint8_t)value;
}

static inline void make_header(uint8_t *frame, const uint8_t *to, const uint8_t *from, uint32_t type) {
  memcpy(frame, to, ETHERNET_ADDRESS);
  memcpy(frame + ETHERNET_ADDRESS, from, ETHERNET_ADDRESS);
  put16(frame + 2 * ETHERNET_ADDRESS, type);
}

/* A payload that its number and length decide. */
static inline void make_payload(uint8_t *frame, size_t length, uint32_t number) {
  for (size_t i = ETHERNET_HEADER; i < length; i++)
    frame[i] = (uint8_t)(number * 31 + length + i);
}

static inline bool is_payload(const uint8_t *frame, size_t length, uint32_t number) {
  for (size_t i = ETHERNET_HEADER; i < length; i++)
    if (frame[i] != (uint8_t)(number * 31 + length + i))
      return false;
  return true;
}

/* RFC 1071: what makes the sum of all 16-bit words be all ones. */
static inline uint32_t checksum(const uint8_t *bytes, size_t length, uint32_t sum) {
  for (size_t i = 0; i + 1 < length; i += 2)
    sum += get16(bytes + i);
  if (length & 1)
    sum += (uint32_t)bytes[length - 1] << 8;
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What the frames of talker, source and sink hold: a number, whether the receiver is to compare, and bytes that follow from
 * both their place and the number.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include "parclose.h"

#define FRAMES 512u /* of a round */
#define WINDOW 32u
#define ACKNOWLEDGED 16u
#define NUMBER ETHERNET_HEADER
#define COMPARE (NUMBER + 8u)
#define CONTENT (COMPARE + 1u)
#define LAST UINT64_MAX /* the number of the frame that ends the peer */

static inline uint8_t content(size_t place, uint64_t number) {
  return (uint8_t)(place * 7 + number % WINDOW);
}

static inline void make_header(uint8_t *frame, const uint8_t *peer, const uint8_t *own, uint64_t number, bool compare) {
  __builtin_memcpy(frame, peer, ETHERNET_ADDRESS);
  __builtin_memcpy(frame + ETHERNET_ADDRESS, own, ETHERNET_ADDRESS);
  frame[12] = 0x88; /* IEEE 802, for experiments */
  frame[13] = 0xb5;
  __builtin_memcpy(frame + NUMBER, &number, sizeof number);
  frame[COMPARE] = compare;
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What both ends of the stream know. Message `number` holds in each 8 bytes a function of the number and their place.
 */
#ifndef STREAM_H
#define STREAM_H

#include "../measure.h"

#define MESSAGE (256u << 10) /* bytes: an eighth of the data area's half */
#define MESSAGES 16u         /* of a round */
#define ROUNDS 21u           /* and one before, which is compared byte by byte */

static inline uint64_t word_of(uint32_t number, uint32_t place) {
  return (number * 0x10001ull + place) * 0x9e3779b97f4a7c15ull;
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of the many channels are rung together, and the words by which the two agree when.
 */
#ifndef ROUNDS_H
#define ROUNDS_H

#include "monitor.h"
#include "parclose.h"

#define ROUNDS 4u
#define RUNG 4u

/* Channels whose events are in the first word of them, in the last, in all of them, in two. */
static const uint32_t rounds[ROUNDS][RUNG] = {
    {0, 1, 62, 63}, {192, 193, 198, 199}, {63, 64, 128, 199}, {5, 191, 190, 7}};

static inline const struct channel_descriptor *numbered(uint32_t number) {
  char name[16];
  format(name, sizeof name, "c%u", number);
  return channel(name);
}

static inline volatile uint32_t *word(const char *name) {
  return (volatile uint32_t *)region(name)->address;
}

#endif

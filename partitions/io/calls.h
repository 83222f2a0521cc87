/* SPDX-License-Identifier: Apache-2.0
 *
 * The monitor as the server and the main loop see it. The host's tests put a
 * model of it behind the same names.
 */
#ifndef PARCLOSE_IO_CALLS_H
#define PARCLOSE_IO_CALLS_H

#include "call.h"

#include <stdbool.h>
#include <stdint.h>

struct events {
  uint64_t summary; /* bit w set: word[w] holds events; the other words mean nothing */
  uint64_t word[LIMIT_EVENTS / 64];
};

/* --- conversion: fill the first `count` entries, then convert; all or none --- */

struct convert_entry *calls_entries(void);
/* `refused`: the entry to blame where the status is of one entry. */
enum status calls_convert(uint32_t channel, uint32_t count, uint32_t life, uint32_t *refused);

/* Whether the channel's client still is in that life. */
bool calls_client_lives(uint32_t channel, uint32_t life);

/* Gives conversions back without a word to the client. */
void calls_release(uint32_t channel, uint32_t count);

/* Gives conversions back and sets the client's event: at the latest in the next calls_wait, so that the last one costs no
   call of its own. */
void calls_signal(uint32_t channel, uint32_t release);

/* --- devices --- */

void calls_acknowledge(uint32_t device, uint32_t interrupt);
bool calls_quiet(uint32_t device);

/* --- time and events --- */

uint64_t calls_now(void); /* ticks */
uint64_t calls_ticks(uint64_t nanoseconds);

/* Takes the events that are there, waiting for one until the deadline (0: not at all, NEVER: no limit). */
void calls_wait(uint64_t deadline, struct events *events);

uint32_t calls_life(void);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * An attacker on the client's side of a channel. It takes rings that a good
 * client has filled, changes one to four fields of the window, some of them
 * before the server looks and the others in front of a later read of the
 * server's: the sources are built so that the sanitizer's check of each load is
 * a call, and the linker leads that call here first.
 */
#ifndef IO_MUTATE_H
#define IO_MUTATE_H

#include "channel.h"

#include <stdbool.h>

struct attack {
  struct channel_window *window;
  uint64_t size;
  uint32_t descriptors[CHANNEL_QUEUES]; /* that a chain holds, the first of the table */
  uint32_t chains[CHANNEL_QUEUES];      /* the first of the available ring */
  void (*payload)(void);                /* changes a field of what stands in headers or data */
};

/* Arguments of the program: seed and number of rings. Returns that number. */
uint32_t mutate_begin(int count, char **words);
uint64_t mutate_any(void);
uint32_t mutate_below(uint32_t limit);

/* An address, or a length, that is worth trying. */
uint64_t mutate_address(void);
uint32_t mutate_length(void);

/* The next ring of this attacker: changes now, and at reads to come until mutate_end. */
void mutate_ring(const struct attack *attack);
void mutate_end(void);

/* Which rule refused how much; none of them more than half of all. `met`: those that must have been reached. */
void mutate_table(const char *class, const uint64_t *counts, const enum counter *met, uint32_t count);

#endif

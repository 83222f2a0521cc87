/* SPDX-License-Identifier: Apache-2.0
 *
 * What the runtime's own files share and programs do not need.
 */
#ifndef PARCLOSE_RUNTIME_H
#define PARCLOSE_RUNTIME_H

#include "live.h"
#include "monitor.h"
#include "parclose.h"

/* Called by exit. A hook, so that only programs that print carry the console's code. */
void at_exit(void (*function)(void));

/* The channel "console", else the first console channel that is no log; null where there is none. */
const struct channel_descriptor *console_of_print(void);

/* This partition's life as that channel of it has it. */
static inline uint32_t channel_life(const struct channel_descriptor *channel) {
  return CHANNEL_LIFE(channel->number, life());
}

/* --- pair.c: at each end, whichever it is --- */

/* False: the channel's data area holds no such slot. `slots`: the most of each direction, at most PAIR_SLOTS; `slot_size` 0:
   what the data area gives for so many. */
bool pair_open(struct pair *pair, const struct channel_descriptor *channel, uint32_t slots, uint32_t slot_size);
enum status pair_send(struct pair *pair, const void *message, size_t size, uint64_t deadline);
int pair_receive(struct pair *pair, void *buffer, size_t size, uint64_t deadline); /* -1: the deadline came */
void *pair_reserve(struct pair *pair, uint64_t deadline);
enum status pair_commit(struct pair *pair, size_t size);
const void *pair_peek(struct pair *pair, size_t *size, uint64_t deadline);
enum status pair_done(struct pair *pair);
bool pair_drain(struct pair *pair,
                uint64_t deadline); /* client: until the server has taken all; false: the deadline came */

/* --- pair_client.c, pair_server.c: one attempt each --- */

void pair_client_open(struct pair *pair);
void *pair_client_reserve(struct pair *pair); /* null: no room */
enum status pair_client_commit(struct pair *pair, size_t size);
const void *pair_client_peek(struct pair *pair, size_t *size); /* null: nothing there */
enum status pair_client_done(struct pair *pair);
bool pair_client_idle(struct pair *pair); /* the server has taken all */

void pair_server_open(struct pair *pair);
void *pair_server_reserve(struct pair *pair);
enum status pair_server_commit(struct pair *pair, size_t size);
const void *pair_server_peek(struct pair *pair, size_t *size);
enum status pair_server_done(struct pair *pair);

#endif

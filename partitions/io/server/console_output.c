/* SPDX-License-Identifier: Apache-2.0
 *
 * From a client's queue to the line. What the line has no room for stays in the
 * queue, and the client waits; or in its buffer, where the layout declares one.
 * With that full, a client does not wait for ever: its text is lost, counted,
 * and announced where it is missing.
 */
#include "../calls.h"
#include "console_server.h"
#include "text.h"

/* --- chains --- */

/* The next chain, into client->chain. False: none. */
static bool take_chain(struct console_client *client) {
  enum virtqueue_take take = virtqueue_take_chain(&client->from_client, &client->chain);
  if (take == VIRTQUEUE_NOTHING)
    return false;
  if (take == VIRTQUEUE_BROKEN || !console_is_current(client)) {
    console_count(client, COUNT_BAD_RING, take == VIRTQUEUE_BROKEN);
    client->broken = true;
    return false;
  }
  if (take == VIRTQUEUE_BAD || client->log) { /* nothing in it to show */
    client->chain.readable = 0;
    console_count(client, take == VIRTQUEUE_BAD ? COUNT_BAD_CHAIN : COUNT_NO_RIGHT, 1);
  } else {
    console_count(client, COUNT_REQUESTS, 1);
  }
  client->has_chain = true;
  client->taken_at = client->server->now;
  client->buffer = client->position = 0;
  return true;
}

static void give_back(struct console_client *client) {
  uint64_t *worst = &client->counters.count[COUNT_WORST_TICKS], ticks = calls_now() - client->taken_at;
  if (ticks > *worst)
    *worst = ticks;
  virtqueue_put_used(&client->from_client, client->chain.head, 0);
  client->wants_signal = true;
}

/* --- bytes --- */

/* False: there is no room for it now. */
static bool accept(struct console_client *client, char byte) {
  if (client->losing) {
    client->lost++;
    console_count(client, COUNT_LOST_BYTES, 1);
    return true;
  }
  if (client->held.size == 0)
    return console_line_put(client, byte);
  if (!console_store_put(&client->held, byte))
    return false;
  client->give_up_at = NEVER;
  return true;
}

/* Returns the bytes of this buffer that were taken, stopping where there is no room. */
static uint32_t take_buffer(struct console_client *client, const struct virtqueue_buffer *buffer, uint32_t limit) {
  const volatile char *text = window_resolve(&client->window, buffer->address, buffer->length);
  uint32_t taken = 0;
  if (!text) {
    console_count(client, COUNT_OUTSIDE_CHANNEL, 1);
    client->position = buffer->length;
    return 0;
  }
  for (; client->position < buffer->length && taken < limit; client->position++, taken++) {
    if (!accept(client, text[client->position]))
      break;
  }
  console_count(client, COUNT_BYTES, taken);
  return taken;
}

/* Takes bytes of the current chain, and gives it back where it is at its end. Returns how many. */
static uint32_t take_bytes(struct console_client *client, uint32_t limit) {
  uint32_t taken = 0;
  for (; client->buffer < client->chain.readable; client->buffer++, client->position = 0) {
    const struct virtqueue_buffer *buffer = &client->chain.buffer[client->buffer];
    taken += take_buffer(client, buffer, limit - taken);
    if (client->position < buffer->length)
      return taken;
  }
  client->has_chain = false;
  give_back(client);
  return taken;
}

/* --- what is held --- */

static void announce(struct console_client *client) {
  struct text what = {0};
  if (client->length && !console_line_show(client))
    return;
  if (!console_room(client->server))
    return;
  text_add_decimal(&what, client->lost);
  text_add(&what, client->lost == 1 ? " byte of " : " bytes of ");
  text_add(&what, client->name);
  console_server_say(client->server, what.character, " lost");
  client->lost = 0;
  client->losing = false;
}

static void show_held(struct console_client *client) {
  for (uint32_t i = 0; i < CONSOLE_BURST && client->held.used; i++) {
    if (!console_line_put(client, console_store_at(&client->held, 0)))
      return;
    console_store_drop(&client->held, 1);
  }
  if (client->lost && client->held.used == 0)
    announce(client);
}

static bool holds(const struct console_client *client) {
  return client->held.used || client->lost;
}

/* The chain at hand did not fit. */
static void wait_for_room(struct console_client *client) {
  if (client->held.size && client->give_up_at == NEVER && !client->losing)
    client->give_up_at = client->server->now + calls_ticks(CONSOLE_LOSS_NS);
}

/* Takes what there is room for, CONSOLE_BURST bytes at most. Returns whether that, or CONSOLE_CHAINS, ended it. */
static bool take_chains(struct console_client *client) {
  uint32_t left = CONSOLE_BURST;
  for (uint32_t i = 0; i < CONSOLE_CHAINS; i++) {
    client->pending = console_is_current(client);
    if (!client->pending)
      return false;
    if (!client->has_chain && !take_chain(client)) {
      client->pending = false;
      return false;
    }
    left -= take_bytes(client, left);
    if (client->has_chain && left)
      wait_for_room(client);
    if (client->has_chain)
      return left == 0;
  }
  return true;
}

bool console_output_take(struct console_client *client) {
  if (client->complete && !console_line_show(client) && client->held.size == 0)
    return false;
  show_held(client);
  bool more = take_chains(client);
  client->pending |= holds(client) || client->complete; /* a line that waits for room needs no more of the client's */
  bool room = console_room(client->server);
  return (more && (room || client->held.size || client->log)) || (holds(client) && room);
}

/* --- lives --- */

/* What its earlier life did not end is a line of its own. */
void console_output_epoch(struct console_client *client) {
  struct console_store *held = &client->held;
  if (held->used && console_store_at(held, held->used - 1) != '\n')
    console_store_put(held, '\n');
  else if (client->length && !held->used)
    console_line_show(client);
  client->has_chain = client->carriage = false;
  client->give_up_at = NEVER;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Clients of the console in turn, and their queues. A client that floods waits
 * in its own queue: nothing is taken that the line has no room for.
 */
#include "console_server.h"
#include "../calls.h"
#include "text.h"

#define QUEUE_TO_CLIENT 0u
#define QUEUE_FROM_CLIENT 1u
#define KEYS_AT_ONCE 64u

static const char MANAGER[] = "manager";

void console_server_init(struct console_server *server, struct console_device *device, const char *own_name) {
  *server = (struct console_server){
      .device = device, .own_name = own_name, .attention = true, .interrupted = true, .show_at = NEVER};
}

/* Input goes to the first guest until somebody says otherwise. */
static void choose(struct console_server *server) {
  if (text_equal(server->client[server->selected]->name, MANAGER) && server->clients > 1)
    server->selected = server->clients - 1;
}

bool console_client_init(struct console_client *client, struct console_server *server,
                         const struct channel_descriptor *descriptor, uint32_t life) {
  if (server->clients == CONSOLE_CLIENTS)
    return false;
  struct channel_window *shared = (struct channel_window *)(uintptr_t)descriptor->address;
  client->server = server;
  client->name = descriptor->peer;
  client->window = (struct window){shared, descriptor->size, descriptor->client_address};
  client->index = descriptor->index;
  client->broken = true; /* until its first epoch */
  client->show_at = NEVER;
  server->client[server->clients++] = client;
  choose(server);
  session_server_begin(&client->session, &shared->header, life);
  calls_signal(client->index, 0);
  console_client_event(client);
  return true;
}

static void begin_epoch(struct console_client *client) {
  if (client->length)
    console_line_show(client); /* what its earlier life did not end */
  client->has_chain = client->carriage = false;
  virtqueue_device_reset(&client->to_client, &client->window.shared->queue[QUEUE_TO_CLIENT]);
  virtqueue_device_reset(&client->from_client, &client->window.shared->queue[QUEUE_FROM_CLIENT]);
  client->broken = false;
  session_server_ready(&client->session, &client->window.shared->header);
  client->wants_signal = true;
}

void console_client_event(struct console_client *client) {
  if (session_server_take_up(&client->session, &client->window.shared->header))
    begin_epoch(client);
  client->pending = true;
  client->server->attention = true;
}

void console_server_interrupt(struct console_server *server) {
  server->attention = server->interrupted = true;
}

/* --- output --- */

static bool is_current(const struct console_client *client) {
  return !client->broken && session_current(&client->session, &client->window.shared->header);
}

/* The next chain with text, into client->chain. False: none. */
static bool take_chain(struct console_client *client) {
  enum virtqueue_take take = virtqueue_take_chain(&client->from_client, &client->chain);
  if (take == VIRTQUEUE_NOTHING)
    return false;
  if (take == VIRTQUEUE_BROKEN || !is_current(client)) {
    client->broken = true;
    return false;
  }
  if (take == VIRTQUEUE_BAD)
    client->chain.readable = 0; /* nothing in it to show: answered below */
  client->has_chain = true;
  client->buffer = client->position = 0;
  return true;
}

/* Shows bytes of the current chain. Returns how many, stopping where the line has no room. */
static uint32_t show_chain(struct console_client *client, uint32_t limit) {
  uint32_t shown = 0;
  while (client->buffer < client->chain.readable) {
    const struct virtqueue_buffer *buffer = &client->chain.buffer[client->buffer];
    const volatile char *text = window_resolve(&client->window, buffer->address, buffer->length);
    for (; text && client->position < buffer->length; client->position++, shown++) {
      if (shown == limit || !console_line_put(client, text[client->position]))
        return shown;
    }
    client->buffer++;
    client->position = 0;
  }
  client->has_chain = false;
  return shown;
}

/* Returns whether the client has more, and the line room for it. */
static bool take_output(struct console_client *client) {
  uint32_t left = CONSOLE_BURST;
  for (uint32_t i = 0; i < CONSOLE_CHAINS; i++) {
    if (client->complete && !console_line_show(client))
      return false;
    if (!is_current(client))
      break;
    if (!client->has_chain && !take_chain(client)) {
      client->pending = false;
      return false;
    }
    left -= show_chain(client, left);
    if (client->has_chain)
      return left == 0 && console_room(client->server);
    virtqueue_put_used(&client->from_client, client->chain.head, 0);
    client->wants_signal = true;
  }
  client->pending = is_current(client);
  return client->pending;
}

static void watch_unended(struct console_client *client, uint64_t now) {
  if (client->length == 0)
    client->show_at = NEVER;
  else if (client->show_at == NEVER && !client->complete)
    client->show_at = now + calls_ticks(CONSOLE_PATIENCE_NS);
  else if (client->show_at <= now) {
    client->pending |= !console_line_show(client); /* then as soon as there is room */
    client->show_at = NEVER;
  }
}

static bool serve(struct console_client *client, uint64_t now) {
  bool more = client->pending && take_output(client);
  watch_unended(client, now);
  console_input_deliver(client);
  if (client->wants_signal) {
    client->wants_signal = false;
    calls_signal(client->index, 0);
  }
  return more;
}

/* --- both ways --- */

static bool take_keys(struct console_server *server) {
  for (uint32_t i = 0; i < KEYS_AT_ONCE; i++) {
    int byte = server->device->driver->read(server->device);
    if (byte < 0)
      return false;
    console_input(server, (uint8_t)byte);
  }
  return true;
}

/* Returns whether it has more than one call may take. */
static bool serve_device(struct console_server *server) {
  if (server->interrupted)
    server->interrupted = server->device->driver->interrupt(server->device);
  return take_keys(server) || server->interrupted;
}

bool console_server_run(struct console_server *server) {
  if (!server->attention && (server->show_at == NEVER || server->show_at > calls_now()))
    return false;
  uint64_t now = calls_now();
  bool more = serve_device(server);
  server->show_at = NEVER;
  for (uint32_t i = 0; i < server->clients; i++) {
    struct console_client *client = server->client[(server->next + i) % server->clients];
    more |= serve(client, now);
    if (client->show_at < server->show_at)
      server->show_at = client->show_at;
  }
  if (server->clients)
    server->next = (server->next + 1) % server->clients;
  server->attention = more;
  return more;
}

uint64_t console_server_deadline(const struct console_server *server) {
  return server->show_at;
}

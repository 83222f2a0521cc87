/* SPDX-License-Identifier: Apache-2.0
 *
 * Clients of the console in turn, and their queues. A client that floods waits
 * in its own queue: nothing is taken that there is no room for.
 */
#include "console_server.h"
#include "../calls.h"
#include "registers.h"
#include "text.h"

#define QUEUE_TO_CLIENT 0u
#define QUEUE_FROM_CLIENT 1u
#define KEYS_AT_ONCE 64u
#define FEATURES FEATURE(VIRTIO_FEATURE_VERSION_1)

static const char MANAGER[] = "manager";

void console_server_init(struct console_server *server, struct console_device *device, const char *own_name) {
  *server = (struct console_server){.device = device,
                                    .own_name = own_name,
                                    .attention = true,
                                    .interrupted = true,
                                    .look_at = NEVER,
                                    .escape = CONSOLE_ESCAPE};
}

/* Input goes to the first guest until somebody says otherwise. */
static void choose(struct console_server *server) {
  if (text_equal(server->client[server->selected]->name, MANAGER) && server->clients > 1)
    server->selected = server->clients - 1;
}

/* False: too many. */
static bool join(struct console_server *server, struct console_client *client) {
  if (server->clients == LIMIT_IO_CONSOLE_CHANNELS || (client->log && server->logs == LIMIT_CONSOLE_LOGS))
    return false;
  if (client->log) {
    server->log[server->logs++] = client;
    return true;
  }
  server->client[server->clients++] = client;
  choose(server);
  return true;
}

static void keep(struct console_client *client, uint32_t size, char *memory) {
  struct console_store own = {memory, size, 0, 0}, typed = {client->typed, CONSOLE_INPUT, 0, 0};
  client->input = client->log ? own : typed;
  if (!client->log)
    client->held = own;
}

bool console_client_init(struct console_client *client, struct console_server *server,
                         const struct channel_descriptor *descriptor, uint32_t life, char *memory) {
  struct channel_window *shared = (struct channel_window *)(uintptr_t)descriptor->address;
  client->log = descriptor->rights == RIGHT_READ;
  client->name = descriptor->peer;
  if ((client->log && !memory) || !join(server, client))
    return false;
  client->server = server;
  client->window = (struct window){shared, descriptor->size, descriptor->client_address};
  client->index = descriptor->index;
  client->broken = true; /* until its first epoch */
  client->counted = true;
  client->show_at = client->give_up_at = NEVER;
  keep(client, memory ? descriptor->buffer : 0, memory);
  if (descriptor->escape)
    server->escape = (uint8_t)descriptor->escape;
  registers_write(shared, VIRTIO_ID_CONSOLE, FEATURES);
  session_server_begin(&client->session, &shared->header, life);
  calls_signal(client->index, 0);
  console_client_event(client);
  return true;
}

static void begin_epoch(struct console_client *client) {
  console_output_epoch(client);
  virtqueue_device_reset(&client->to_client, &client->window.shared->queue[QUEUE_TO_CLIENT]);
  virtqueue_device_reset(&client->from_client, &client->window.shared->queue[QUEUE_FROM_CLIENT]);
  registers_write(client->window.shared, VIRTIO_ID_CONSOLE, FEATURES);
  client->broken = !registers_agree(client->window.shared, FEATURES);
  console_count(client, COUNT_UNSUPPORTED, client->broken);
  if (!client->broken)
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

static void tell(struct console_client *client) {
  if (client->counted)
    __builtin_memcpy(&client->window.shared->counters, &client->counters, sizeof(uint64_t) * COUNTERS);
  client->counted = false;
  if (client->wants_signal) {
    client->wants_signal = false;
    calls_signal(client->index, 0);
  }
}

static void earliest(uint64_t *deadline, uint64_t other) {
  if (other < *deadline)
    *deadline = other;
}

static bool serve(struct console_client *client) {
  struct console_server *server = client->server;
  if (client->give_up_at <= server->now) {
    client->losing = client->pending = true;
    client->give_up_at = NEVER;
  }
  bool more = client->pending && console_output_take(client);
  watch_unended(client, server->now);
  console_input_deliver(client);
  if (client->log) {
    console_log_caught_up(client);
    console_input_deliver(client);
  }
  tell(client);
  earliest(&server->look_at, client->show_at);
  earliest(&server->look_at, client->give_up_at);
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
  bool more = take_keys(server) || server->interrupted;
  console_menu_run(server);
  return more;
}

bool console_server_run(struct console_server *server) {
  server->now = calls_now();
  if (!server->attention && server->look_at > server->now)
    return false;
  bool more = serve_device(server);
  server->look_at = NEVER;
  for (uint32_t i = 0; i < server->clients; i++)
    more |= serve(server->client[(server->next + i) % server->clients]);
  for (uint32_t i = 0; i < server->logs; i++)
    more |= serve(server->log[i]);
  if (server->clients)
    server->next = (server->next + 1) % server->clients;
  server->attention = more;
  return more;
}

uint64_t console_server_deadline(const struct console_server *server) {
  return server->look_at;
}

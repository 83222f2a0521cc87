/* SPDX-License-Identifier: Apache-2.0
 *
 * What is typed on the line: edited here, and given to the selected client at
 * the end of the line. The escape key opens the menu (console_menu.c).
 */
#include "console_server.h"
#include "text.h"

#define BACKSPACE 0x08u
#define DELETE 0x7fu
#define INPUT_MARK "< "

/* Asked only where there are clients: without one, no key is looked at. */
static struct console_client *selected(const struct console_server *server) {
  return server->client[server->selected];
}

static void echo(struct console_server *server, const char *text, uint32_t length) {
  if (console_room(server))
    server->device->driver->write(server->device, text, length);
}

/* The line being typed, as the last of the terminal. */
static void show_edit(struct console_server *server) {
  if (server->shown || !console_room(server))
    return;
  const char *name = selected(server)->name;
  echo(server, name, text_length(name));
  echo(server, INPUT_MARK, sizeof INPUT_MARK - 1);
  echo(server, server->edit, server->edit_length);
  server->shown = true;
}

/* --- a line --- */

/* Whole, or not at all: half a line would be another command than the one that was typed. */
static void give_line(struct console_server *server, struct console_client *client) {
  if (console_store_room(&client->input) <= server->edit_length) {
    console_count(client, COUNT_NO_BUFFER, 1);
    console_server_say(server, client->name, " reads nothing: this line is lost");
    return;
  }
  console_store_add(&client->input, server->edit, server->edit_length);
  console_store_put(&client->input, '\n');
  console_input_deliver(client);
}

static void end_line(struct console_server *server) {
  show_edit(server);
  echo(server, "\r\n", 2);
  server->shown = false;
  give_line(server, selected(server));
  server->edit_length = 0;
}

static void edit(struct console_server *server, uint8_t byte) {
  if (byte == BACKSPACE || byte == DELETE) {
    show_edit(server);
    if (server->edit_length) {
      server->edit_length--;
      echo(server, "\b \b", 3);
    }
  } else if (byte >= ' ' && byte < DELETE && server->edit_length < CONSOLE_EDIT) {
    show_edit(server);
    server->edit[server->edit_length++] = (char)byte;
    echo(server, (const char *)&byte, 1);
  }
}

void console_input(struct console_server *server, uint8_t byte) {
  bool after_return = server->last_was_return;
  server->last_was_return = byte == '\r';
  if (!server->clients)
    return;
  if (server->menu.open) {
    console_menu_key(server, byte);
  } else if (byte == server->escape) {
    console_menu_open(server);
  } else if (byte == '\r' || (byte == '\n' && !after_return)) {
    end_line(server);
  } else {
    edit(server, byte);
  }
}

/* --- into the client's buffers --- */

/* Fills the first buffer that the client gave for input. Returns the bytes written. */
static uint32_t fill(struct console_client *client, const struct virtqueue_chain *chain) {
  const struct virtqueue_buffer *buffer = &chain->buffer[0];
  uint32_t length = buffer->length < client->input.used ? buffer->length : client->input.used;
  volatile char *place = buffer->writable ? window_resolve(&client->window, buffer->address, length) : NULL;
  if (!place || length == 0) {
    console_count(client, place ? COUNT_BAD_LENGTH : COUNT_OUTSIDE_CHANNEL, 1);
    return 0;
  }
  for (uint32_t i = 0; i < length; i++)
    place[i] = console_store_at(&client->input, i);
  console_store_drop(&client->input, length);
  console_count(client, COUNT_RECEIVED, 1);
  console_count(client, COUNT_RECEIVED_BYTES, length);
  return length;
}

/* Returns whether there was a buffer to fill. */
static bool deliver_one(struct console_client *client) {
  struct virtqueue_chain chain;
  enum virtqueue_take take = virtqueue_take_chain(&client->to_client, &chain);
  if (take == VIRTQUEUE_NOTHING)
    return false;
  if (take == VIRTQUEUE_BROKEN || !console_is_current(client)) {
    console_count(client, COUNT_BAD_RING, take == VIRTQUEUE_BROKEN);
    client->broken = true;
    return false;
  }
  if (take == VIRTQUEUE_BAD)
    console_count(client, COUNT_BAD_CHAIN, 1);
  uint32_t written = take == VIRTQUEUE_CHAIN_OK ? fill(client, &chain) : 0;
  virtqueue_put_used(&client->to_client, chain.head, written);
  client->wants_signal = true;
  return true;
}

void console_input_deliver(struct console_client *client) {
  for (uint32_t i = 0; i < CONSOLE_CHAINS && client->input.used && !client->broken; i++) {
    if (!deliver_one(client))
      return;
  }
}

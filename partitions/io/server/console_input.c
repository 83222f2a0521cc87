/* SPDX-License-Identifier: Apache-2.0
 *
 * What is typed on the line: edited here, and given to the selected client at
 * the end of the line. Ctrl-A and a key select another one.
 */
#include "console_server.h"
#include "text.h"

#define CTRL_A 0x01u
#define BACKSPACE 0x08u
#define DELETE 0x7fu
#define INPUT_MARK "< "

static struct console_client *selected(const struct console_server *server) {
  return server->clients ? server->client[server->selected] : NULL;
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

/* --- Ctrl-A --- */

static void show_menu(struct console_server *server) {
  for (uint32_t i = 0; i < server->clients; i++) {
    char subject[] = "[ ]  ";
    subject[1] = i < 9 ? (char)('1' + i) : '-';
    subject[3] = i == server->selected ? '*' : ' ';
    console_server_say(server, subject, server->client[i]->name);
  }
  console_server_say(server, "", "Ctrl-A and: 1-9 select, n next, a letter: the next name with it, ? this list");
}

static void select_client(struct console_server *server, uint32_t index) {
  server->selected = index;
  server->edit_length = 0;
  console_server_say(server, "input goes to ", selected(server)->name);
}

static void select_by_letter(struct console_server *server, char letter) {
  for (uint32_t i = 1; i <= server->clients; i++) {
    uint32_t index = (server->selected + i) % server->clients;
    if (server->client[index]->name[0] == letter) {
      select_client(server, index);
      return;
    }
  }
  show_menu(server);
}

static void command(struct console_server *server, uint8_t key) {
  if (key >= '1' && key <= '9' && (uint32_t)(key - '1') < server->clients)
    select_client(server, key - '1');
  else if (key == 'n')
    select_client(server, (server->selected + 1) % server->clients);
  else
    select_by_letter(server, (char)key);
}

/* --- a line --- */

static void give(struct console_client *client, char byte) {
  if (client->input_head - client->input_tail < CONSOLE_INPUT)
    client->input[client->input_head++ & (CONSOLE_INPUT - 1)] = byte;
}

static void end_line(struct console_server *server) {
  struct console_client *client = selected(server);
  show_edit(server);
  for (uint32_t i = 0; i < server->edit_length; i++)
    give(client, server->edit[i]);
  give(client, '\n');
  echo(server, "\r\n", 2);
  server->shown = false;
  server->edit_length = 0;
  console_input_deliver(client);
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
  if (server->command) {
    server->command = false;
    command(server, byte);
  } else if (byte == CTRL_A) {
    server->command = true;
  } else if (byte == '\r' || (byte == '\n' && !after_return)) {
    end_line(server);
  } else {
    edit(server, byte);
  }
}

/* --- into the client's buffers --- */

static uint32_t waiting(const struct console_client *client) {
  return client->input_head - client->input_tail;
}

/* Fills the first buffer that the client gave for input. Returns the bytes written. */
static uint32_t fill(struct console_client *client, const struct virtqueue_chain *chain) {
  const struct virtqueue_buffer *buffer = &chain->buffer[0];
  uint32_t length = buffer->length < waiting(client) ? buffer->length : waiting(client);
  volatile char *place = buffer->writable ? window_resolve(&client->window, buffer->address, length) : NULL;
  if (!place)
    return 0;
  for (uint32_t i = 0; i < length; i++)
    place[i] = client->input[client->input_tail++ & (CONSOLE_INPUT - 1)];
  return length;
}

void console_input_deliver(struct console_client *client) {
  struct virtqueue_chain chain;
  for (uint32_t i = 0; i < CONSOLE_CHAINS && waiting(client) && !client->broken; i++) {
    enum virtqueue_take take = virtqueue_take_chain(&client->to_client, &chain);
    if (take == VIRTQUEUE_NOTHING)
      return;
    if (take == VIRTQUEUE_BROKEN || !session_current(&client->session, &client->window.shared->header)) {
      client->broken = true;
      return;
    }
    uint32_t written = take == VIRTQUEUE_CHAIN_OK ? fill(client, &chain) : 0;
    virtqueue_put_used(&client->to_client, chain.head, written);
    client->wants_signal = true;
  }
}

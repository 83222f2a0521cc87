/* SPDX-License-Identifier: Apache-2.0
 *
 * A client's output becomes lines with its name before each. What is not
 * printable ASCII is shown as \xNN, so no client moves the cursor or the
 * colours, or ends a line but by a line feed.
 */
#include "console_server.h"
#include "text.h"

#define ESCAPED 4u /* characters of \xNN */

static void write_text(struct console_server *server, const char *text) {
  server->device->driver->write(server->device, text, text_length(text));
}

bool console_room(const struct console_server *server) {
  return server->device->driver->space(server->device) >= CONSOLE_LINE_ROOM;
}

/* Room was asked for. A line that is being typed is left standing and shown again with the next key. */
void console_emit(struct console_server *server, const char *name, const char *mark, const char *text,
                  uint32_t length) {
  if (server->shown)
    write_text(server, "\r\n");
  server->shown = false;
  write_text(server, name);
  write_text(server, mark);
  server->device->driver->write(server->device, text, length);
  write_text(server, "\r\n");
  console_log_line(server, name, mark, text, length);
}

void console_server_say(struct console_server *server, const char *subject, const char *text) {
  char line[CONSOLE_LINE];
  uint32_t length = 0;
  for (; *subject && length < CONSOLE_LINE; subject++)
    line[length++] = *subject;
  for (; *text && length < CONSOLE_LINE; text++)
    line[length++] = *text;
  if (console_room(server))
    console_emit(server, server->own_name, "| ", line, length);
}

bool console_line_show(struct console_client *client) {
  if (!console_room(client->server)) {
    client->complete = true;
    return false;
  }
  console_emit(client->server, client->name, "| ", client->line, client->length);
  client->length = 0;
  client->complete = false;
  return true;
}

static void put_escaped(struct console_client *client, uint8_t byte) {
  static const char DIGITS[] = "0123456789abcdef";
  char *place = &client->line[client->length];
  place[0] = '\\';
  place[1] = 'x';
  place[2] = DIGITS[byte >> 4];
  place[3] = DIGITS[byte & 15];
  client->length += ESCAPED;
}

static void put_visible(struct console_client *client, char byte) {
  if ((byte >= ' ' && byte <= '~') || byte == '\t')
    client->line[client->length++] = byte;
  else
    put_escaped(client, (uint8_t)byte);
}

/* Room for a held carriage return and this byte, both escaped. */
static bool make_room(struct console_client *client) {
  if (!client->complete && client->length + 2 * ESCAPED <= CONSOLE_LINE)
    return true;
  return console_line_show(client);
}

bool console_line_put(struct console_client *client, char byte) {
  if (!make_room(client))
    return false;
  bool carriage = client->carriage;
  client->carriage = false;
  if (byte == '\n') {
    console_line_show(client); /* without room it waits, complete */
    return true;
  }
  if (carriage)
    put_visible(client, '\r');
  if (byte == '\r')
    client->carriage = true;
  else
    put_visible(client, byte);
  return true;
}

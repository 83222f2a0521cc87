/* SPDX-License-Identifier: Apache-2.0
 *
 * The menu behind the escape key: who gets what is typed, and what was counted.
 * It is shown as the line has room for it, before anything of a client, so no
 * flood keeps it away.
 */
#include "console_server.h"
#include "text.h"

#define HELP "a number or a letter: select, n: the next, #: counters, ?: this list"

static void show(struct console_server *server, enum console_menu_show what) {
  server->menu.show = what;
  server->menu.next = 0;
}

void console_menu_open(struct console_server *server) {
  server->menu.open = true;
  server->menu.number = 0;
  show(server, MENU_LIST);
}

/* --- keys --- */

static void select_client(struct console_server *server, uint32_t index) {
  server->selected = index;
  server->edit_length = 0;
  server->menu.open = false;
  show(server, MENU_CHOICE);
}

static void select_number(struct console_server *server) {
  uint32_t number = server->menu.number;
  server->menu.number = 0;
  if (number == 0 || number > server->clients)
    show(server, MENU_LIST);
  else
    select_client(server, number - 1);
}

static void digit(struct console_server *server, uint8_t key) {
  server->menu.number = server->menu.number * 10 + (key - '0');
  if (server->menu.number * 10 > server->clients)
    select_number(server);
}

static void select_letter(struct console_server *server, char letter) {
  for (uint32_t i = 1; i <= server->clients; i++) {
    uint32_t index = (server->selected + i) % server->clients;
    if (server->client[index]->name[0] == letter) {
      select_client(server, index);
      return;
    }
  }
  show(server, MENU_LIST);
}

static void close_menu(struct console_server *server, enum console_menu_show then) {
  server->menu.open = false;
  show(server, then);
}

void console_menu_key(struct console_server *server, uint8_t key) {
  if (key >= '0' && key <= '9')
    digit(server, key);
  else if ((key == '\r' || key == '\n') && server->menu.number)
    select_number(server);
  else if (key == server->escape || key == '\r' || key == '\n')
    close_menu(server, MENU_NOTHING);
  else if (key == 'n')
    select_client(server, (server->selected + 1) % server->clients);
  else if (key == '#')
    close_menu(server, MENU_COUNTERS);
  else
    select_letter(server, (char)key);
}

/* --- lines --- */

static void add_client(const struct console_server *server, struct text *line, uint32_t index) {
  text_add_decimal(line, index + 1);
  text_add(line, index == server->selected ? "*" : " ");
  text_add(line, server->client[index]->name);
}

/* As many clients as fit into one line; after the last, the keys. */
static void add_list(struct console_server *server, struct text *line) {
  struct console_menu *menu = &server->menu;
  if (menu->next == server->clients) {
    text_add(line, HELP);
    menu->show = MENU_NOTHING;
    return;
  }
  text_add(line, "input to:");
  for (; menu->next < server->clients && line->length + LIMIT_NAME + 8 < sizeof line->character; menu->next++) {
    text_add(line, " ");
    add_client(server, line, menu->next);
  }
}

static uint64_t refusals(const struct channel_counters *counters) {
  uint64_t sum = 0;
  for (uint32_t what = COUNT_BAD_RING; what <= COUNT_OUTSIDE_CHANNEL; what++)
    sum += counters->count[what];
  return sum;
}

static void add_count(struct text *line, uint64_t count, const char *of) {
  text_add_decimal(line, count);
  text_add(line, of);
}

static void add_counters(struct console_server *server, struct text *line) {
  const uint64_t *count = server->client[server->menu.next]->counters.count;
  add_client(server, line, server->menu.next);
  text_add(line, ": ");
  add_count(line, count[COUNT_BYTES], " bytes out, ");
  add_count(line, count[COUNT_RECEIVED_BYTES], " in, ");
  add_count(line, refusals(&server->client[server->menu.next]->counters), " refusals, ");
  add_count(line, count[COUNT_LOST_BYTES], " bytes lost");
  if (++server->menu.next == server->clients)
    server->menu.show = MENU_NOTHING;
}

static void add_choice(struct console_server *server, struct text *line) {
  text_add(line, "input goes to ");
  text_add(line, server->client[server->selected]->name);
  server->menu.show = MENU_NOTHING;
}

void console_menu_run(struct console_server *server) {
  while (server->menu.show != MENU_NOTHING && console_room(server)) {
    struct text line = {0};
    if (server->menu.show == MENU_LIST)
      add_list(server, &line);
    else if (server->menu.show == MENU_COUNTERS)
      add_counters(server, &line);
    else
      add_choice(server, &line);
    console_server_say(server, "", line.character);
  }
}

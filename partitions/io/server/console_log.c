/* SPDX-License-Identifier: Apache-2.0
 *
 * Every line that is shown goes to the logs too. A log that does not read loses
 * lines of its own, whole ones, and is told how many; nobody waits for it.
 */
#include "console_server.h"
#include "text.h"

static void add(struct console_client *log, const char *text) {
  console_store_add(&log->input, text, text_length(text));
}

/* "io| 12 lines lost": as the server's own line, so no client can have said it. */
static void notice(struct text *line, const struct console_client *log) {
  text_add(line, log->server->own_name);
  text_add(line, "| ");
  text_add_decimal(line, log->missed);
  text_add(line, log->missed == 1 ? " line lost\n" : " lines lost\n");
}

static bool store(struct console_client *log, const char *name, const char *mark, const char *text, uint32_t length) {
  struct text before = {0};
  if (log->missed)
    notice(&before, log);
  if (console_store_room(&log->input) < before.length + text_length(name) + text_length(mark) + length + 1)
    return false;
  console_store_add(&log->input, before.character, before.length);
  log->missed = 0;
  add(log, name);
  add(log, mark);
  console_store_add(&log->input, text, length);
  add(log, "\n");
  return true;
}

void console_log_line(struct console_server *server, const char *name, const char *mark, const char *text,
                      uint32_t length) {
  for (uint32_t i = 0; i < server->logs; i++) {
    struct console_client *log = server->log[i];
    if (!store(log, name, mark, text, length)) {
      log->missed++;
      console_count(log, COUNT_LOST_BYTES, length);
    }
    server->attention = true;
  }
}

/* A reader that has caught up is told at once: another line may not come for long. */
void console_log_caught_up(struct console_client *log) {
  struct text line = {0};
  if (log->missed == 0 || log->input.used)
    return;
  notice(&line, log);
  console_store_add(&log->input, line.character, line.length);
  log->missed = 0;
}

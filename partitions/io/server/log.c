/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"
#include "../drivers/block.h"
#include "text.h"

static struct console_server *log_console;

void log_open(struct console_server *console) {
  if (!log_console)
    log_console = console;
}

void log_line(const char *subject, const char *words) {
  struct text text = {0};
  text_add(&text, subject);
  text_add(&text, ": ");
  if (log_console)
    console_server_say(log_console, text.character, words);
}

void log_device_error(const char *device, const char *what, const char *const words[2], uint32_t error) {
  struct text text = {0};
  text_add(&text, what);
  text_add(&text, error == BLOCK_ERROR_RESET ? " given up at a reset" : " failed");
  for (uint32_t i = 0; i < 2 && error != BLOCK_ERROR_RESET; i++) {
    if (!words[i])
      continue;
    text_add(&text, ", ");
    text_add(&text, words[i]);
    text_add(&text, " ");
    text_add_hex(&text, i == 0 ? error >> 8 : error & 0xff);
  }
  log_line(device, text.character);
}

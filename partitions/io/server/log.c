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

/* NVMe 1.4, 4.6.1: status code type and status code. */
void log_device_error(const char *device, const char *what, uint32_t error) {
  struct text text = {0};
  text_add(&text, what);
  if (error == BLOCK_ERROR_RESET) {
    text_add(&text, " given up at a reset");
  } else {
    text_add(&text, " failed, status code type ");
    text_add_hex(&text, error >> 8);
    text_add(&text, ", code ");
    text_add_hex(&text, error & 0xff);
  }
  log_line(device, text.character);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines for people. The manager depends on no console server: where there is no
 * room at once, the line is dropped and the next one says how many were.
 */
#include "manager.h"

#define DRAIN_NS 200000000ull /* the longest that the console's server may take to fetch the last lines */
#define LINE_NS 50000000ull   /* and the serial line itself to send them */

static struct console console;
static bool open;
static uint32_t dropped;

void log_open(void) {
  open = console_open(&console, channel("console"));
}

/* A line is one piece of the channel, so it goes whole or not at all. */
static bool write_line(const char *line, size_t length) {
  return console_write(&console, line, length, 0) == length;
}

static bool write_dropped(void) {
  char line[64];
  int length = format(line, sizeof line, "(%u lines dropped)\n", dropped);
  return write_line(line, (size_t)length);
}

void log_line(const char *form, ...) {
  char line[CONSOLE_SLOT];
  va_list arguments;
  if (!open)
    return;
  va_start(arguments, form);
  vformat(line, sizeof line, form, arguments);
  va_end(arguments);
  if (dropped && write_dropped())
    dropped = 0;
  if (dropped || !write_line(line, strlen(line)))
    dropped++;
}

void log_drain(void) {
  if (open && console_drain(&console, deadline_in_ns(DRAIN_NS)))
    sleep_ns(LINE_NS);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * print and printf: one line buffer in front of the console.
 */
#include "runtime.h"

enum output { OUTPUT_UNKNOWN, OUTPUT_CONSOLE, OUTPUT_DEBUG, OUTPUT_NOWHERE };

static struct console console;
static enum output output;
static char line[CONSOLE_SLOT];
static uint32_t line_end;
static uint64_t lost;
static bool given_up;

static void open_output(void) {
  output = console_open(&console, console_of_print()) ? OUTPUT_CONSOLE : OUTPUT_DEBUG;
  at_exit(print_flush);
}

static void to_console(const char *text, uint32_t size) {
  uint64_t deadline = given_up ? 0 : deadline_in_ns(PRINT_PATIENCE_NS);
  size_t taken = console_write(&console, text, size, deadline);
  given_up = taken < size;
  lost += size - taken;
}

static void to_debug_port(const char *text, uint32_t size) {
  for (uint32_t i = 0; i < size; i++)
    if (monitor_debug(text[i]) != STATUS_OK) {
      output = OUTPUT_NOWHERE;
      lost += size - i;
      return;
    }
}

static void write_line(void) {
  uint32_t size = line_end;
  line_end = 0;
  if (size == 0)
    return;
  if (output == OUTPUT_UNKNOWN)
    open_output();
  if (output == OUTPUT_CONSOLE)
    to_console(line, size);
  else if (output == OUTPUT_DEBUG)
    to_debug_port(line, size);
  else
    lost += size;
}

static void put(void *context, char character) {
  (void)context;
  line[line_end++] = character;
  if (character == '\n' || line_end == sizeof line)
    write_line();
}

void print(const char *text) {
  while (*text)
    put(NULL, *text++);
}

int printf(const char *form, ...) {
  va_list arguments;
  va_start(arguments, form);
  int length = format_to(put, NULL, form, arguments);
  va_end(arguments);
  return length;
}

void print_flush(void) {
  write_line();
  if (output == OUTPUT_CONSOLE && !given_up)
    given_up = !console_drain(&console, deadline_in_ns(PRINT_PATIENCE_NS));
}

uint64_t print_lost(void) {
  return lost;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Does what is typed to it: "say TEXT", "flood LINES", "count", "end". It reads
 * and floods with a struct of its own, and says the rest with print.
 */
#include "parclose.h"

#define FLOOD "flood %06u ........................................................\n"

static struct console console;

static unsigned number(const char *text) {
  unsigned value = 0;
  for (; *text >= '0' && *text <= '9'; text++)
    value = value * 10 + (unsigned)(*text - '0');
  return value;
}

static void flood(unsigned lines) {
  char line[96];
  for (unsigned i = 0; i < lines; i++) {
    int length = format(line, sizeof line, FLOOD, i);
    console_write(&console, line, (size_t)length, NEVER); /* print would give a busy line up */
  }
  console_write(&console, "flooded\n", 8, NEVER);
}

static void count(void) {
  const struct channel_window *window = (const struct channel_window *)channel("tty")->address;
  const volatile uint64_t *counted = window->counters.count;
  printf("counted %lu out, %lu in, %lu lost\n", counted[COUNT_BYTES], counted[COUNT_RECEIVED_BYTES],
         counted[COUNT_LOST_BYTES]);
}

int main(void) {
  char line[128];
  printf("ready\n");
  if (!console_open(&console, channel("tty")))
    return 1;
  for (;;) {
    if (console_read_line(&console, line, sizeof line, NEVER) < 0)
      return 2;
    if (strncmp(line, "say ", 4) == 0)
      printf("%s\n", line + 4);
    else if (strncmp(line, "flood ", 6) == 0)
      flood(number(line + 6));
    else if (strcmp(line, "count") == 0)
      count();
    else if (strcmp(line, "end") == 0)
      return 0;
    else
      printf("what is '%s'?\n", line);
  }
}

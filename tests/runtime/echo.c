/* SPDX-License-Identifier: Apache-2.0 */
#include "parclose.h"

static struct console console;

int main(void) {
  char line[64];
  if (!console_open(&console, channel("console")))
    return 1;
  console_write(&console, "ready\n", 6, NEVER);
  while (console_read_line(&console, line, sizeof line, deadline_in_ns(20000000000)) >= 0) {
    char answer[80];
    int length = format(answer, sizeof answer, "you said '%s'\n", line);
    console_write(&console, answer, (size_t)length, NEVER);
    if (strcmp(line, "bye") == 0)
      return console_drain(&console, NEVER) ? 0 : 2;
  }
  return 3;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads what everybody says, and obeys what the first guest says: "look",
 * "sleep", "die" and "stop". It tells of what was lost to it.
 */
#include "parclose.h"

#define SLEEP_NS 8000000000ull

static struct console all;
static unsigned lines;

static bool is(const char *line, const char *wanted) {
  return strcmp(line, wanted) == 0;
}

static bool is_of(const char *line, const char *prefix) {
  return strncmp(line, prefix, strlen(prefix)) == 0;
}

/* False: the end. */
static bool obey(const char *line) {
  if (is(line, "first| look"))
    printf("life %u saw %u lines\n", life(), lines);
  else if (is(line, "first| sleep"))
    sleep_ns(SLEEP_NS);
  else if (is(line, "first| die"))
    __builtin_trap();
  else if (is_of(line, "io| ") && strchr(line, 'l'))
    printf("the log says '%s'\n", line);
  return !is(line, "first| stop");
}

int main(void) {
  char line[300];
  if (!console_open(&all, channel("all")) || console_write(&all, "first| stop\n", 12, NEVER) != 0)
    return 1;
  printf("reading\n");
  do {
    if (console_read_line(&all, line, sizeof line, NEVER) < 0)
      return 2;
    lines++;
  } while (obey(line));
  return 0;
}

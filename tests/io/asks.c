/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads 64 KiB at the place that is typed, in units of 64 KiB, and says what
 * came of it; 512 bytes where an 's' follows the number. Ends when "end" is
 * typed.
 */
#include "parclose.h"

static struct block disk;
static struct console console;
static _Alignas(4096) char buffer[65536];

static void say(const char *place, enum block_result result) {
  char text[64];
  int length = format(text, sizeof text, "%s: %s\n", place, result == BLOCK_OK ? "read" : "error");
  console_write(&console, text, (size_t)length, NEVER);
}

static enum block_result answer(const char *digits) {
  uint64_t value = 0;
  for (; *digits >= '0' && *digits <= '9'; digits++)
    value = 10 * value + (uint64_t)(*digits - '0');
  return block_read(&disk, value * sizeof buffer, buffer, *digits == 's' ? 512 : sizeof buffer);
}

int main(void) {
  char line[16];
  if (!block_open(&disk, channel("disk")) || !console_open(&console, channel("console")))
    return 1;
  disk.timeout_ns = 1000000000000ull; /* longer than the I/O partition's patience */
  console_write(&console, "ready\n", 6, NEVER);
  for (;;) {
    if (console_read_line(&console, line, sizeof line, NEVER) < 0)
      return 2;
    if (strcmp(line, "end") == 0)
      return 0;
    say(line, answer(line));
  }
}

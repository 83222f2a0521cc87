/* SPDX-License-Identifier: Apache-2.0
 *
 * Does to its extent what is typed, in pieces of 128 KiB, and says what came of
 * it: "w PLACE LETTER" fills a piece, "r PLACE" says the letter that all of it
 * is, "f" flushes, "end" ends.
 */
#include "parclose.h"

static struct block disk;
static struct console console;
static _Alignas(4096) char buffer[131072];

static void say(const char *what, char letter) {
  char text[80];
  int length = format(text, sizeof text, "%s: %c\n", what, letter);
  console_write(&console, text, (size_t)length, NEVER);
}

/* '!': an error, '?': not all the same letter. */
static char letter_of(enum block_result result) {
  if (result != BLOCK_OK)
    return '!';
  for (size_t i = 0; i < sizeof buffer; i++)
    if (buffer[i] != buffer[0])
      return '?';
  return buffer[0] ? buffer[0] : '0';
}

static char answer(const char *line) {
  uint64_t place = 0;
  const char *digit = &line[2];
  if (line[0] == 'f')
    return block_flush(&disk) == BLOCK_OK ? '+' : '!';
  for (; *digit >= '0' && *digit <= '9'; digit++)
    place = 10 * place + (uint64_t)(*digit - '0');
  if (line[0] == 'r')
    return letter_of(block_read(&disk, place * sizeof buffer, buffer, sizeof buffer));
  memset(buffer, digit[1], sizeof buffer);
  return letter_of(block_write(&disk, place * sizeof buffer, buffer, sizeof buffer));
}

int main(void) {
  char line[32];
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

/* SPDX-License-Identifier: Apache-2.0
 *
 * Does what is typed with places of 64 KiB, by number: wN writes a pattern of
 * its own and flushes, cN reads it and compares, bN reads 16 pieces of 4 KiB at once and says
 * of each how it ended (and, where the server was lost, whether anything came late). Ends at
 * "end".
 */
#include "parclose.h"

#define PIECES 16u
#define PIECE 4096u
#define WATCH_NS 300000000ull

static struct block disk;
static struct console console;
static struct block_request request[PIECES];
static _Alignas(4096) uint64_t buffer[PIECES * PIECE / 8];

static void say(const char *command, const char *answer) {
  char text[64];
  int length = format(text, sizeof text, "%s: %s\n", command, answer);
  console_write(&console, text, (size_t)length, NEVER);
}

static uint64_t pattern(uint64_t place, unsigned word) {
  return (place << 32 | word) * 0x9e3779b97f4a7c15ull;
}

static const char *write_place(uint64_t place) {
  for (unsigned i = 0; i < sizeof buffer / 8; i++)
    buffer[i] = pattern(place, i);
  if (block_write(&disk, place * sizeof buffer, buffer, sizeof buffer) != BLOCK_OK)
    return "error";
  return block_flush(&disk) == BLOCK_OK ? "written" : "not flushed";
}

static const char *compare_place(uint64_t place) {
  memset(buffer, 0xa5, sizeof buffer);
  if (block_read(&disk, place * sizeof buffer, buffer, sizeof buffer) != BLOCK_OK)
    return "error";
  for (unsigned i = 0; i < sizeof buffer / 8; i++)
    if (buffer[i] != pattern(place, i))
      return "other";
  return "right";
}

/* Nobody has asked for anything: who writes here comes from a life before. */
static bool something_comes(void) {
  memset(buffer, 0, sizeof buffer);
  sleep_ns(WATCH_NS);
  for (unsigned i = 0; i < sizeof buffer / 8; i++)
    if (((volatile uint64_t *)buffer)[i])
      return true;
  return false;
}

static const char *read_at_once(uint64_t place) {
  static char ends[PIECES + 8];
  unsigned lost = 0;
  for (unsigned i = 0; i < PIECES; i++) {
    request[i] = (struct block_request){.type = VIRTIO_BLK_T_IN,
                                        .size = PIECE,
                                        .offset = place * sizeof buffer + i * PIECE,
                                        .buffer = (char *)buffer + i * PIECE};
    if (!block_submit(&disk, &request[i]))
      return "no room";
  }
  while (disk.in_flight)
    block_wait(&disk, NEVER);
  for (unsigned i = 0; i < PIECES; i++) {
    ends[i] = request[i].result == BLOCK_OK ? '.' : request[i].result == BLOCK_LOST ? 'l' : 'e';
    lost += request[i].result == BLOCK_LOST;
  }
  memcpy(&ends[PIECES], lost ? something_comes() ? " late" : " none" : "", lost ? 6 : 1);
  return ends;
}

static const char *answer(const char *command) {
  uint64_t place = 0;
  for (const char *digit = command + 1; *digit >= '0' && *digit <= '9'; digit++)
    place = 10 * place + (uint64_t)(*digit - '0');
  switch (*command) {
  case 'w':
    return write_place(place);
  case 'c':
    return compare_place(place);
  case 'b':
    return read_at_once(place);
  default:
    return "what?";
  }
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

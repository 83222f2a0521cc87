// SPDX-License-Identifier: Apache-2.0
// Writes what the web servers tell into LOG.TXT of a FAT volume on its own part of the disk, a line each. Ends when
// both servers have ended.
#include "fat.h"
#include "parclose.h"

#define SERVERS 2u
#define LONGEST 120u
#define PAUSE_NS 1000000000ull

static struct block disk;
static struct fat_file file;
static struct peer server[SERVERS];
static unsigned ended;

static bool ends_with(const char *line, const char *end) {
  size_t length = strlen(line), size = strlen(end);
  return length >= size && strcmp(line + length - size, end) == 0;
}

/* False: the disk failed. */
static bool write_line(const char *line) {
  char text[LONGEST + 32];
  int length = format(text, sizeof text, "%8llu ms  %s\r\n", (unsigned long long)(uptime_ns() / 1000000), line);
  if (!fat_append(&file, text, (size_t)length)) {
    printf("LOG.TXT cannot be written\n");
    return false;
  }
  printf("%s\n", line);
  return true;
}

static bool take_lines(struct peer *from) {
  char line[LONGEST + 1];
  int length;
  while ((length = peer_receive(from, line, LONGEST, 0)) >= 0) {
    line[length] = '\0';
    if (!write_line(line))
      return false;
    ended += ends_with(line, ", ended");
  }
  return true;
}

static void wait_for_more(void) {
  wait_any_event(deadline_in_ns(PAUSE_NS));
  for (unsigned event = 0; event < LIMIT_EVENTS; event++)
    event_take(event);
}

int main(void) {
  if (!block_open(&disk, channel("disk")) || !peer_open(&server[0], channel("page")) ||
      !peer_open(&server[1], channel("twin")) || !fat_open(&file, &disk, "LOG     TXT"))
    return 1;
  printf("LOG.TXT has %u bytes\n", file.size);
  while (ended < SERVERS) {
    for (unsigned i = 0; i < SERVERS; i++)
      if (!take_lines(&server[i]))
        return 2;
    if (ended < SERVERS)
      wait_for_more();
  }
  printf("LOG.TXT has %u bytes\n", file.size);
  return 0;
}

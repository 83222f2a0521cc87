/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"
#include "attach.h"
#include "drivers/table.h"
#include "server/log.h"

static struct line {
  union console_state state;
  struct console_server server;
  uint32_t position;
} line[LIMIT_IO_LINES]; /* 6 KiB each */

static uint32_t lines;

void lines_open(const struct descriptor_page *page, uint32_t position) {
  const struct device_descriptor *device = attach_device(page, position);
  console_opener *open = driver_of_console(device);
  if (!open || lines == LIMIT_IO_LINES)
    return;
  struct line *new = &line[lines];
  struct console_device *console = open(&(struct driver_resources){.device = device, .state = &new->state});
  if (!console || !console->driver->start(console))
    return;
  new->position = position;
  lines++;
  console_server_init(&new->server, console, page->partition);
  log_open(&new->server);
  attach_listen(device, (struct source){.kind = SOURCE_CONSOLE_DEVICE, .console = &new->server});
}

struct console_server *lines_find(uint32_t position) {
  for (uint32_t i = 0; i < lines; i++) {
    if (line[i].position == position)
      return &line[i].server;
  }
  return NULL;
}

bool lines_run(void) {
  bool more = false;
  for (uint32_t i = 0; i < lines; i++)
    more |= console_server_run(&line[i].server);
  return more;
}

uint64_t lines_deadline(void) {
  uint64_t deadline = NEVER;
  for (uint32_t i = 0; i < lines; i++) {
    uint64_t wanted = console_server_deadline(&line[i].server);
    if (wanted < deadline)
      deadline = wanted;
  }
  return deadline;
}

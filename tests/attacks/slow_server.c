/* SPDX-License-Identifier: Apache-2.0
 *
 * Converts what its client shows, some times, and gives it back as a slow device would: one every 200 ms.
 */
#include "live.h"
#include "monitor.h"
#include "parclose.h"

#define PIECES 6u
#define PIECE_NS 200000000ull

static const struct channel_descriptor *served(void) {
  const struct descriptor_page *page = DESCRIPTOR_PAGE;
  const struct channel_descriptor *row = (const void *)((const char *)page + page->channels.offset);
  while (row->class != CLASS_BLOCK)
    row++;
  return row;
}

int main(void) {
  const struct channel_descriptor *disk = served();
  volatile uint64_t *shown = &((struct channel_window *)disk->address)->request[0].header.sector;
  if (life() > 1) {
    monitor_quiet(device("nvme0")->index); /* it never had a command */
    wait_until(NEVER);
  }
  while (!*shown)
    sleep_ns(100000);
  for (unsigned i = 0; i < PIECES; i++)
    CALL_PAGE->convert[i] = (struct convert_entry){.address = *shown, .length = 512, .access = RIGHT_WRITE};
  if (monitor_convert(disk->index, PIECES, CHANNEL_LIFE(disk->number, 1)).status != STATUS_OK)
    return 1;
  *shown = 0;
  for (unsigned i = 0; i < PIECES; i++) {
    sleep_ns(PIECE_NS);
    monitor_release(disk->index, 1);
  }
  wait_until(NEVER);
}

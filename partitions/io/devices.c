/* SPDX-License-Identifier: Apache-2.0 */
#include "devices.h"
#include "cards.h"
#include "disks.h"
#include "lines.h"

/* Lines before all else, so that any other device's trouble can be told. */
void devices_open(const struct descriptor_page *page) {
  for (uint32_t i = 0; i < page->devices.count; i++)
    lines_open(page, i);
  for (uint32_t i = 0; i < page->devices.count; i++)
    disks_open(page, i);
  for (uint32_t i = 0; i < page->devices.count; i++)
    cards_open(page, i);
}

bool devices_run(void) {
  bool more = disks_run();
  more |= cards_run();
  return lines_run() || more;
}

uint64_t devices_deadline(void) {
  uint64_t disk = disks_deadline(), card = cards_deadline(), line = lines_deadline();
  uint64_t device = disk < card ? disk : card;
  return device < line ? device : line;
}

void devices_look(void) {
  disks_look();
  cards_look();
}

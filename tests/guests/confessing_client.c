/* SPDX-License-Identifier: Apache-2.0
 *
 * The hostile server's client: tells its regions, then does what END says: waits, exits, or faults in its first life.
 */
#include "hostile_server.h"

enum end { WAITS, EXITS, FAULTS };

int main(void) {
  struct confession *told = confession(channel("disk"));
  const struct descriptor_page *page = DESCRIPTOR_PAGE;
  const struct region_descriptor *own = (const void *)((const char *)page + page->regions.offset);
  for (told->count = 0; told->count < page->regions.count && told->count < 8; told->count++)
    told->region[told->count] = own[told->count];
  told->magic = CONFESSED;
  if (END != WAITS)
    wait_for_go(channel("disk"));
  if (END == EXITS)
    return 0;
  if (END == FAULTS && life() == 1)
    __asm__ volatile("ud2");
  for (;;)
    sleep_ns(1000000000);
}

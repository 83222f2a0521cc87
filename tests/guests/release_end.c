/* SPDX-License-Identifier: Apache-2.0
 *
 * A client releases what its server holds: then it could be started again while a device still writes to it.
 */
#include "hostile_server.h"

int main(void) {
  const struct channel_descriptor *disk = channel("disk");
  struct confession *told = confession(disk);
  const struct descriptor_page *page = DESCRIPTOR_PAGE;
  memcpy(told->region, (const char *)page + page->regions.offset, sizeof told->region[0] * page->regions.count);
  told->count = page->regions.count;
  told->magic = CONFESSED;
  wait_for_go(disk); /* the server has converted */
  attempting("to release one with a signal");
  must_be(STATUS_NOT_PERMITTED, monitor_signal(disk->index, 1));
  attempting("to release one with a signal, and wait");
  must_be(STATUS_NOT_PERMITTED, monitor_signal_and_wait(disk->index, 1, 0).status);
  return verdict();
}

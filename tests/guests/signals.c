/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals on each of its channels and says what came of it; a STRICT one ends with 0 only if all was well. The other end
 * may come up a little later.
 */
#include "hostile.h"

#define PATIENCE_NS 300000000ull

static enum status signal(uint32_t channel) {
  uint64_t deadline = deadline_in_ns(PATIENCE_NS);
  enum status status = monitor_signal(channel, 0);
  while (status == STATUS_NOT_CONNECTED && clock_now() < deadline) {
    sleep_ns(1000000);
    status = monitor_signal(channel, 0);
  }
  return status;
}

int main(void) {
  const struct descriptor_page *page = DESCRIPTOR_PAGE;
  const struct channel_descriptor *row = (const void *)((const char *)page + page->channels.offset);
  int worst = STATUS_OK;
  for (uint32_t i = 0; i < page->channels.count; i++) {
    enum status status = signal(row[i].index);
    say("%s signals %s: %d", page->partition, row[i].name, status);
    worst = status != STATUS_OK ? (int)status : worst;
  }
  return STRICT ? worst : 0;
}

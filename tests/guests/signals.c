/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals once on each of its channels, says what came of it, and ends.
 */
#include "hostile.h"

int main(void) {
  const struct descriptor_page *page = DESCRIPTOR_PAGE;
  const struct channel_descriptor *row = (const void *)((const char *)page + page->channels.offset);
  sleep_ns(5000000); /* until everybody is up who will be */
  for (uint32_t i = 0; i < page->channels.count; i++)
    say("%s signals %s: %d", page->partition, row[i].name, monitor_signal(row[i].index, 0));
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * A server's calls with indexes of channels that are not its own: another server's block comes right before or after.
 */
#include "hostile_server.h"

static void attack(uint64_t index) {
  attempting("to convert, release and look at channel %llx", (unsigned long long)index);
  must_be(STATUS_BAD_INDEX, monitor_call(CALL_CONVERT, index, 1, 1).status);
  must_be(STATUS_BAD_INDEX, monitor_call(CALL_RELEASE, index, 0, 0).status);
  must_be(STATUS_BAD_INDEX, monitor_call(CALL_CHANNEL, index, 0, 0).status);
}

int main(void) {
  const struct descriptor_page *page = DESCRIPTOR_PAGE;
  uint64_t count = page->regions.count + page->devices.count + page->channels.count;
  for (uint64_t i = 0; i < 12; i++) {
    attack(count + i);
    attack(0 - 1 - i);
  }
  attack(0x100000000ull + count - 1);
  attack(~0ull >> 1);
  return verdict();
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversions for a request that the client sent in an earlier life, and for one of a life to come.
 */
#include "hostile_server.h"

int main(void) {
  const struct channel_descriptor *disk = served("client");
  struct region_descriptor data = client_region(disk, REGION_DATA);
  struct convert_entry entry = {.address = data.address, .length = 512, .access = RIGHT_WRITE};
  uint32_t first = LIVE_LIFE(state_of(disk));
  let_go(disk);
  while (LIVE_LIFE(state_of(disk)) == first)
    sleep_ns(200000);
  fair(disk);
  must_be(STATUS_STALE_LIFE, convert(disk, first, entry));
  must_be(STATUS_STALE_LIFE, convert(disk, first + 2, entry));
  must_be(STATUS_STALE_LIFE, convert(disk, 0, entry));
  return verdict();
}

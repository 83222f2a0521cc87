/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversions for a client that has ended while one of its requests was in flight: its channel drains.
 */
#include "hostile_server.h"

int main(void) {
  const struct channel_descriptor *disk = served("client");
  struct region_descriptor data = client_region(disk, REGION_DATA);
  struct convert_entry entry = {.address = data.address, .length = 512, .access = RIGHT_WRITE};
  uint32_t client_life = LIVE_LIFE(state_of(disk));
  fair(disk);
  must_be(STATUS_OK, convert(disk, client_life, entry));
  let_go(disk);
  while (LIVE_STATE(state_of(disk)) == CHANNEL_CONNECTED)
    sleep_ns(200000);
  say("draining %d", LIVE_STATE(state_of(disk)) == CHANNEL_DRAINING);
  must_be(STATUS_NOT_CONNECTED, convert(disk, client_life, entry));
  return verdict();
}

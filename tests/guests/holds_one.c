/* SPDX-License-Identifier: Apache-2.0
 *
 * A server that keeps one conversion in flight and watches whether anybody else takes it back.
 */
#include "hostile_server.h"

int main(void) {
  const struct channel_descriptor *disk = served("attacker");
  struct region_descriptor data = client_region(disk, REGION_DATA);
  CALL_PAGE->convert[0] = (struct convert_entry){.address = data.address, .length = 512, .access = RIGHT_WRITE};
  monitor_convert(disk->index, 1, LIVE_LIFE(state_of(disk)));
  let_go(disk);
  while (LIVE_STATE(state_of(disk)) == CHANNEL_CONNECTED)
    sleep_ns(200000);
  say("in flight: %u", LIVE_IN_FLIGHT(state_of(disk)));
  for (;;)
    sleep_ns(1000000000);
}

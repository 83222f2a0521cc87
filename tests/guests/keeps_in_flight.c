/* SPDX-License-Identifier: Apache-2.0
 *
 * A server that never gives back what it converted, as if its device were still about to write there. Its client faults
 * and is to be restarted: its memory must not be used again before this server's own life ends.
 */
#include "hostile_server.h"

int main(void) {
  const struct channel_descriptor *disk = served("client");
  const struct device_descriptor *nvme = device("nvme0");
  struct region_descriptor data = client_region(disk, REGION_DATA);
  struct convert_entry entry = {.address = data.address, .length = 512, .access = RIGHT_WRITE};
  if (life() == 1)
    convert_must_be(STATUS_OK, disk, entry);
  else
    say("device reset in life %u", life());
  if (life() > 1) /* a driver would have reset its device before it says so */
    monitor_quiet(nvme->index);
  let_go(disk);
  for (;;) {
    if (life() == 1 && LIVE_LIFE(state_of(disk)) != CHANNEL_LIFE(disk->number, 1)) {
      escaped("the client lives again and a write to its old buffer is in flight");
      exit(verdict());
    }
    sleep_ns(500000);
  }
}

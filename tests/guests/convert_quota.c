/* SPDX-License-Identifier: Apache-2.0
 *
 * One conversion more in flight than the channel's quota, which is 2 here.
 */
#include "hostile_server.h"

int main(void) {
  const struct channel_descriptor *disk = served("client");
  struct region_descriptor data = client_region(disk, REGION_DATA);
  struct convert_entry entry = {.address = data.address, .length = 512, .access = RIGHT_WRITE};
  uint32_t client_life = LIVE_LIFE(state_of(disk));
  must_be(STATUS_OK, convert(disk, client_life, entry));
  must_be(STATUS_OK, convert(disk, client_life, entry));
  must_be(STATUS_QUOTA, convert(disk, client_life, entry));
  return verdict();
}

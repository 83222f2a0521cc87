/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversions whose end wraps around to a small number, in the client's memory and on the device.
 */
#include "hostile_server.h"

int main(void) {
  const struct channel_descriptor *disk = served("client");
  struct region_descriptor data = client_region(disk, REGION_DATA);
  uint32_t client_life = LIVE_LIFE(state_of(disk));
  fair(disk);
  must_be(STATUS_BAD_RANGE, convert(disk, client_life,
                                    (struct convert_entry){
                                        .address = ~0ull - 511,
                                        .length = 1024,
                                        .access = RIGHT_WRITE,
                                    }));
  must_be(STATUS_OUTSIDE_EXTENT, convert(disk, client_life,
                                         (struct convert_entry){
                                             .address = data.address,
                                             .offset = ~0ull - 511,
                                             .length = 1024,
                                             .access = RIGHT_WRITE,
                                         }));
  return verdict();
}

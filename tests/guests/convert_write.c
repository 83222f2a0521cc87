/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversions for a write to the disk on a channel that may only read it.
 */
#include "hostile_server.h"

int main(void) {
  const struct channel_descriptor *disk = served("client");
  struct region_descriptor data = client_region(disk, REGION_DATA);
  struct convert_entry entry = {.address = data.address, .length = 512, .access = RIGHT_READ};
  convert_must_be(STATUS_NO_RIGHT, disk, entry);
  fair(disk);
  return verdict();
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversions for a device that would write what the client itself may only read.
 */
#include "hostile_server.h"

static void overwrite(const struct channel_descriptor *disk, struct region_descriptor region) {
  struct convert_entry entry = {.address = region.address, .length = 512, .access = RIGHT_WRITE};
  convert_must_be(STATUS_NO_RIGHT, disk, entry);
}

int main(void) {
  const struct channel_descriptor *disk = served("client");
  overwrite(disk, client_region(disk, REGION_TEXT));
  overwrite(disk, client_region(disk, REGION_RODATA));
  fair(disk);
  return verdict();
}

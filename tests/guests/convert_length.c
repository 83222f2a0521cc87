/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversions of no bytes at all: at the beginning of a region of the client, at its end and at the end of the extent.
 */
#include "hostile_server.h"

static void empty(const struct channel_descriptor *disk, uint64_t address, uint64_t offset) {
  struct convert_entry entry = {.address = address, .offset = offset, .length = 0, .access = RIGHT_WRITE};
  convert_must_be(STATUS_BAD_ARGUMENT, disk, entry);
}

int main(void) {
  const struct channel_descriptor *disk = served("client");
  struct region_descriptor data = client_region(disk, REGION_DATA);
  fair(disk);
  empty(disk, data.address, 0);
  empty(disk, data.address + data.size, 0);
  empty(disk, data.address, disk->capacity);
  return verdict();
}

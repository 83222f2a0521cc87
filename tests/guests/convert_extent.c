/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversions for sectors beyond the endpoint's extent: the neighbour's begin right there.
 */
#include "hostile_server.h"

static void beyond(const struct channel_descriptor *disk, uint64_t offset, uint32_t length) {
  struct region_descriptor data = client_region(disk, REGION_DATA);
  struct convert_entry entry = {.address = data.address, .offset = offset, .length = length, .access = RIGHT_WRITE};
  convert_must_be(STATUS_OUTSIDE_EXTENT, disk, entry);
}

int main(void) {
  const struct channel_descriptor *disk = served("client");
  fair(disk);
  beyond(disk, disk->capacity, 512);
  beyond(disk, disk->capacity - 512, 1024);
  beyond(disk, 1ull << 32, 512);
  beyond(disk, ~0ull - 511, 512);
  return verdict();
}

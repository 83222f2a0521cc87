/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversions of parts of a disk's blocks: they begin within a block, end within one, or do both.
 */
#include "hostile_server.h"

static void partly(const struct channel_descriptor *disk, uint64_t offset, uint32_t length) {
  struct region_descriptor data = client_region(disk, REGION_DATA);
  struct convert_entry entry = {.address = data.address, .offset = offset, .length = length, .access = RIGHT_WRITE};
  convert_must_be(STATUS_UNALIGNED, disk, entry);
}

int main(void) {
  const struct channel_descriptor *disk = served("client");
  fair(disk);
  partly(disk, 256, 512);
  partly(disk, 0, 1);
  partly(disk, 0, 768);
  partly(disk, 1, 511);
  partly(disk, disk->capacity - 256, 256);
  return verdict();
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversions in both directions at once, one of which the region's rights forbid; in none, and in one that is no direction.
 */
#include "hostile_server.h"

static void directed(const struct channel_descriptor *disk, enum region_kind kind, uint32_t access) {
  struct convert_entry entry = {.address = client_region(disk, kind).address, .length = 512, .access = access};
  convert_must_be(STATUS_BAD_ARGUMENT, disk, entry);
}

int main(void) {
  const struct channel_descriptor *disk = served("client");
  fair(disk);
  directed(disk, REGION_TEXT, RIGHT_READ | RIGHT_WRITE);
  directed(disk, REGION_DATA, RIGHT_READ | RIGHT_WRITE);
  directed(disk, REGION_DATA, RIGHT_WRITE | 1u << 31);
  directed(disk, REGION_DATA, 1u << 31);
  directed(disk, REGION_DATA, 0);
  return verdict();
}

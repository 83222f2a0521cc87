/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversions that begin in a region of the client and end outside it, or are longer than the region itself, and of what
 * the client sees and no device may: its call page, its descriptors, the clock, a channel's window, the page below its stack.
 */
#include "hostile_server.h"

static void across(const struct channel_descriptor *disk, struct region_descriptor region, uint32_t access) {
  struct convert_entry entry = {.address = region.address + region.size - 512, .length = 1024, .access = access};
  convert_must_be(STATUS_BAD_RANGE, disk, entry);
}

static void longer(const struct channel_descriptor *disk, struct region_descriptor region, uint32_t access) {
  struct convert_entry entry = {.address = region.address, .length = (uint32_t)region.size + 512, .access = access};
  convert_must_be(STATUS_BAD_RANGE, disk, entry);
}

static void outside(const struct channel_descriptor *disk, uint64_t address) {
  struct convert_entry entry = {.address = address, .length = 512, .access = RIGHT_READ};
  convert_must_be(STATUS_BAD_RANGE, disk, entry);
}

int main(void) {
  const struct channel_descriptor *disk = served("client");
  across(disk, client_region(disk, REGION_TEXT), RIGHT_READ);
  across(disk, client_region(disk, REGION_RODATA), RIGHT_READ);
  across(disk, client_region(disk, REGION_DATA), RIGHT_WRITE);
  across(disk, client_region(disk, REGION_STACK), RIGHT_WRITE);
  longer(disk, client_region(disk, REGION_TEXT), RIGHT_READ);
  longer(disk, client_region(disk, REGION_DATA), RIGHT_WRITE);
  longer(disk, client_region(disk, REGION_STACK), RIGHT_WRITE);
  outside(disk, CALL_PAGE_ADDRESS);
  outside(disk, DESCRIPTOR_ADDRESS);
  outside(disk, CLOCK_PAGE_ADDRESS);
  outside(disk, disk->client_address);
  outside(disk, client_region(disk, REGION_STACK).address - 512);
  fair(disk);
  return verdict();
}

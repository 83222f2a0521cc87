/* SPDX-License-Identifier: Apache-2.0 */
#include "attach.h"

const struct device_descriptor *attach_device(const struct descriptor_page *page, uint32_t position) {
  return (const struct device_descriptor *)((const char *)page + page->devices.offset) + position;
}

bool attach_bias(const struct descriptor_page *page, const void *memory, uint64_t *bias) {
  const struct region_descriptor *region =
      (const struct region_descriptor *)((const char *)page + page->regions.offset);
  uint64_t address = (uintptr_t)memory;
  for (uint32_t i = 0; i < page->regions.count; i++) {
    if (address < region[i].address || address - region[i].address >= region[i].size)
      continue;
    *bias = region[i].device_address - region[i].address;
    return region[i].device_address != 0;
  }
  return false;
}

void attach_listen(const struct device_descriptor *device, struct source source) {
  source.device = device->index;
  for (source.interrupt = 0; source.interrupt < device->interrupt_count; source.interrupt++) {
    source_set(device->first_event + source.interrupt, source);
    calls_acknowledge(device->index, source.interrupt);
  }
}

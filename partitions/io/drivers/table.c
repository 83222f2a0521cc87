/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <stdbool.h>
#include <stddef.h>

static bool fits(const struct device_descriptor *device, enum driver_match match, uint32_t value) {
  return match == MATCH_CLASS ? device->class_code == value : device->identity == value;
}

#define DRIVER_ROW(name, match, value) {match, value, name##_open},

static const struct {
  enum driver_match match;
  uint32_t value;
  block_opener *open;
} BLOCK_TABLE[] = {BLOCK_DRIVERS(DRIVER_ROW)};

static const struct {
  enum driver_match match;
  uint32_t value;
  network_opener *open;
} NETWORK_TABLE[] = {NETWORK_DRIVERS(DRIVER_ROW)};

static const struct {
  enum driver_match match;
  uint32_t value;
  console_opener *open;
} CONSOLE_TABLE[] = {CONSOLE_DRIVERS(DRIVER_ROW)};

block_opener *driver_of_block(const struct device_descriptor *device) {
  for (uint32_t i = 0; i < sizeof BLOCK_TABLE / sizeof BLOCK_TABLE[0]; i++) {
    if (fits(device, BLOCK_TABLE[i].match, BLOCK_TABLE[i].value))
      return BLOCK_TABLE[i].open;
  }
  return NULL;
}

network_opener *driver_of_network(const struct device_descriptor *device) {
  for (uint32_t i = 0; i < sizeof NETWORK_TABLE / sizeof NETWORK_TABLE[0]; i++) {
    if (fits(device, NETWORK_TABLE[i].match, NETWORK_TABLE[i].value))
      return NETWORK_TABLE[i].open;
  }
  return NULL;
}

console_opener *driver_of_console(const struct device_descriptor *device) {
  for (uint32_t i = 0; i < sizeof CONSOLE_TABLE / sizeof CONSOLE_TABLE[0]; i++) {
    if (fits(device, CONSOLE_TABLE[i].match, CONSOLE_TABLE[i].value))
      return CONSOLE_TABLE[i].open;
  }
  return NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a driver is given. Its `…_open` fills `state` and touches no register;
 * where it finds that it cannot drive the device, it says so in the device's
 * `problem`, and the device is not started.
 */
#ifndef PARCLOSE_IO_RESOURCES_H
#define PARCLOSE_IO_RESOURCES_H

#include "descriptor.h"

#include <stdint.h>

#define DRIVER_STATE_ALIGNMENT 64
#define DRIVER_MEMORY_ALIGNMENT 4096

struct driver_resources {
  const struct device_descriptor *device;
  void *state;   /* zeroed, aligned to DRIVER_STATE_ALIGNMENT: never seen by the device */
  void *memory;  /* zeroed, aligned to DRIVER_MEMORY_ALIGNMENT, physically contiguous: for rings and tables */
  uint64_t bias; /* the device's address of memory of this partition = its address here + bias */
};

/* Address of the registers behind a BAR; 0: it is not there, is smaller, or has ports. */
static inline uintptr_t driver_registers(const struct driver_resources *given, uint32_t bar, uint64_t bytes) {
  if (bar >= LIMIT_BARS || given->device->bar[bar].kind == BAR_PORTS || given->device->bar[bar].size < bytes)
    return 0;
  return given->device->bar[bar].address;
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * All drivers, a line each: NAME, how its devices are known, and by what. A
 * driver NAME is the header NAME.h with
 *   struct NAME            its state, the class's device first
 *   struct NAME_memory     what its device reads and writes
 *   NAME_open              (of a console without memory: struct NAME only)
 */
#ifndef PARCLOSE_IO_TABLE_H
#define PARCLOSE_IO_TABLE_H

#include "ahci.h"
#include "e1000e.h"
#include "nvme.h"
#include "resources.h"
#include "uart16550.h"
#include "virtio_blk.h"
#include "virtio_net.h"

/* MATCH_CLASS: PCI class code; MATCH_IDENTITY: device id << 16 | vendor id. */
#define BLOCK_DRIVERS(X)                                                                                               \
  X(nvme, MATCH_CLASS, 0x010802) X(ahci, MATCH_CLASS, 0x010601) X(virtio_blk, MATCH_IDENTITY, 0x10421af4)
#define NETWORK_DRIVERS(X) X(e1000e, MATCH_IDENTITY, 0x10d38086) X(virtio_net, MATCH_IDENTITY, 0x10411af4)
#define CONSOLE_DRIVERS(X) X(uart16550, MATCH_CLASS, 0x070002)

enum driver_match { MATCH_NOTHING, MATCH_CLASS, MATCH_IDENTITY };

#define DRIVER_STATE(name, match, value) struct name name;
#define DRIVER_MEMORY(name, match, value) struct name##_memory name;

union block_state {
  _Alignas(DRIVER_STATE_ALIGNMENT) uint8_t aligned;
  BLOCK_DRIVERS(DRIVER_STATE)
};
union block_memory {
  _Alignas(DRIVER_MEMORY_ALIGNMENT) uint8_t aligned;
  BLOCK_DRIVERS(DRIVER_MEMORY)
};
union network_state {
  _Alignas(DRIVER_STATE_ALIGNMENT) uint8_t aligned;
  NETWORK_DRIVERS(DRIVER_STATE)
};
union network_memory {
  _Alignas(DRIVER_MEMORY_ALIGNMENT) uint8_t aligned;
  NETWORK_DRIVERS(DRIVER_MEMORY)
};
union console_state {
  _Alignas(DRIVER_STATE_ALIGNMENT) uint8_t aligned;
  CONSOLE_DRIVERS(DRIVER_STATE)
};

typedef struct block_device *block_opener(const struct driver_resources *given);
typedef struct network_device *network_opener(const struct driver_resources *given);
typedef struct console_device *console_opener(const struct driver_resources *given);

/* The driver for a device; null: there is none of this class. */
block_opener *driver_of_block(const struct device_descriptor *device);
network_opener *driver_of_network(const struct device_descriptor *device);
console_opener *driver_of_console(const struct device_descriptor *device);

#endif

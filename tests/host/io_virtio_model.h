/* SPDX-License-Identifier: Apache-2.0
 *
 * The transport of a virtio device in memory, for the drivers' host tests: its
 * registers behind register_read and register_write, its queues, and what the
 * specification lets a driver do (OASIS virtio 1.1). A device sleeps until its
 * doorbell rings, and asks for that as QEMU's devices do; what it answers counts
 * an interrupt only where the driver asked for one.
 */
#ifndef IO_VIRTIO_MODEL_H
#define IO_VIRTIO_MODEL_H

#include "drivers/virtio_pci.h"

#include <stdbool.h>
#include <stdint.h>

#define MODEL_REGISTERS 0xfeb00000u
#define MODEL_BIAS 0x1234000u /* device addresses are this much above the program's */
#define MODEL_QUEUES 2
#define MODEL_PARTS 64
#define MODEL_CONFIG 64

struct model_part {
  uint8_t *place;
  uint32_t length;
  bool writable;
};

struct model_chain {
  uint16_t queue, head;
  uint32_t count;
  struct model_part part[MODEL_PARTS];
};

struct virtio_model {
  uint64_t offered, accepted;
  uint16_t queues, queue_size[MODEL_QUEUES];
  _Alignas(8) uint8_t configuration[MODEL_CONFIG];
  uint32_t entries;                                      /* of its MSI-X table, as the monitor says */
  uint16_t vectors;                                      /* that it can use */
  bool never_resets, refuses_features, restless, silent; /* what is wrong with it */
  uint16_t notify_off;
  uint8_t status;
  uint32_t doorbells, interrupts;
};

extern struct virtio_model model;

/* A device that is off: to be filled in, then used. */
void model_power(uint64_t offered, uint16_t queue_size);

/* What a driver is given: `state` and `memory` as cleared as the I/O partition's. */
struct driver_resources model_resources(void *state, void *memory);

/* False: nothing waits, or it does not know (its doorbell did not ring). Takes one of those that wait, any. */
bool model_take(uint16_t queue, struct model_chain *chain);
void model_answer(uint16_t queue, uint16_t head, uint32_t length);

/* Writes to the used ring what no honest device would. */
void model_forge(uint16_t queue, uint32_t id, uint32_t length);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What a server says of a channel in the form of virtio's registers, and the
 * features that its client may accept of it. Copies: nothing is read back but
 * what the client accepts, once an epoch.
 */
#ifndef PARCLOSE_IO_REGISTERS_H
#define PARCLOSE_IO_REGISTERS_H

#include "channel.h"

#include <stdbool.h>

#define FEATURE(NUMBER) (1ull << (NUMBER))

static inline void registers_write(struct channel_window *window, uint32_t device, uint64_t features) {
  volatile struct virtio_mmio *registers = &window->registers;
  registers->magic_value = VIRTIO_MMIO_MAGIC;
  registers->version = VIRTIO_MMIO_VERSION;
  registers->device_id = device;
  registers->vendor_id = VIRTIO_MMIO_VENDOR;
  registers->device_features = (uint32_t)features;
  registers->queue_num_max = QUEUE_SIZE;
  *(volatile uint64_t *)&window->header.features = features;
}

/* Whether a client that begins an epoch accepts no more than it was offered; it reads the answer in `status`. */
static inline bool registers_agree(struct channel_window *window, uint64_t features) {
  uint64_t accepted = *(volatile uint64_t *)&window->header.accepted;
  bool agreed = (accepted & ~features) == 0;
  *(volatile uint32_t *)&window->registers.status = agreed ? VIRTIO_STATUS_SERVED : VIRTIO_STATUS_REFUSED;
  return agreed;
}

#endif

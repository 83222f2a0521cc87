/* SPDX-License-Identifier: Apache-2.0
 *
 * The registers of a virtio device on a memory bus (OASIS virtio 1.1, 4.2.2) as
 * they stand in a channel's window, so that the ordinary driver of a guest
 * operating system finds a device there: channel_window.registers, with the
 * configuration behind them as the standard has it.
 *
 * They are memory, not a device: a read is a read of memory, and needs no trap.
 * The server writes what stays the same: identity, configuration, the lower
 * features, the queues' size. What a driver writes goes to whoever stands
 * between it and the channel: a virtual machine monitor (VMM), which is the
 * channel's client, maps this page for its operating system read-only and has
 * each write trap. It then does what the register means, and writes the answer
 * here before it lets the driver go on:
 *
 *   device_features_sel   device_features = that half of channel_header.features
 *   driver_features       into that half of channel_header.accepted
 *   queue_sel             queue_num_max, queue_ready of that queue
 *   queue_num … queue_ready   notes size and places of the driver's rings
 *   queue_notify          moves new descriptors, headers and, later, status bytes between the driver's rings and the
 *                         window's (data stay where they are: their addresses pass), then signals the channel
 *   interrupt_ack         interrupt_status &= ~value; it sets the bit when the channel's event comes, and interrupts
 *   status                FEATURES_OK stays only where accepted holds nothing that is not in features; DRIVER_OK: sets the
 *                         window's rings up and begins an epoch; 0: ends it (channel_header.magic = 0)
 *
 * A program of ours needs none of it: it writes `accepted`, begins its epoch, and reads `status`.
 */
#ifndef PARCLOSE_VIRTIO_MMIO_H
#define PARCLOSE_VIRTIO_MMIO_H

#include <stddef.h>
#include <stdint.h>

#define VIRTIO_MMIO_MAGIC 0x74726976u  /* "virt" */
#define VIRTIO_MMIO_VENDOR 0x4c435250u /* "PRCL" */
#define VIRTIO_MMIO_VERSION 2u
#define VIRTIO_MMIO_CONFIG 0x100u

#define VIRTIO_ID_NETWORK 1u
#define VIRTIO_ID_BLOCK 2u
#define VIRTIO_ID_CONSOLE 3u

/* Feature bits of every class of device. */
#define VIRTIO_FEATURE_VERSION_1 32u

/* What the server writes to `status` when it looks at an epoch: it serves it, or the client accepted what was not offered. */
#define VIRTIO_STATUS_SERVED 0x0fu  /* ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK */
#define VIRTIO_STATUS_REFUSED 0x03u /* ACKNOWLEDGE, DRIVER */

struct virtio_mmio {
  uint32_t magic_value, version, device_id, vendor_id;
  uint32_t device_features, device_features_sel, reserved_018[2];
  uint32_t driver_features, driver_features_sel, reserved_028[2];
  uint32_t queue_sel, queue_num_max, queue_num, reserved_03c[2], queue_ready, reserved_048[2];
  uint32_t queue_notify, reserved_054[3];
  uint32_t interrupt_status, interrupt_ack, reserved_068[2];
  uint32_t status, reserved_074[3];
  uint32_t queue_desc_low, queue_desc_high, reserved_088[2];
  uint32_t queue_driver_low, queue_driver_high, reserved_098[2];
  uint32_t queue_device_low, queue_device_high, reserved_0a8[21];
  uint32_t config_generation;
};

_Static_assert(offsetof(struct virtio_mmio, device_features) == 0x010, "4.2.2");
_Static_assert(offsetof(struct virtio_mmio, driver_features) == 0x020, "4.2.2");
_Static_assert(offsetof(struct virtio_mmio, queue_num_max) == 0x034, "4.2.2");
_Static_assert(offsetof(struct virtio_mmio, queue_ready) == 0x044, "4.2.2");
_Static_assert(offsetof(struct virtio_mmio, queue_notify) == 0x050, "4.2.2");
_Static_assert(offsetof(struct virtio_mmio, interrupt_status) == 0x060, "4.2.2");
_Static_assert(offsetof(struct virtio_mmio, status) == 0x070, "4.2.2");
_Static_assert(offsetof(struct virtio_mmio, queue_desc_low) == 0x080, "4.2.2");
_Static_assert(offsetof(struct virtio_mmio, queue_driver_low) == 0x090, "4.2.2");
_Static_assert(offsetof(struct virtio_mmio, queue_device_low) == 0x0a0, "4.2.2");
_Static_assert(offsetof(struct virtio_mmio, config_generation) == 0x0fc, "4.2.2");
_Static_assert(sizeof(struct virtio_mmio) == VIRTIO_MMIO_CONFIG, "the configuration follows");

#endif

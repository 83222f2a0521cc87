/* SPDX-License-Identifier: Apache-2.0
 *
 * Registers and rings of virtio devices on PCI, with the names of the
 * specification (OASIS virtio 1.1; section in brackets).
 */
#ifndef PARCLOSE_IO_VIRTIO_REGISTERS_H
#define PARCLOSE_IO_VIRTIO_REGISTERS_H

#include <stdint.h>

/* [4.1.4.3] common configuration; the width of a register is the width of its access */
#define VIRTIO_DEVICE_FEATURE_SELECT 0x00u /* 32 bits, as the next three */
#define VIRTIO_DEVICE_FEATURE 0x04u
#define VIRTIO_DRIVER_FEATURE_SELECT 0x08u
#define VIRTIO_DRIVER_FEATURE 0x0cu
#define VIRTIO_MSIX_CONFIG 0x10u       /* 16 */
#define VIRTIO_NUM_QUEUES 0x12u        /* 16 */
#define VIRTIO_DEVICE_STATUS 0x14u     /* 8 */
#define VIRTIO_CONFIG_GENERATION 0x15u /* 8 */
#define VIRTIO_QUEUE_SELECT 0x16u      /* 16, as the next four */
#define VIRTIO_QUEUE_SIZE 0x18u
#define VIRTIO_QUEUE_MSIX_VECTOR 0x1au
#define VIRTIO_QUEUE_ENABLE 0x1cu
#define VIRTIO_QUEUE_NOTIFY_OFF 0x1eu
#define VIRTIO_QUEUE_DESC 0x20u /* 64, as the next two */
#define VIRTIO_QUEUE_DRIVER 0x28u
#define VIRTIO_QUEUE_DEVICE 0x30u
#define VIRTIO_COMMON_SIZE 0x38u

/* [2.1] */
#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER 2u
#define STATUS_DRIVER_OK 4u
#define STATUS_FEATURES_OK 8u
#define STATUS_NEEDS_RESET 64u

/* [6] */
#define VIRTIO_F_RING_INDIRECT_DESC (1ull << 28)
#define VIRTIO_F_RING_EVENT_IDX (1ull << 29)
#define VIRTIO_F_VERSION_1 (1ull << 32)
#define VIRTIO_F_ACCESS_PLATFORM (1ull << 33) /* addresses are the platform's, as `bias` makes them in any case */

/* [2.6] */
#define VIRTIO_DESC_NEXT 1u
#define VIRTIO_DESC_WRITE 2u /* the device writes the buffer */
#define VIRTIO_DESC_INDIRECT 4u
#define VIRTIO_USED_NO_NOTIFY 1u
#define VIRTIO_QUEUE_MAX 256u /* entries that our rings have room for */

struct virtio_descriptor {
  uint64_t address;
  uint32_t length;
  uint16_t flags;
  uint16_t next;
};

struct virtio_available {
  uint16_t flags;
  uint16_t index;
  uint16_t ring[VIRTIO_QUEUE_MAX + 1]; /* used_event follows the last entry of the queue's size */
};

struct virtio_used_element {
  uint32_t id;
  uint32_t length;
};

struct virtio_used {
  uint16_t flags;
  uint16_t index;
  struct virtio_used_element ring[VIRTIO_QUEUE_MAX + 1]; /* avail_event follows the last entry of the queue's size */
};

struct virtio_rings {
  _Alignas(16) struct virtio_descriptor descriptor[VIRTIO_QUEUE_MAX];
  _Alignas(4) struct virtio_available available;
  _Alignas(4) struct virtio_used used;
};

_Static_assert(sizeof(struct virtio_descriptor) == 16, "2.6.5");
_Static_assert(sizeof(struct virtio_used_element) == 8, "2.6.8");

#endif

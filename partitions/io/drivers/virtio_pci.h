/* SPDX-License-Identifier: Apache-2.0
 *
 * Virtio over PCI (OASIS virtio 1.1, 4.1), the modern interface alone: what all
 * virtio drivers share. Where the structures lie says the board: the
 * capabilities stand in configuration space, which only the monitor reaches.
 *
 * Order: find → reset → begin (features) → queue … → ready.
 */
#ifndef PARCLOSE_IO_VIRTIO_PCI_H
#define PARCLOSE_IO_VIRTIO_PCI_H

#include "resources.h"
#include "virtio_queue.h"

struct virtio_pci {
  uintptr_t common, device, notify;
  uint64_t notify_size; /* bytes from `notify` to the end of the BAR */
  uint32_t notify_multiplier;
  uint32_t device_size; /* bytes of the device configuration, at most */
  uint32_t interrupts;  /* entries of the MSI-X table that are ours */
  uint64_t features;    /* negotiated */
};

/* Each returns 0, or what is wrong. */
const char *virtio_pci_find(struct virtio_pci *pci, const struct driver_resources *given, uint32_t device_size);
const char *virtio_pci_reset(const struct virtio_pci *pci);
const char *virtio_pci_begin(struct virtio_pci *pci, uint64_t wanted);
const char *virtio_pci_queue(const struct virtio_pci *pci, struct virtio_queue *queue,
                             const struct virtio_queue_plan *plan, uint16_t number);
void virtio_pci_ready(const struct virtio_pci *pci);

/* The device says itself that only a reset helps, or is not there any more. */
bool virtio_pci_failed(const struct virtio_pci *pci);

/* Changes whenever a part of the device configuration does: read before and after more than one register of it. */
uint8_t virtio_pci_generation(const struct virtio_pci *pci);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio_pci.h"
#include "access.h"
#include "pause.h"

#define RESET_SECONDS 5u
#define STATUS_GONE 0xffu /* what reads give when no device answers */
#define NO_VECTOR 0xffffu /* 4.1.5.1.2.1: the device could not map it */

/* --- where its structures are --- */

static bool inside(const struct device_descriptor *device, uint32_t offset, uint64_t size) {
  uint64_t bar = device->bar[device->parameter[PARAMETER_BAR]].size;
  return (offset & 3) == 0 && offset <= bar && size <= bar - offset;
}

const char *virtio_pci_find(struct virtio_pci *pci, const struct driver_resources *given, uint32_t device_size) {
  const struct device_descriptor *device = given->device;
  const uint32_t *parameter = device->parameter;
  uintptr_t registers = driver_registers(given, parameter[PARAMETER_BAR], VIRTIO_COMMON_SIZE);
  *pci = (struct virtio_pci){.device_size = device_size, .interrupts = device->interrupt_count};
  if (!registers)
    return "the BAR with the virtio structures is not mapped";
  if (!inside(device, parameter[PARAMETER_COMMON], VIRTIO_COMMON_SIZE) ||
      !inside(device, parameter[PARAMETER_DEVICE], device_size) || !inside(device, parameter[PARAMETER_NOTIFY], 4))
    return "the board puts a virtio structure outside its BAR";
  pci->common = registers + parameter[PARAMETER_COMMON];
  pci->device = registers + parameter[PARAMETER_DEVICE];
  pci->notify = registers + parameter[PARAMETER_NOTIFY];
  pci->notify_size = device->bar[parameter[PARAMETER_BAR]].size - parameter[PARAMETER_NOTIFY];
  pci->notify_multiplier = parameter[PARAMETER_NOTIFY_MULTIPLIER];
  return 0;
}

/* --- life cycle (3.1.1) --- */

static uint8_t status_of(const struct virtio_pci *pci) {
  return register_read8(pci->common + VIRTIO_DEVICE_STATUS);
}

static void add_status(const struct virtio_pci *pci, uint8_t status) {
  register_write8(pci->common + VIRTIO_DEVICE_STATUS, status_of(pci) | status);
}

/* 4.1.4.3.2: a read of 0 says that it is done. */
const char *virtio_pci_reset(const struct virtio_pci *pci) {
  register_write8(pci->common + VIRTIO_DEVICE_STATUS, 0);
  for (uint32_t i = 0; i < RESET_SECONDS * PAUSES_PER_SECOND; i++) {
    uint8_t status = status_of(pci);
    if (status == 0)
      return 0;
    if (status == STATUS_GONE)
      break;
    driver_pause();
  }
  return "the device does not reset (its status does not become 0)";
}

static uint64_t offered(const struct virtio_pci *pci) {
  register_write32(pci->common + VIRTIO_DEVICE_FEATURE_SELECT, 0);
  uint64_t low = register_read32(pci->common + VIRTIO_DEVICE_FEATURE);
  register_write32(pci->common + VIRTIO_DEVICE_FEATURE_SELECT, 1);
  return low | (uint64_t)register_read32(pci->common + VIRTIO_DEVICE_FEATURE) << 32;
}

static void accept(const struct virtio_pci *pci, uint64_t features) {
  register_write32(pci->common + VIRTIO_DRIVER_FEATURE_SELECT, 0);
  register_write32(pci->common + VIRTIO_DRIVER_FEATURE, (uint32_t)features);
  register_write32(pci->common + VIRTIO_DRIVER_FEATURE_SELECT, 1);
  register_write32(pci->common + VIRTIO_DRIVER_FEATURE, (uint32_t)(features >> 32));
}

const char *virtio_pci_begin(struct virtio_pci *pci, uint64_t wanted) {
  add_status(pci, STATUS_ACKNOWLEDGE);
  add_status(pci, STATUS_DRIVER);
  uint64_t features = offered(pci);
  if (!(features & VIRTIO_F_VERSION_1))
    return "the device has the interface from before virtio 1.0 alone";
  pci->features = features & (wanted | VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_RING_INDIRECT_DESC |
                              VIRTIO_F_RING_EVENT_IDX);
  accept(pci, pci->features);
  add_status(pci, STATUS_FEATURES_OK);
  if (!(status_of(pci) & STATUS_FEATURES_OK))
    return "the device refuses the features that it offered";
  register_write16(pci->common + VIRTIO_MSIX_CONFIG, 0);
  if (register_read16(pci->common + VIRTIO_MSIX_CONFIG) == NO_VECTOR)
    return "the device has no interrupt for its configuration";
  return 0;
}

/* --- queues (4.1.5.1.3) --- */

static void write_address(const struct virtio_pci *pci, uint32_t offset, const void *memory, uint64_t bias) {
  register_write64(pci->common + offset, (uint64_t)(uintptr_t)memory + bias);
}

/* Entry 0 of the MSI-X table tells of configuration changes, 1 of queues; where there is one, of both. */
static bool route(const struct virtio_pci *pci) {
  uint16_t vector = pci->interrupts > 1;
  register_write16(pci->common + VIRTIO_QUEUE_MSIX_VECTOR, vector);
  return register_read16(pci->common + VIRTIO_QUEUE_MSIX_VECTOR) == vector;
}

static uint16_t largest_power(uint16_t limit) {
  uint16_t size = VIRTIO_QUEUE_MAX;
  while (size > limit)
    size >>= 1;
  return size;
}

const char *virtio_pci_queue(const struct virtio_pci *pci, struct virtio_queue *queue,
                             const struct virtio_queue_plan *plan, uint16_t number) {
  register_write16(pci->common + VIRTIO_QUEUE_SELECT, number);
  uint16_t size = largest_power(register_read16(pci->common + VIRTIO_QUEUE_SIZE));
  if (size == 0 || !virtio_queue_reset(queue, plan, size))
    return "the device lacks a queue, or one is too short";
  uint64_t place = (uint64_t)register_read16(pci->common + VIRTIO_QUEUE_NOTIFY_OFF) * pci->notify_multiplier;
  if (place > pci->notify_size - sizeof(uint16_t))
    return "a queue's doorbell is outside the BAR";
  queue->doorbell = pci->notify + place;
  queue->number = number;
  register_write16(pci->common + VIRTIO_QUEUE_SIZE, size);
  if (!route(pci))
    return "the device has no interrupt for a queue";
  write_address(pci, VIRTIO_QUEUE_DESC, plan->rings->descriptor, plan->bias);
  write_address(pci, VIRTIO_QUEUE_DRIVER, &plan->rings->available, plan->bias);
  write_address(pci, VIRTIO_QUEUE_DEVICE, &plan->rings->used, plan->bias);
  register_write16(pci->common + VIRTIO_QUEUE_ENABLE, 1);
  return 0;
}

void virtio_pci_ready(const struct virtio_pci *pci) {
  add_status(pci, STATUS_DRIVER_OK);
}

/* A device that was reset behind our back has DRIVER_OK clear. */
bool virtio_pci_failed(const struct virtio_pci *pci) {
  return (status_of(pci) & (STATUS_NEEDS_RESET | STATUS_DRIVER_OK)) != STATUS_DRIVER_OK;
}

uint8_t virtio_pci_generation(const struct virtio_pci *pci) {
  return register_read8(pci->common + VIRTIO_CONFIG_GENERATION);
}

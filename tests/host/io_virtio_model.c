/* SPDX-License-Identifier: Apache-2.0 */
#include "io_virtio_model.h"
#include "drivers/access.h"
#include "drivers/pause.h"
#include "runtime_check.h"

#define COMMON 0x0u
#define DEVICE 0x2000u
#define NOTIFY 0x3000u
#define MULTIPLIER 4u
#define BAR 4u
#define BAR_SIZE 0x4000u

struct virtio_model model;

static struct {
  uint64_t address[3]; /* descriptors, available ring, used ring */
  uint16_t size, vector;
  uint16_t taken, answered; /* indexes of the two rings */
  bool enabled, awake;
  bool given[VIRTIO_QUEUE_MAX]; /* heads that are ours and not answered */
} queue[MODEL_QUEUES];

static uint32_t device_select, driver_select;
static uint16_t queue_select, config_vector;
static uint8_t generation;
static struct device_descriptor descriptor;

void driver_pause(void) {}

void model_power(uint64_t offered, uint16_t queue_size) {
  memset(queue, 0, sizeof queue);
  model = (struct virtio_model){
      .offered = offered, .queues = MODEL_QUEUES, .queue_size = {queue_size, queue_size}, .entries = 2, .vectors = 2};
}

struct driver_resources model_resources(void *state, void *memory) {
  descriptor = (struct device_descriptor){.interrupt_count = model.entries};
  descriptor.bar[BAR].address = MODEL_REGISTERS;
  descriptor.bar[BAR].size = BAR_SIZE;
  descriptor.bar[BAR].kind = BAR_MEMORY_64;
  descriptor.parameter[PARAMETER_BAR] = BAR;
  descriptor.parameter[PARAMETER_COMMON] = COMMON;
  descriptor.parameter[PARAMETER_DEVICE] = DEVICE;
  descriptor.parameter[PARAMETER_NOTIFY] = NOTIFY;
  descriptor.parameter[PARAMETER_NOTIFY_MULTIPLIER] = MULTIPLIER;
  return (struct driver_resources){.device = &descriptor, .state = state, .memory = memory, .bias = MODEL_BIAS};
}

static void *from_device(uint64_t address) {
  return (void *)(uintptr_t)(address - MODEL_BIAS);
}

static struct virtio_descriptor *descriptors(uint16_t number) {
  return from_device(queue[number].address[0]);
}

static struct virtio_available *available(uint16_t number) {
  return from_device(queue[number].address[1]);
}

static struct virtio_used *used(uint16_t number) {
  return from_device(queue[number].address[2]);
}

/* --- chains (2.6.5) --- */

static void add_part(struct model_chain *chain, const struct virtio_descriptor *from) {
  CHECK(chain->count < MODEL_PARTS && from->length != 0);
  bool writable = from->flags & VIRTIO_DESC_WRITE;
  /* 2.6.4.2: what the device writes comes after what it reads */
  CHECK(chain->count == 0 || writable || !chain->part[chain->count - 1].writable);
  chain->part[chain->count++] = (struct model_part){from_device(from->address), from->length, writable};
}

static void read_table(uint16_t number, const struct virtio_descriptor *table, uint32_t entries, uint32_t first,
                       struct model_chain *chain) {
  for (uint32_t entry = first;; entry = table[entry].next) {
    CHECK(entry < entries && chain->count < queue[number].size); /* no chain is longer than the queue */
    CHECK(!(table[entry].flags & VIRTIO_DESC_INDIRECT));
    add_part(chain, &table[entry]);
    if (!(table[entry].flags & VIRTIO_DESC_NEXT))
      return;
  }
}

static void read_chain(uint16_t number, uint16_t head, struct model_chain *chain) {
  *chain = (struct model_chain){.queue = number, .head = head};
  CHECK(head < queue[number].size && !queue[number].given[head]); /* a head that is ours already */
  queue[number].given[head] = true;
  const struct virtio_descriptor *first = &descriptors(number)[head];
  if (!(first->flags & VIRTIO_DESC_INDIRECT)) {
    read_table(number, descriptors(number), queue[number].size, head, chain);
    return;
  }
  CHECK(model.accepted & VIRTIO_F_RING_INDIRECT_DESC);
  CHECK(!(first->flags & VIRTIO_DESC_NEXT) && first->length % sizeof *first == 0);
  read_table(number, from_device(first->address), first->length / sizeof *first, 0, chain);
}

/* Asks for a doorbell, then looks once more: 2.6.10.1. */
static bool sleeps(uint16_t number) {
  if (model.accepted & VIRTIO_F_RING_EVENT_IDX)
    memcpy(&used(number)->ring[queue[number].size], &queue[number].taken, 2); /* avail_event */
  queue[number].awake = available(number)->index != queue[number].taken;
  return !queue[number].awake;
}

/* Of those that wait it takes any: drivers may not count on an order. */
bool model_take(uint16_t number, struct model_chain *chain) {
  if (model.silent || !queue[number].enabled || !queue[number].awake || !(model.status & STATUS_DRIVER_OK))
    return false;
  struct virtio_available *ring = available(number);
  uint16_t waiting = (uint16_t)(ring->index - queue[number].taken), mask = queue[number].size - 1;
  CHECK(waiting <= queue[number].size);
  if (waiting == 0 && sleeps(number))
    return false;
  uint16_t first = queue[number].taken & mask;
  uint16_t other = (uint16_t)(queue[number].taken + random_below(waiting)) & mask;
  uint16_t head = ring->ring[other];
  ring->ring[other] = ring->ring[first]; /* the driver does not look at these */
  queue[number].taken++;
  if (queue[number].taken == ring->index)
    sleeps(number);
  read_chain(number, head, chain);
  return true;
}

void model_forge(uint16_t number, uint32_t id, uint32_t length) {
  struct virtio_used *ring = used(number);
  uint16_t before = queue[number].answered++;
  ring->ring[before & (queue[number].size - 1)] = (struct virtio_used_element){id, length};
  ring->index = queue[number].answered;
  uint16_t event = available(number)->ring[queue[number].size]; /* used_event */
  if (!(model.accepted & VIRTIO_F_RING_EVENT_IDX) || event == before)
    model.interrupts++;
}

void model_answer(uint16_t number, uint16_t head, uint32_t length) {
  CHECK(queue[number].given[head]);
  queue[number].given[head] = false;
  model_forge(number, head, length);
}

/* --- registers --- */

static void write_status(uint8_t value) {
  if (value == 0) {
    memset(queue, 0, sizeof queue);
    model.accepted = 0;
    model.status = model.never_resets ? model.status : 0;
    return;
  }
  CHECK((model.status & ~value) == 0); /* 2.1.1: bits are added only */
  CHECK(!(value & STATUS_DRIVER) || (value & STATUS_ACKNOWLEDGE));
  CHECK(!(value & STATUS_FEATURES_OK) || (value & STATUS_DRIVER));
  CHECK(!(value & STATUS_DRIVER_OK) || (model.status & STATUS_FEATURES_OK));
  CHECK((model.accepted & ~model.offered) == 0);
  model.status = value;
  if (model.refuses_features)
    model.status &= (uint8_t)~STATUS_FEATURES_OK;
}

static uint16_t vector(uint16_t wanted) {
  return wanted < model.vectors ? wanted : 0xffff;
}

static void enable_queue(void) {
  CHECK((model.status & STATUS_FEATURES_OK) && !(model.status & STATUS_DRIVER_OK));
  CHECK((queue[queue_select].address[0] & 15) == 0 && (queue[queue_select].address[1] & 1) == 0 &&
        (queue[queue_select].address[2] & 3) == 0 && queue[queue_select].vector != 0xffff);
  queue[queue_select].enabled = true;
}

static void write_queue(uint32_t offset, uint16_t value) {
  CHECK(queue_select < model.queues && !queue[queue_select].enabled);
  if (offset == VIRTIO_QUEUE_SIZE) {
    CHECK(value && (value & (value - 1)) == 0 && value <= model.queue_size[queue_select]);
    queue[queue_select].size = value;
  } else if (offset == VIRTIO_QUEUE_MSIX_VECTOR) {
    queue[queue_select].vector = vector(value);
  } else {
    CHECK(offset == VIRTIO_QUEUE_ENABLE && value == 1);
    enable_queue();
  }
}

static void doorbell(uint32_t offset, uint16_t value) {
  CHECK(value < model.queues && offset == (uint32_t)(value + model.notify_off) * MULTIPLIER);
  CHECK(queue[value].enabled && (model.status & STATUS_DRIVER_OK));
  model.doorbells++;
  queue[value].awake = true;
}

uint8_t register_read8(uintptr_t address) {
  uint32_t offset = (uint32_t)(address - MODEL_REGISTERS);
  if (offset >= DEVICE && offset < DEVICE + MODEL_CONFIG)
    return model.configuration[offset - DEVICE];
  if (offset == COMMON + VIRTIO_CONFIG_GENERATION)
    return model.restless ? generation++ : generation;
  CHECK(offset == COMMON + VIRTIO_DEVICE_STATUS);
  return model.status;
}

uint16_t register_read16(uintptr_t address) {
  uint32_t offset = (uint32_t)(address - MODEL_REGISTERS);
  bool there = queue_select < model.queues;
  switch (offset - COMMON) {
  case VIRTIO_MSIX_CONFIG:
    return config_vector;
  case VIRTIO_NUM_QUEUES:
    return model.queues;
  case VIRTIO_QUEUE_SIZE:
    return there ? model.queue_size[queue_select] : 0;
  case VIRTIO_QUEUE_MSIX_VECTOR:
    return queue[queue_select].vector;
  case VIRTIO_QUEUE_NOTIFY_OFF:
    return queue_select + model.notify_off;
  default:
    CHECK(offset >= DEVICE && offset < DEVICE + MODEL_CONFIG && (offset & 1) == 0);
    return *(uint16_t *)&model.configuration[offset - DEVICE];
  }
}

uint32_t register_read32(uintptr_t address) {
  uint32_t offset = (uint32_t)(address - MODEL_REGISTERS);
  if (offset == COMMON + VIRTIO_DEVICE_FEATURE)
    return (uint32_t)(device_select ? model.offered >> 32 : model.offered);
  CHECK(offset >= DEVICE && offset < DEVICE + MODEL_CONFIG && (offset & 3) == 0);
  return *(uint32_t *)&model.configuration[offset - DEVICE];
}

void register_write8(uintptr_t address, uint8_t value) {
  CHECK(address == MODEL_REGISTERS + COMMON + VIRTIO_DEVICE_STATUS);
  write_status(value);
}

void register_write16(uintptr_t address, uint16_t value) {
  uint32_t offset = (uint32_t)(address - MODEL_REGISTERS);
  if (offset >= NOTIFY)
    doorbell(offset - NOTIFY, value);
  else if (offset == COMMON + VIRTIO_MSIX_CONFIG)
    config_vector = vector(value);
  else if (offset == COMMON + VIRTIO_QUEUE_SELECT)
    queue_select = value;
  else
    write_queue(offset - COMMON, value);
}

static void accept(uint32_t value) {
  CHECK(!(model.status & STATUS_FEATURES_OK));
  uint64_t kept = driver_select ? (uint32_t)model.accepted : model.accepted & ~0xffffffffull;
  model.accepted = kept | (uint64_t)value << (driver_select ? 32 : 0);
}

void register_write32(uintptr_t address, uint32_t value) {
  uint32_t offset = (uint32_t)(address - MODEL_REGISTERS - COMMON);
  if (offset == VIRTIO_DEVICE_FEATURE_SELECT) {
    device_select = value;
  } else if (offset == VIRTIO_DRIVER_FEATURE_SELECT) {
    driver_select = value;
  } else if (offset == VIRTIO_DRIVER_FEATURE) {
    accept(value);
  } else {
    CHECK(offset >= VIRTIO_QUEUE_DESC && offset < VIRTIO_COMMON_SIZE && queue_select < model.queues);
    uint64_t *place = &queue[queue_select].address[(offset - VIRTIO_QUEUE_DESC) / 8];
    unsigned shift = offset & 4 ? 32 : 0;
    *place = (*place & ~(0xffffffffull << shift)) | (uint64_t)value << shift;
  }
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two tests of the AHCI driver share: the driver on the model, and what
 * a server does with it.
 */
#ifndef IO_AHCI_KIT_H
#define IO_AHCI_KIT_H

#include "drivers/ahci.h"
#include "io_ahci_model.h"
#include "runtime_check.h"

#define PAGE 4096u
#define PAGES 512u

static struct ahci ahci;
static struct ahci_memory memory;
static _Alignas(4096) uint8_t buffers[PAGES * PAGE];
static struct block_device *const device = &ahci.block;

static struct device_descriptor place = {.interrupt_count = 1,
                                         .bar[5] = {.address = MODEL_REGISTERS, .size = 4096, .kind = BAR_MEMORY_32}};

static inline struct block_device *give(void) {
  return ahci_open(&(struct driver_resources){&place, &ahci, &memory, MODEL_BIAS});
}

static inline void open_device(void) {
  CHECK(give() == device && !device->problem);
  CHECK(device->driver->reset(device));
  CHECK(device->driver->start(device));
}

static inline void power(uint32_t shift, uint32_t slots, uint32_t depth) {
  model_power(shift, slots, depth);
  open_device();
}

static inline uint64_t device_address(const void *place) {
  return (uintptr_t)place + MODEL_BIAS;
}

static inline uint32_t poll(struct block_completion *completion, uint32_t limit) {
  return device->driver->poll(device, completion, limit);
}

/* As the server does it: completions where there was a message, else the look. */
static inline uint32_t finish(uint32_t pieces, uint32_t *failed) {
  struct block_completion completion[8];
  uint32_t done = 0;
  for (uint32_t rounds = 0; done < pieces; rounds++) {
    CHECK(rounds < 100000);
    device->driver->commit(device);
    model_work(1 + random_below(5));
    uint32_t limit = 1 + random_below(8), count = poll(completion, limit);
    for (uint32_t i = 0; i < count; i++)
      *failed += completion[i].error != 0;
    CHECK(count <= limit);
    done += count;
  }
  return done;
}

static inline enum block_result access_block(uint64_t block, uint32_t tag) {
  struct block_segment segment = {device_address(&buffers[512 * tag]), 512};
  struct block_transfer transfer = {512 * block, &segment, 1, BLOCK_READ, false};
  return device->driver->submit(device, &transfer, tag);
}

#endif

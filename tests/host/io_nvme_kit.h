/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two tests of the NVMe driver share: the driver on the model, and what
 * a server does with it.
 */
#ifndef IO_NVME_KIT_H
#define IO_NVME_KIT_H

#include "drivers/nvme.h"
#include "io_nvme_model.h"
#include "runtime_check.h"

#define PAGE 4096u
#define PAGES 512u

static struct nvme nvme;
static struct nvme_memory memory;
static _Alignas(4096) uint8_t buffers[PAGES * PAGE];
static struct block_device *const device = &nvme.block;

static const struct device_descriptor place = {
    .interrupt_count = 1, .bar[0] = {.address = MODEL_REGISTERS, .size = 16384, .kind = BAR_MEMORY_64}};

static struct block_device *give(const struct device_descriptor *where) {
  return nvme_open(&(struct driver_resources){where, &nvme, &memory, MODEL_BIAS});
}

static inline void open_device(void) {
  CHECK(give(&place) == device && !device->problem);
  CHECK(device->driver->reset(device));
  CHECK(device->driver->start(device));
}

static inline uint64_t device_address(const void *place) {
  return (uintptr_t)place + MODEL_BIAS;
}

static inline uint32_t finish_all(uint32_t pieces, uint32_t *failed) {
  struct block_completion completion[8];
  uint32_t done = 0;
  device->driver->commit(device);
  for (uint32_t rounds = 0; done < pieces; rounds++) {
    CHECK(rounds < 10000);
    model_work(1 + random_below(5));
    uint32_t count = device->driver->poll(device, completion, 1 + random_below(8));
    for (uint32_t i = 0; i < count; i++)
      *failed += completion[i].error != 0;
    done += count;
  }
  return done;
}

static inline enum block_result read_block(uint32_t tag) {
  struct block_segment segment = {device_address(buffers), 512};
  struct block_transfer transfer = {0, &segment, 1, BLOCK_READ, false};
  return device->driver->submit(device, &transfer, tag);
}

#endif

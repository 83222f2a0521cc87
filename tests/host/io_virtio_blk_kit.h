/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the virtio disk driver share: a driver, its memory, buffers,
 * and the shortest ways to a command and its answer.
 */
#ifndef IO_VIRTIO_BLK_KIT_H
#define IO_VIRTIO_BLK_KIT_H

#include "drivers/virtio_blk.h"
#include "io_virtio_blk_model.h"
#include "runtime_check.h"

#define PAGE 4096u
#define PAGES 512u
#define RINGS (VIRTIO_F_RING_INDIRECT_DESC | VIRTIO_F_RING_EVENT_IDX)

static struct virtio_blk disk;
static struct virtio_blk_memory memory;
static _Alignas(4096) uint8_t buffers[PAGES * PAGE];
static struct block_device *const device = &disk.block;

static void find_device(void) {
  memset(&disk, 0, sizeof disk);
  memset(&memory, 0, sizeof memory);
  struct driver_resources given = model_resources(&disk, &memory);
  CHECK(virtio_blk_open(&given) == device && !device->problem);
}

static void open_device(void) {
  find_device();
  CHECK(device->driver->reset(device));
  CHECK(device->driver->start(device));
  CHECK(device->free == device->depth && device->depth);
}

static uint64_t device_address(const void *place) {
  return (uintptr_t)place + MODEL_BIAS;
}

static enum block_result read_block(uint32_t tag) {
  struct block_segment segment = {device_address(buffers), device->block_size};
  struct block_transfer transfer = {0, &segment, 1, BLOCK_READ, false};
  return device->driver->submit(device, &transfer, tag);
}

static uint32_t only_answer(uint32_t tag) {
  struct block_completion completion[2];
  device->driver->commit(device);
  CHECK(disk_work(2) == 1);
  CHECK(device->driver->poll(device, completion, 2) == 1 && completion[0].tag == tag);
  return completion[0].error;
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The virtio disk driver and devices that are broken: that say nonsense, lack
 * what is needed, fall silent, do not stop, are not where the board says.
 */
#include "io_virtio_blk_kit.h"

/* Every command comes back as lost, once, and the device works again. */
static void reset_with_commands(uint16_t queue_size_afterwards) {
  struct block_completion completion[8];
  disk_power(RINGS, 256, 512, 8192, 5);
  open_device();
  for (uint32_t i = 0; i < 40; i++)
    CHECK(read_block(i) == BLOCK_TAKEN);
  device->driver->commit(device);
  model.silent = true;
  CHECK(!device->driver->failed(device));
  model.status |= STATUS_NEEDS_RESET;
  CHECK(device->driver->failed(device));
  model.silent = false;
  model.queue_size[0] = queue_size_afterwards;
  CHECK(device->driver->reset(device) && device->driver->start(device));
  uint32_t lost = 0;
  for (uint32_t count; (count = device->driver->poll(device, completion, 8)) != 0; lost += count) {
    for (uint32_t i = 0; i < count; i++)
      CHECK(completion[i].error == BLOCK_ERROR_RESET && completion[i].tag < 40);
  }
  CHECK(lost == 40 && device->free == device->depth && !device->driver->failed(device));
  CHECK(read_block(5) == BLOCK_TAKEN && only_answer(5) == 0);
}

/* Answers to nothing, twice to one, far too many of them: no slot is freed twice, and the device is said to have failed. */
static void nonsense(uint64_t features) {
  static const uint32_t ids[] = {0, 1, 7, 255, 256, 0xffff, 0x10000, 0x80000000, 0xffffffff};
  struct block_completion completion[2 * VIRTIO_BLK_SLOTS];
  for (uint32_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
    disk_power(features, 256, 512, 8192, 5);
    open_device();
    model_forge(0, ids[i], 1);
    CHECK(device->driver->poll(device, completion, 8) == 0 && device->driver->failed(device));
  }
  disk_power(features, 256, 512, 8192, 5);
  open_device();
  CHECK(read_block(1) == BLOCK_TAKEN);
  device->driver->commit(device);
  model_forge(0, 1, 1); /* the second descriptor of the first slot, or the second slot: neither is a command's head */
  CHECK(device->driver->poll(device, completion, 8) == 0 && device->driver->failed(device));
  disk_power(features, 256, 512, 8192, 5);
  open_device();
  CHECK(read_block(1) == BLOCK_TAKEN && read_block(2) == BLOCK_TAKEN);
  device->driver->commit(device);
  CHECK(disk_work(2) == 2);
  for (uint32_t i = 0; i < 1000; i++)
    model_forge(0, 0, 1);
  CHECK(device->driver->poll(device, completion, 2 * VIRTIO_BLK_SLOTS) <= 2);
  CHECK(device->free <= device->depth && device->driver->failed(device));
  CHECK(device->driver->reset(device) && device->driver->start(device) && !device->driver->failed(device));
}

static bool starts(void) {
  find_device();
  CHECK(device->driver->reset(device));
  bool good = device->driver->start(device);
  CHECK(good != (device->problem != NULL));
  if (!good)
    CHECK(read_block(0) == BLOCK_REFUSED && device->driver->flush(device, 0) == BLOCK_REFUSED);
  return good;
}

static bool starts_with(uint64_t features, uint16_t queue_size, uint32_t block_size, uint32_t segment_length,
                        uint32_t segments) {
  disk_power(features, queue_size, block_size, segment_length, segments);
  return starts();
}

static void broken_devices(void) {
  CHECK(starts_with(F_ALL, 8, 512, 512, 1));
  CHECK(!starts_with(F_ALL, 4, 512, 512, 1)); /* no chain of ours fits */
  CHECK(!starts_with(F_ALL, 0, 512, 512, 1));
  CHECK(!starts_with(F_ALL, 8, 0, 512, 1) && !starts_with(F_ALL, 8, 513, 512, 1) && !starts_with(F_ALL, 8, 8192, 1, 1));
  CHECK(!starts_with(F_ALL, 8, 4096, 512, 1) && !starts_with(F_ALL, 8, 512, 512, 0));
  disk_power(F_ALL, 64, 512, 512, 1);
  model.offered &= ~VIRTIO_F_VERSION_1;
  CHECK(!starts());
  disk_power(F_ALL, 64, 512, 512, 1);
  model.refuses_features = true;
  CHECK(!starts());
  disk_power(F_ALL, 64, 512, 512, 1);
  model.restless = true;
  CHECK(!starts());
  disk_power(F_ALL, 64, 512, 512, 1);
  model.notify_off = 0xfff0;
  CHECK(!starts());
  disk_power(F_ALL, 64, 512, 512, 1);
  model.vectors = 0; /* no interrupt at all, then none for the queue */
  CHECK(!starts());
  disk_power(F_ALL, 64, 512, 512, 1);
  model.vectors = 1;
  CHECK(!starts());
  model.entries = 1; /* one for all */
  CHECK(starts());
  disk_power(F_ALL, 64, 512, 512, 1);
  memset(model.configuration, 0xff, 8); /* capacity */
  CHECK(!starts());
}

/* What is under way may still be written: it must not come back. */
static void device_that_does_not_stop(void) {
  struct block_completion completion;
  disk_power(RINGS, 256, 512, 8192, 5);
  open_device();
  CHECK(read_block(0) == BLOCK_TAKEN);
  model.never_resets = true;
  CHECK(!device->driver->reset(device) && device->problem);
  CHECK(device->driver->poll(device, &completion, 1) == 0 && read_block(1) == BLOCK_REFUSED);
  model.status = 0xff; /* gone */
  CHECK(!device->driver->reset(device));
}

static void not_where_the_board_says(void) {
  static struct device_descriptor wrong;
  disk_power(RINGS, 256, 512, 8192, 5);
  for (uint32_t i = PARAMETER_BAR; i <= PARAMETER_NOTIFY; i++) {
    struct driver_resources given = model_resources(&disk, &memory);
    wrong = *given.device;
    given.device = &wrong;
    if (i != PARAMETER_ISR) {
      wrong.parameter[i] = i == PARAMETER_BAR ? 1 : 0x3ffd;
      CHECK(virtio_blk_open(&given)->problem);
    }
  }
}

int main(void) {
  reset_with_commands(256);
  reset_with_commands(32);
  nonsense(RINGS);
  nonsense(0);
  broken_devices();
  device_that_does_not_stop();
  not_where_the_board_says();
  puts("ok");
  return 0;
}

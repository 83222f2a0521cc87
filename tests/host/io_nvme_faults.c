/* SPDX-License-Identifier: Apache-2.0
 *
 * The NVMe driver when something goes wrong: errors, commands that are late, resets
 * with commands under way, controllers that break the rules.
 */
#include "io_nvme_kit.h"

static void errors(void) {
  struct block_completion completion;
  struct block_segment odd = {device_address(buffers) + 2, 512};
  struct block_transfer transfer = {0, &odd, 1, BLOCK_READ, false};
  model_power(9, 7, 64);
  open_device();
  CHECK(device->driver->submit(device, &transfer, 1) == BLOCK_REFUSED); /* a PRP entry begins at a dword */
  model.fail_in = 1;
  CHECK(read_block(9) == BLOCK_TAKEN);
  device->driver->commit(device);
  model_work(1);
  CHECK(device->driver->poll(device, &completion, 1) == 1 && completion.tag == 9 && completion.error == 0x281);
  CHECK(device->driver->flush(device, 10) == BLOCK_TAKEN);
  device->driver->commit(device);
  model_work(1);
  CHECK(device->driver->poll(device, &completion, 1) == 1 && completion.tag == 10 && completion.error == 0);
}

/* Blocks 0 to `commands` - 1 are asked for; then the controller falls silent and is reset. */
static void fill_and_reset(uint32_t commands) {
  for (uint32_t i = 0; i < commands; i++)
    CHECK(read_block(i) == BLOCK_TAKEN);
  device->driver->commit(device);
  model.silent = true;
  CHECK(!device->driver->failed(device));
  model.fatal = true;
  CHECK(device->driver->failed(device));
  model.fatal = false;
  CHECK(device->driver->reset(device));
}

/* Issued again once, then given up: every tag comes back once, and the device works again. */
static void reset_with_commands(bool twice) {
  struct block_completion completion[8];
  bool seen[20] = {false};
  uint32_t before = model.commands, done = 0;
  fill_and_reset(20);
  CHECK(device->driver->start(device));
  if (twice)
    CHECK(device->driver->reset(device) && device->driver->start(device));
  model.silent = false;
  for (uint32_t rounds = 0; done < 20; rounds++) {
    CHECK(rounds < 1000);
    model_work(3);
    uint32_t count = device->driver->poll(device, completion, 8);
    for (uint32_t i = 0; i < count; i++) {
      CHECK(completion[i].error == (twice ? BLOCK_ERROR_RESET : 0) && !seen[completion[i].tag]);
      seen[completion[i].tag] = true;
    }
    done += count;
  }
  CHECK(device->free == device->depth && model.commands == before + (twice ? 0 : 20));
}

/* Another disk in its place, or none that starts: nothing is issued again. */
static void reset_and_no_disk(bool other) {
  struct block_completion completion[8];
  model_power(9, 7, 64);
  open_device();
  fill_and_reset(5);
  model.silent = false;
  model.serial = other ? 'B' : 'A';
  model.never_ready = !other;
  CHECK(!device->driver->start(device) && device->problem);
  CHECK(device->driver->poll(device, completion, 8) == 5 && completion[4].error == BLOCK_ERROR_RESET);
  CHECK(model.commands == 0 && read_block(0) == BLOCK_REFUSED);
}

/* One that is late is aborted, once, and answered with the controller's own words; one that has ended is nobody's business. */
static void late_commands(void) {
  struct block_completion completion[8];
  model_power(9, 7, 64);
  open_device();
  for (uint32_t i = 0; i < 3; i++)
    read_block(i);
  device->driver->commit(device);
  model.silent = true;
  device->driver->late(device, 9);
  CHECK(model.aborts == 0);
  device->driver->late(device, 1);
  device->driver->late(device, 2); /* one at a time: it has its turn later, or the reset comes */
  CHECK(model.aborts == 1);
  CHECK(device->driver->poll(device, completion, 8) == 1 && completion[0].tag == 1 && completion[0].error == 7);
  device->driver->late(device, 2);
  CHECK(model.aborts == 2 && device->driver->poll(device, completion, 8) == 1 && completion[0].tag == 2);
  model.silent = false;
  uint32_t failed = 0;
  CHECK(finish_all(1, &failed) == 1 && failed == 0 && device->free == device->depth);
}

static void broken_controllers(void) {
  model_power(9, 7, 64);
  model.never_ready = true;
  give(&place);
  CHECK(device->driver->reset(device) && !device->driver->start(device) && device->problem);
  CHECK(read_block(0) == BLOCK_REFUSED && device->driver->flush(device, 0) == BLOCK_REFUSED);
  model_power(14, 7, 64);
  CHECK(device->driver->reset(device) && !device->driver->start(device) && device->problem);
  model_power(9, 7, 64);
  open_device();
  CHECK(read_block(0) == BLOCK_TAKEN);
  struct block_completion completion;
  model.never_stops = true; /* what is under way may still be written: it must not come back */
  CHECK(!device->driver->reset(device) && device->driver->poll(device, &completion, 1) == 0);
}

/* What the page does not show is said, and no register is looked for at address 0. */
static void without_registers(void) {
  struct device_descriptor other = place;
  other.bar[0].size = 4096;
  CHECK(give(&other)->problem);
  other.bar[0] = place.bar[0];
  other.bar[0].kind = BAR_PORTS;
  CHECK(give(&other)->problem);
  CHECK(read_block(0) == BLOCK_REFUSED);
}

int main(void) {
  without_registers();
  errors();
  late_commands();
  model_power(9, 7, 64);
  open_device();
  reset_with_commands(false);
  reset_with_commands(false);
  reset_with_commands(true);
  reset_with_commands(false);
  reset_and_no_disk(true);
  reset_and_no_disk(false);
  broken_controllers();
  puts("ok");
  return 0;
}

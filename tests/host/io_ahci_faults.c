/* SPDX-License-Identifier: Apache-2.0
 *
 * The AHCI driver when something goes wrong: errors and who is blamed, resets with
 * commands under way, devices that break the rules, and which port is chosen.
 */
#include "io_ahci_kit.h"

/* --- errors --- */

/* One bad block among many commands: it alone is told, whatever the controller says of its causes. */
static void one_to_blame(bool forgets_cause, uint32_t wakes_after) {
  uint32_t errors = 0, commands = 24;
  struct block_completion completion[8];
  power(9, 32, 32);
  model.forgets_cause = forgets_cause;
  model.wakes_after = wakes_after;
  model.bad_block = random_below(commands);
  for (uint32_t i = 0; i < commands; i++)
    CHECK(access_block(i, i) == BLOCK_TAKEN);
  device->driver->commit(device);
  for (uint32_t done = 0, rounds = 0; done < commands; rounds++) {
    CHECK(rounds < 10000);
    model_work(1 + random_below(3));
    uint32_t count = poll(completion, 1 + random_below(8));
    for (uint32_t i = 0; i < count; i++) {
      bool bad = completion[i].tag == model.bad_block;
      CHECK(completion[i].error == (bad ? 0x4140 : 0));
      errors += bad;
    }
    done += count;
    device->driver->commit(device);
  }
  CHECK(errors == 1 && model.resets >= 1 && model.resets <= 2 && device->free == 32);
}

/* A failure that passes is repeated, and nobody hears of it. */
static void passing_failure(void) {
  uint32_t failed = 0;
  power(9, 32, 32);
  for (uint32_t i = 0; i < 8; i++)
    access_block(i, i);
  model.fail_in = 5;
  finish(8, &failed);
  CHECK(failed == 0 && model.commands > 8 && model.resets == 1);
}

/* What has ended is told, some at a time, before anything is done about the one that has not. */
static void ended_before_an_error(void) {
  struct block_completion completion;
  power(9, 32, 32);
  for (uint32_t i = 0; i < 5; i++)
    access_block(i, i);
  model.fail_in = 5;
  device->driver->commit(device);
  model_work(5);
  for (uint32_t i = 0; i < 4; i++)
    CHECK(model.resets == 0 && poll(&completion, 1) == 1 && completion.error == 0);
  CHECK(poll(&completion, 1) == 1 && completion.error == 0x4140 && model.resets == 1 && model.commands == 5);
}

static void failed_flush(bool takes_failed) {
  uint32_t failed = 0;
  struct block_completion completion;
  power(9, 32, 32);
  model.takes_failed = model.forgets_cause = takes_failed;
  model.fail_in = 1;
  CHECK(device->driver->flush(device, 7) == BLOCK_TAKEN && access_block(0, 0) == BLOCK_BUSY);
  device->driver->commit(device);
  model_work(1);
  CHECK(poll(&completion, 1) + poll(&completion, 1) == 1 && completion.tag == 7 && completion.error == 0x4140);
  CHECK(access_block(0, 0) == BLOCK_TAKEN && finish(1, &failed) && !failed);
  CHECK(access_block(1, 1) == BLOCK_TAKEN); /* in the same slot, and then issued again: as what it is now */
  device->driver->commit(device);
  CHECK(device->driver->reset(device) && device->driver->start(device) && finish(1, &failed) && !failed);
}

/* New commands while an error is dealt with wait, and a commit does not mix them with those that run alone. */
static void commands_meanwhile(void) {
  struct block_completion completion[40];
  power(9, 32, 32);
  model.bad_block = 2;
  model.wakes_after = 3;
  for (uint32_t i = 0; i < 6; i++)
    access_block(i, i);
  device->driver->commit(device);
  for (uint32_t i = 6; i < 9; i++)
    CHECK(access_block(i, i) == BLOCK_TAKEN); /* built, not issued when the error shows */
  uint32_t done = 0;
  for (uint32_t rounds = 0; done < 9; rounds++) {
    CHECK(rounds < 1000);
    model_work(8);
    uint32_t count = poll(completion, 40);
    for (uint32_t i = 0; i < count; i++)
      CHECK(completion[i].tag < 6 || done + i >= 6); /* first what ran already */
    done += count;
    device->driver->commit(device);
  }
  CHECK(device->free == 32 && access_block(30, 30) == BLOCK_TAKEN);
}

/* --- resets --- */

static void fill_and_reset(uint32_t commands) {
  struct block_segment segment = {device_address(buffers), 512};
  struct block_transfer write = {0, &segment, 1, BLOCK_WRITE, false};
  CHECK(device->driver->submit(device, &write, 0) == BLOCK_TAKEN);
  for (uint32_t i = 1; i < commands; i++)
    CHECK(access_block(i, i) == BLOCK_TAKEN);
  CHECK(device->driver->flush(device, 20) == BLOCK_TAKEN);
  device->driver->commit(device);
  model.silent = true;
  CHECK(!device->driver->failed(device));
  CHECK(device->driver->reset(device));
}

/* Issued again once, then given up: every tag comes back once. */
static void reset_with_commands(bool twice) {
  struct block_completion completion[8];
  fill_and_reset(20);
  CHECK(device->driver->start(device));
  if (twice)
    CHECK(device->driver->reset(device) && device->driver->start(device));
  model.silent = false;
  uint32_t done = 0;
  for (uint32_t rounds = 0; done < 21; rounds++) {
    CHECK(rounds < 1000);
    model_work(1);
    uint32_t count = poll(completion, 8);
    for (uint32_t i = 0; i < count; i++)
      CHECK(completion[i].error == (twice ? BLOCK_ERROR_RESET : 0));
    done += count;
    device->driver->commit(device);
  }
  CHECK(device->free == 32 && model.commands == (twice ? 0 : 21));
  model.commands = 0;
}

/* Another disk in its place, or none: nothing is issued again. */
static void reset_and_no_disk(bool other) {
  struct block_completion completion[32];
  power(9, 32, 32);
  fill_and_reset(5);
  model.silent = false;
  model.serial = other ? 'B' : 'A';
  model.no_link = !other;
  CHECK(!device->driver->start(device) && device->problem);
  CHECK(poll(completion, 32) == 6 && completion[3].error == BLOCK_ERROR_RESET && model.commands == 0);
  CHECK(access_block(0, 0) == BLOCK_REFUSED && device->driver->flush(device, 0) == BLOCK_REFUSED);
}

/* Memory may still be written: nothing comes back. */
static void reset_that_does_not_end(void) {
  struct block_completion completion;
  power(9, 32, 32);
  access_block(1, 1);
  device->driver->commit(device);
  model.never_resets = true;
  CHECK(!device->driver->reset(device) && device->problem && poll(&completion, 1) == 0);
}

/* --- other devices --- */

static void gone(void) {
  struct block_completion completion;
  power(9, 32, 32);
  access_block(1, 1);
  device->driver->commit(device);
  model.gone = true;
  CHECK(poll(&completion, 1) == 0 && device->driver->failed(device) && !device->driver->reset(device));
}

static void without_link(void) {
  power(9, 32, 32);
  model.no_link = true;
  CHECK(device->driver->failed(device));
}

/* A list that does not stop after an error: nothing comes back, for memory may still be written, and nothing is added, until the
   server's patience ends. */
static void never_stops(void) {
  struct block_completion completion;
  power(9, 32, 32);
  model.never_stops = true;
  model.fail_in = 1;
  access_block(1, 1);
  device->driver->commit(device);
  model_work(2);
  CHECK(poll(&completion, 1) == 0 && poll(&completion, 1) == 0);
  CHECK(access_block(3, 3) == BLOCK_BUSY && model.resets == 0);
  CHECK(device->driver->reset(device) && poll(&completion, 1) == 1 && completion.error == 0x4140);
}

/* Ends that nobody waits for free nothing and tell nothing. */
static void invented_ends(void) {
  struct block_completion completion[8];
  power(9, 32, 32);
  access_block(1, 1);
  device->driver->commit(device);
  model.invents = ~1u;
  model.silent = true;
  model_work(1);
  CHECK(poll(completion, 8) == 0 && device->free == 31);
  model.invents = UINT32_MAX; /* its own as well: that one ends, once */
  model_work(1);
  CHECK(poll(completion, 8) == 1 && poll(completion, 8) == 0 && device->free == 32);
}

static bool opens(void) {
  return !give()->problem && device->driver->reset(device) && device->driver->start(device);
}

static void broken_devices(void) {
  model_power(9, 32, 32);
  place.bar[5].size = 256;
  CHECK(give()->problem && access_block(0, 0) == BLOCK_REFUSED);
  place.bar[5].size = 4096;
  model.never_resets = true;
  CHECK(!opens());
  model_power(9, 32, 32);
  model.no_link = true;
  CHECK(!opens() && device->problem);
  model_power(9, 32, 32);
  model.old_addresses = true;
  CHECK(!opens());
  model_power(11, 32, 32); /* blocks of 2 KiB */
  CHECK(!opens());
}

/* The first disk, past a device that is none; or the port that the board names, whatever is on it. */
static void choice_of_port(void) {
  model_power(9, 32, 32);
  model.port = 3;
  model.packet_port = 1;
  CHECK(opens() && ahci.number == 3);
  place.parameter[PARAMETER_PORT] = 4;
  CHECK(opens() && ahci.number == 3);
  place.parameter[PARAMETER_PORT] = 2;
  CHECK(!opens());
  place.parameter[PARAMETER_PORT] = 33;
  CHECK(!opens());
  place.parameter[PARAMETER_PORT] = 0;
}

int main(void) {
  for (uint32_t i = 0; i < 200; i++)
    one_to_blame(i & 1, i % 7);
  passing_failure();
  ended_before_an_error();
  failed_flush(false);
  failed_flush(true);
  commands_meanwhile();
  power(9, 32, 32);
  reset_with_commands(false);
  reset_with_commands(false);
  reset_with_commands(true);
  reset_with_commands(false);
  reset_and_no_disk(true);
  reset_and_no_disk(false);
  reset_that_does_not_end();
  gone();
  without_link();
  never_stops();
  invented_ends();
  broken_devices();
  choice_of_port();
  puts("ok");
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The same reads by the driver alone: a partition that owns the controller, without server and client.
 */
#define block_result driver_result /* the runtime has another enumeration of that name */
#include "../../../partitions/io/drivers/nvme.h"
#undef block_result

#include "../../../partitions/io/drivers/pause.h"
#include "large.h"

static struct nvme state __attribute__((aligned(DRIVER_STATE_ALIGNMENT)));
static struct nvme_memory memory;
static struct block_device *disk;
static const struct device_descriptor *controller;
static uint64_t bias;
static uint32_t left[READS]; /* commands of each read that are under way */

void driver_pause(void) {
  sleep_ns(1000000000ull / PAUSES_PER_SECOND);
}

static uint64_t find_bias(void) {
  const struct descriptor_page *page = DESCRIPTOR_PAGE;
  const struct region_descriptor *own = (const void *)((const char *)page + page->regions.offset);
  for (uint32_t i = 0; i < page->regions.count; i++)
    if ((uintptr_t)&memory - own[i].address < own[i].size)
      return own[i].device_address - own[i].address;
  return 0;
}

static bool open_disk(void) {
  controller = device("nvme0");
  bias = find_bias();
  disk = nvme_open(&(struct driver_resources){controller, &state, &memory, bias});
  if (disk->problem || !disk->driver->reset(disk) || monitor_quiet(controller->index) != STATUS_OK)
    return false;
  if (!disk->driver->start(disk))
    return false;
  for (uint32_t i = 0; i < controller->interrupt_count; i++)
    monitor_acknowledge(controller->index, i);
  return true;
}

static bool submit(unsigned read) {
  struct block_segment segment = {(uint64_t)(uintptr_t)buffer[read] + bias, PIECE};
  struct block_transfer transfer = {EXTENT_START + read * (uint64_t)PIECE, &segment, 1, BLOCK_READ, false};
  for (; transfer.count; left[read]++)
    if (disk->driver->submit(disk, &transfer, read) != BLOCK_TAKEN)
      return false;
  return true;
}

/* How many reads are over; sets `good` to false where one failed. */
static unsigned poll(bool *good) {
  struct block_completion completion[DEPTH];
  unsigned finished = 0;
  for (uint32_t count; (count = disk->driver->poll(disk, completion, DEPTH)) != 0;)
    for (uint32_t i = 0; i < count; i++) {
      *good &= completion[i].error == 0;
      finished += --left[completion[i].tag] == 0;
    }
  return finished;
}

static bool read_all(void) {
  uint32_t interrupt = controller->interrupt_count > 1;
  unsigned submitted = 0, finished = 0;
  bool good = true;
  COUNT_BEGIN(1);
  while (finished < READS && good) {
    while (submitted < READS && submitted - finished < DEPTH && good)
      good &= submit(submitted++);
    disk->driver->commit(disk);
    wait_event(controller->first_event + interrupt, NEVER);
    monitor_acknowledge(controller->index, interrupt);
    finished += poll(&good);
  }
  COUNT_END(1);
  return good;
}

int main(void) {
  if (!open_disk())
    return 2;
  for (unsigned round = 0; round < ROUNDS; round++) {
    memset(buffer, 0xa5, sizeof buffer);
    if (!read_all() || !all_as_written(EXTENT_START))
      return 3;
  }
  say("compared 1\n");
  return 0;
}

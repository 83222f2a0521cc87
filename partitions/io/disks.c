/* SPDX-License-Identifier: Apache-2.0 */
#include "disks.h"
#include "attach.h"
#include "drivers/table.h"
#include "server/log.h"

static struct disk {
  union block_state state;
  struct block_server server;
  uint32_t position;
} disk[LIMIT_IO_DISKS]; /* 70 KiB each, with what follows */

static union block_memory disk_memory[LIMIT_IO_DISKS];

static uint32_t disks;
static uint64_t look_at = NEVER, look_ticks;

/* The order is the monitor's rule: silent first, then bus mastering, then queues. */
static bool start(struct block_device *block, uint32_t device) {
  if (block->problem || !block->driver->reset(block))
    return false;
  if (!calls_quiet(device)) {
    block->problem = "the monitor does not let it do DMA";
    return false;
  }
  return block->driver->start(block);
}

void disks_open(const struct descriptor_page *page, uint32_t position) {
  const struct device_descriptor *device = attach_device(page, position);
  block_opener *open = driver_of_block(device);
  if (!open)
    return;
  if (disks == LIMIT_IO_DISKS) {
    log_line(device->name, "one disk more than this partition serves");
    return;
  }
  struct disk *new = &disk[disks];
  struct driver_resources given = {.device = device, .state = &new->state, .memory = &disk_memory[disks++]};
  new->position = position;
  look_ticks = calls_ticks(BLOCK_LOOK_NS);
  bool reachable = attach_bias(page, given.memory, &given.bias);
  struct block_device *block = open(&given);
  block_server_init(&new->server, block, device->name);
  if (!reachable)
    log_line(device->name, "cannot reach this partition's memory");
  else if (!start(block, device->index))
    log_line(device->name, block->problem);
  else
    attach_listen(device, (struct source){.kind = SOURCE_BLOCK_DEVICE, .block = &new->server});
}

struct block_server *disks_find(uint32_t position) {
  for (uint32_t i = 0; i < disks; i++) {
    if (disk[i].position == position)
      return &disk[i].server;
  }
  return NULL;
}

bool disks_run(void) {
  bool more = false;
  for (uint32_t i = 0; i < disks; i++)
    more |= block_server_run(&disk[i].server);
  return more;
}

static bool some_are_busy(void) {
  for (uint32_t i = 0; i < disks; i++) {
    if (block_server_busy(&disk[i].server))
      return true;
  }
  return false;
}

uint64_t disks_deadline(void) {
  if (!some_are_busy())
    look_at = NEVER;
  else if (look_at == NEVER)
    look_at = calls_now() + look_ticks;
  return look_at;
}

void disks_look(void) {
  if (look_at == NEVER || calls_now() < look_at)
    return;
  look_at = NEVER;
  for (uint32_t i = 0; i < disks; i++)
    block_server_look(&disk[i].server);
}

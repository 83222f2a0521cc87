/* SPDX-License-Identifier: Apache-2.0 */
#include "devices.h"
#include "drivers/nvme.h"
#include "drivers/uart16550.h"
#include "server/log.h"
#include "sources.h"

#define CLASS_CODE_NVME 0x010802u
#define CLASS_CODE_16550 0x070002u
#define DISKS 4u    /* served by one I/O partition; each takes 70 KiB of its memory */
#define CONSOLES 4u /* likewise, 6 KiB */

static struct disk {
  struct nvme nvme;
  struct block_server server;
  uint32_t position;
} disk[DISKS];

static struct nvme_memory disk_memory[DISKS];

static struct line {
  struct uart16550 uart;
  struct console_server server;
  uint32_t position;
} line[CONSOLES];

static uint32_t disks, lines;
static uint64_t look_at = NEVER, look_ticks;

static const struct device_descriptor *device_at(const struct descriptor_page *page, uint32_t position) {
  return (const struct device_descriptor *)((const char *)page + page->devices.offset) + position;
}

/* What to add to an address of ours so that a device understands it. False: this memory is not for devices. */
static bool find_bias(const struct descriptor_page *page, const void *memory, uint64_t *bias) {
  const struct region_descriptor *region =
      (const struct region_descriptor *)((const char *)page + page->regions.offset);
  uint64_t address = (uintptr_t)memory;
  for (uint32_t i = 0; i < page->regions.count; i++) {
    if (address < region[i].address || address - region[i].address >= region[i].size)
      continue;
    *bias = region[i].device_address - region[i].address;
    return region[i].device_address != 0;
  }
  return false;
}

static void listen(const struct device_descriptor *device, struct source source) {
  source.device = device->index;
  for (source.interrupt = 0; source.interrupt < device->interrupt_count; source.interrupt++) {
    source_set(device->first_event + source.interrupt, source);
    calls_acknowledge(device->index, source.interrupt);
  }
}

/* --- serial lines --- */

static void open_line(const struct descriptor_page *page, uint32_t position) {
  const struct device_descriptor *device = device_at(page, position);
  if (lines == CONSOLES || device->bar[0].kind != BAR_PORTS || !device->bar[0].address)
    return;
  struct line *new = &line[lines];
  uart16550_init(&new->uart, (uint16_t)device->bar[0].address);
  if (!new->uart.console.driver->start(&new->uart.console))
    return;
  new->position = position;
  lines++;
  console_server_init(&new->server, &new->uart.console, page->partition);
  log_open(&new->server);
  listen(device, (struct source){.kind = SOURCE_CONSOLE_DEVICE, .console = &new->server});
}

/* --- disks --- */

/* The order is the monitor's rule: silent first, then bus mastering, then queues. */
static bool start_disk(struct block_device *block, uint32_t device) {
  if (!block->driver->reset(block))
    return false;
  if (!calls_quiet(device)) {
    block->problem = "the monitor does not let it do DMA";
    return false;
  }
  return block->driver->start(block);
}

static void open_disk(const struct descriptor_page *page, uint32_t position) {
  const struct device_descriptor *device = device_at(page, position);
  if (disks == DISKS) {
    log_line(device->name, "one disk more than this partition serves");
    return;
  }
  struct disk *new = &disk[disks];
  struct nvme_memory *memory = &disk_memory[disks++];
  struct block_device *block = &new->nvme.block;
  uint64_t bias = 0;
  new->position = position;
  bool reachable = find_bias(page, memory, &bias) && device->bar[0].address && device->bar[0].kind != BAR_PORTS;
  nvme_init(&new->nvme, device->bar[0].address, memory, bias, device->interrupt_count > 1);
  block_server_init(&new->server, block, device->name);
  if (!reachable)
    log_line(device->name, "has no registers here, or cannot reach this partition's memory");
  else if (!start_disk(block, device->index))
    log_line(device->name, block->problem);
  else
    listen(device, (struct source){.kind = SOURCE_BLOCK_DEVICE, .block = &new->server});
}

/* Lines before disks, so that a disk's trouble can be told. */
void devices_open(const struct descriptor_page *page) {
  look_ticks = calls_ticks(BLOCK_LOOK_NS);
  for (uint32_t i = 0; i < page->devices.count; i++) {
    if (device_at(page, i)->class_code == CLASS_CODE_16550)
      open_line(page, i);
  }
  for (uint32_t i = 0; i < page->devices.count; i++) {
    if (device_at(page, i)->class_code == CLASS_CODE_NVME)
      open_disk(page, i);
  }
}

struct block_server *devices_block(uint32_t position) {
  for (uint32_t i = 0; i < disks; i++) {
    if (disk[i].position == position)
      return &disk[i].server;
  }
  return NULL;
}

struct console_server *devices_console(uint32_t position) {
  for (uint32_t i = 0; i < lines; i++) {
    if (line[i].position == position)
      return &line[i].server;
  }
  return NULL;
}

/* --- the loop's part --- */

bool devices_run(void) {
  bool more = false;
  for (uint32_t i = 0; i < disks; i++)
    more |= block_server_run(&disk[i].server);
  for (uint32_t i = 0; i < lines; i++)
    more |= console_server_run(&line[i].server);
  return more;
}

static bool some_disk_is_busy(void) {
  for (uint32_t i = 0; i < disks; i++) {
    if (block_server_busy(&disk[i].server))
      return true;
  }
  return false;
}

uint64_t devices_deadline(void) {
  if (!some_disk_is_busy())
    look_at = NEVER;
  else if (look_at == NEVER)
    look_at = calls_now() + look_ticks;
  uint64_t deadline = look_at;
  for (uint32_t i = 0; i < lines; i++) {
    uint64_t wanted = console_server_deadline(&line[i].server);
    if (wanted < deadline)
      deadline = wanted;
  }
  return deadline;
}

void devices_look(void) {
  if (look_at == NEVER || calls_now() < look_at)
    return;
  look_at = NEVER;
  for (uint32_t i = 0; i < disks; i++)
    block_server_look(&disk[i].server);
}

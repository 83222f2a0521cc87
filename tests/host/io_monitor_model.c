/* SPDX-License-Identifier: Apache-2.0 */
#include "io_monitor_model.h"
#include "drivers/pause.h"
#include "runtime_check.h"

struct model_channel model_channel[MODEL_CHANNELS];
uint64_t model_now = 1000;
uint32_t model_converts;

#define KEPT 4096u /* conversions of a channel, many times what may be in flight */

static struct convert_entry entries[LIMIT_BATCH];
static struct convert_entry kept[MODEL_CHANNELS][KEPT];
static uint32_t kept_count[MODEL_CHANNELS]; /* free-running */

void model_channel_open(uint32_t index) {
  kept_count[index] = 0;
  model_channel[index] = (struct model_channel){.life = 1,
                                                .quota = LIMIT_IN_FLIGHT,
                                                .connected = true,
                                                .rights = RIGHT_READ | RIGHT_WRITE,
                                                .physical = 0x10000000ull + index * 0x1000000ull,
                                                .start = 0x100000ull * (index + 1)};
}

struct channel_descriptor model_descriptor(uint32_t index, void *window, uint64_t size, const char *peer) {
  struct channel_descriptor descriptor = {.index = index,
                                          .end = END_SERVER,
                                          .address = (uintptr_t)window,
                                          .size = size,
                                          .client_address = CLIENT_WINDOW,
                                          .capacity = EXTENT_SIZE,
                                          .block_size = 512,
                                          .rights = model_channel[index].rights,
                                          .share = 1};
  snprintf(descriptor.name, sizeof descriptor.name, "extent%u", index);
  snprintf(descriptor.peer, sizeof descriptor.peer, "%s", peer);
  return descriptor;
}

static bool inside(uint64_t address, uint64_t length, uint64_t start, uint64_t size) {
  return address >= start && address - start <= size && length <= size - (address - start);
}

static enum status convert_one(const struct model_channel *channel, struct convert_entry *entry) {
  uint32_t needed = entry->access == RIGHT_WRITE ? RIGHT_READ : RIGHT_WRITE;
  CHECK(entry->length != 0 && (entry->access == RIGHT_READ || entry->access == RIGHT_WRITE));
  if (!(channel->rights & needed))
    return STATUS_NO_RIGHT;
  if (!inside(entry->offset, entry->length, 0, channel->bytes ? 1ull << 32 : EXTENT_SIZE))
    return STATUS_OUTSIDE_EXTENT;
  if (!channel->bytes && (entry->offset | entry->length) & 511)
    return STATUS_UNALIGNED;
  if (!inside(entry->address, entry->length, CLIENT_MEMORY, CLIENT_SIZE))
    return STATUS_BAD_RANGE;
  if (entry->access == RIGHT_WRITE && !inside(entry->address, entry->length, CLIENT_MEMORY, CLIENT_WRITABLE))
    return STATUS_NO_RIGHT;
  entry->physical = channel->physical + (entry->address - CLIENT_MEMORY);
  entry->device_offset = channel->start + entry->offset;
  return STATUS_OK;
}

static void keep(uint32_t index, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    kept[index][kept_count[index]++ % KEPT] = entries[i];
}

bool model_converted(uint32_t index, uint64_t physical, uint64_t length, uint32_t access, uint64_t offset) {
  uint32_t last = kept_count[index], first = last < KEPT ? 0 : last - KEPT;
  while (last-- != first) {
    const struct convert_entry *entry = &kept[index][last % KEPT];
    if (entry->access == access && inside(physical, length, entry->physical, entry->length) &&
        (model_channel[index].bytes || offset - entry->device_offset == physical - entry->physical))
      return true;
  }
  return false;
}

struct convert_entry *calls_entries(void) {
  return entries;
}

enum status calls_convert(uint32_t index, uint32_t count, uint32_t life, uint32_t *refused) {
  CHECK(index < MODEL_CHANNELS && count != 0 && count <= LIMIT_BATCH);
  struct model_channel *channel = &model_channel[index];
  model_converts++;
  for (uint32_t i = 0; i < count; i++) {
    enum status status = convert_one(channel, &entries[i]);
    *refused = i;
    if (status != STATUS_OK)
      return status;
  }
  if (!channel->connected)
    return STATUS_NOT_CONNECTED;
  if (life != channel->life)
    return STATUS_STALE_LIFE;
  if (channel->in_flight + count > channel->quota)
    return STATUS_QUOTA;
  channel->in_flight += count;
  keep(index, count);
  return STATUS_OK;
}

bool calls_client_lives(uint32_t index, uint32_t life) {
  return model_channel[index].connected && model_channel[index].life == life;
}

void calls_release(uint32_t index, uint32_t count) {
  CHECK(index < MODEL_CHANNELS && count <= model_channel[index].in_flight);
  model_channel[index].in_flight -= count;
}

void calls_signal(uint32_t index, uint32_t release) {
  calls_release(index, release);
  model_channel[index].signals++;
}

uint64_t calls_now(void) {
  return model_now;
}

uint64_t calls_ticks(uint64_t nanoseconds) {
  return nanoseconds;
}

uint32_t calls_life(void) {
  return 1;
}

void driver_pause(void) {}

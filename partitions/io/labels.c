/* SPDX-License-Identifier: Apache-2.0 */
#include "labels.h"
#include "attach.h"
#include "drivers/pause.h"
#include "gpt.h"
#include "server/block_server.h"
#include "server/log.h"
#include "server/text.h"

#define LABELS BLOCK_CHANNELS
#define READ_SECONDS 10u
#define NOBODY                                                                                                         \
  BLOCK_REQUESTS /* a tag that the server takes for none of its requests, should the answer come too late */

static enum { UNKNOWN, AS_PLANNED, OTHERWISE } verdict[LABELS];

static _Alignas(GPT_BUFFER) uint8_t buffer[GPT_BUFFER];

struct reader {
  struct block_device *device;
  uint64_t bias;
};

/* --- a read that waits: only before anybody is served --- */

static bool await(struct block_device *device, uint32_t commands) {
  struct block_completion completion;
  for (uint32_t i = 0; i < READ_SECONDS * PAUSES_PER_SECOND; i++) {
    while (device->driver->poll(device, &completion, 1)) {
      if (completion.error)
        return false;
      if (--commands == 0)
        return true;
    }
    driver_pause();
  }
  return false;
}

static bool read_now(void *context, uint64_t offset, uint8_t *into, uint32_t length) {
  const struct reader *reader = context;
  struct block_device *device = reader->device;
  struct block_segment segment = {(uint64_t)(uintptr_t)into + reader->bias, length};
  struct block_transfer transfer = {.offset = offset, .segment = &segment, .count = 1, .direction = BLOCK_READ};
  uint32_t commands = 0;
  for (; transfer.count; commands++) {
    if (device->driver->submit(device, &transfer, NOBODY) != BLOCK_TAKEN)
      return false;
  }
  device->driver->commit(device);
  return await(device, commands);
}

/* --- what is told --- */

static void add_number(struct text *text, const char *before, uint64_t value) {
  text_add(text, before);
  if (value >> 32) {
    text_add_hex(text, (uint32_t)(value >> 32));
    text_add(text, ":");
  }
  text_add_hex(text, (uint32_t)value);
}

static const char *words_for(enum gpt_result result) {
  switch (result) {
  case GPT_UNREADABLE:
    return "the disk's partition table cannot be read";
  case GPT_NO_TABLE:
    return "the disk has no whole GUID partition table";
  case GPT_NOT_THERE:
    return "the disk has no such partition";
  case GPT_TWICE:
    return "the disk has several of that name";
  default:
    return "shares blocks with another, or leaves the disk";
  }
}

static void tell(const char *device, const struct label_descriptor *label, const char *words) {
  struct text text = {0};
  text_add(&text, "partition ");
  text_add(&text, label->name);
  text_add(&text, ": not served: ");
  text_add(&text, words);
  log_line(device, text.character);
}

static void tell_places(const char *device, const struct label_descriptor *label, const struct gpt_found *found) {
  struct text planned = {0}, there = {0};
  add_number(&planned, "it is planned at ", label->start);
  add_number(&planned, " with ", label->size);
  text_add(&planned, " bytes,");
  tell(device, label, planned.character);
  add_number(&there, "and the disk has it at ", found->start);
  add_number(&there, " with ", found->size);
  text_add(&there, " bytes");
  log_line(device, there.character);
}

static bool compare(const struct label_descriptor *label, struct block_device *device, uint64_t bias,
                    const char *device_name) {
  struct reader reader = {device, bias};
  struct gpt_disk disk = {read_now, &reader, buffer, device->size, device->block_size};
  struct gpt_found found;
  enum gpt_result result = gpt_find(&disk, label->name, &found);
  if (found.backup)
    log_line(device_name, "the first partition table is broken, the one at the end is used");
  if (result != GPT_FOUND) {
    tell(device_name, label, words_for(result));
    return false;
  }
  if (found.start == label->start && found.size == label->size)
    return true;
  tell_places(device_name, label, &found);
  return false;
}

bool labels_as_planned(const struct descriptor_page *page, uint32_t row, struct block_device *device,
                       const char *device_name) {
  const struct label_descriptor *label = (const struct label_descriptor *)((const char *)page + page->labels.offset);
  uint64_t bias;
  if (row >= page->labels.count || row >= LABELS || !attach_bias(page, buffer, &bias))
    return false;
  if (verdict[row] == UNKNOWN)
    verdict[row] = compare(&label[row], device, bias, device_name) ? AS_PLANNED : OTHERWISE;
  return verdict[row] == AS_PLANNED;
}

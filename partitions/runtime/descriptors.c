/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks things up by name in the descriptor page. Every row starts with its name.
 */
#include "runtime.h"

extern char program_end[]; /* partition.ld.S */

static const void *row(struct table table, size_t size, uint32_t index) {
  return (const char *)DESCRIPTOR_PAGE + table.offset + size * index;
}

static const void *find(struct table table, size_t size, const char *name) {
  for (uint32_t i = 0; i < table.count; i++)
    if (strcmp(row(table, size, i), name) == 0)
      return row(table, size, i);
  return NULL;
}

const struct channel_descriptor *channel(const char *name) {
  return find(DESCRIPTOR_PAGE->channels, sizeof(struct channel_descriptor), name);
}

const struct device_descriptor *device(const char *name) {
  return find(DESCRIPTOR_PAGE->devices, sizeof(struct device_descriptor), name);
}

const struct region_descriptor *region(const char *name) {
  return find(DESCRIPTOR_PAGE->regions, sizeof(struct region_descriptor), name);
}

const void *config(const char *name, size_t *size) {
  const struct config_descriptor *found = find(DESCRIPTOR_PAGE->configs, sizeof *found, name);
  if (size)
    *size = found ? found->size : 0;
  return found ? (const void *)found->address : NULL;
}

static bool speaks(const struct channel_descriptor *channel) {
  return channel->class == CLASS_CONSOLE && channel->end == END_CLIENT && channel->rights != RIGHT_READ;
}

const struct channel_descriptor *console_of_print(void) {
  struct table table = DESCRIPTOR_PAGE->channels;
  const struct channel_descriptor *named = channel("console");
  if (named && speaks(named))
    return named;
  for (uint32_t i = 0; i < table.count; i++) {
    const struct channel_descriptor *candidate = row(table, sizeof *candidate, i);
    if (speaks(candidate))
      return candidate;
  }
  return NULL;
}

void *heap_start(void) {
  return (void *)(((uintptr_t)program_end + 15) & ~(uintptr_t)15);
}

void *heap_end(void) {
  return (void *)DESCRIPTOR_PAGE->memory_end;
}

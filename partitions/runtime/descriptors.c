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

const struct channel_descriptor *first_channel(enum channel_class class) {
  struct table table = DESCRIPTOR_PAGE->channels;
  for (uint32_t i = 0; i < table.count; i++) {
    const struct channel_descriptor *candidate = row(table, sizeof *candidate, i);
    if (candidate->class == class && candidate->end == END_CLIENT)
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

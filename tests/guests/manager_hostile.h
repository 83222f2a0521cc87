/* SPDX-License-Identifier: Apache-2.0
 *
 * What the hostile managers share. Each stands in for partitions/manager/manager.c; the rest of the manager is the real
 * one. They speak on the report port.
 */
#ifndef MANAGER_HOSTILE_H
#define MANAGER_HOSTILE_H

#include "manager.h"

__attribute__((format(printf, 1, 2))) static void tell(const char *form, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, form);
  vformat(line, sizeof line, form, arguments);
  va_end(arguments);
  port_write_text(DATABASE->report_port, line);
}

static uint32_t descriptor_of(const char *partition, const char *name) {
  for (uint32_t i = 0; i < DATABASE->descriptors.count; i++) {
    const struct descriptor_row *row = descriptor_row(i);
    if (strcmp(row->name, name) == 0 && strcmp(partition_row(row->partition)->name, partition) == 0)
      return i;
  }
  return NONE;
}

static void assign(uint32_t descriptor, uint32_t partition) {
  enum status status = monitor_assign(descriptor, partition);
  if (status != STATUS_OK)
    report_refused("assign", partition, status, descriptor);
}

static void start_all(void) {
  const uint32_t *order = (const uint32_t *)((uintptr_t)DATABASE_USER_ADDRESS + DATABASE->start_order.offset);
  for (uint32_t i = 0; i < DATABASE->start_order.count; i++)
    start_partition(order[i]);
}

/* What the live state says of each guest, and of one descriptor. */
static void tell_live(uint32_t descriptor) {
  for (uint32_t i = 0; i < DATABASE->partitions.count; i++) {
    uint64_t word = monitor_state(LIVE_PARTITION, i).value;
    tell("{\"event\":\"live\",\"partition\":\"%s\",\"state\":%u,\"refusal\":%u,\"life\":%u}\n", partition_row(i)->name,
         LIVE_STATE(word), LIVE_REFUSAL(word), LIVE_LIFE(word));
  }
  const struct descriptor_row *row = descriptor_row(descriptor);
  tell("{\"event\":\"live-descriptor\",\"name\":\"%s\",\"owner\":%llu}\n", row->name,
       (unsigned long long)monitor_state(LIVE_DESCRIPTOR, descriptor).value);
  if (row->resource == RESOURCE_CHANNEL)
    tell("{\"event\":\"live-channel\",\"name\":\"%s\",\"state\":%u}\n", row->name,
         LIVE_STATE(monitor_state(LIVE_CHANNEL, row->target).value));
}

_Noreturn static void watch_for_ever(uint32_t descriptor) {
  for (bool told = false;; wait_event(0, next_due())) {
    look_at_all();
    if (told || !all_guests_over())
      continue;
    told = true;
    tell_live(descriptor);
    report_end(count_failed());
  }
}

#endif

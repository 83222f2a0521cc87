/* SPDX-License-Identifier: Apache-2.0
 *
 * The first partition to run. At entry every region, device and channel is free:
 * it asks for each assignment, starts the partitions in order and from then on
 * watches them. It never waits for another partition.
 */
#include "manager.h"

#define EVENT_STATE 0u /* a partition changed its state, or a channel has drained */

static void assign_all(void) {
  for (uint32_t i = 0; i < DATABASE->descriptors.count; i++) {
    uint32_t partition = descriptor_row(i)->partition;
    enum status status = monitor_assign(i, partition);
    if (status != STATUS_OK)
      report_refused("assign", partition, status, i);
  }
}

static void start_all(void) {
  const uint32_t *order = (const uint32_t *)((uintptr_t)DATABASE_USER_ADDRESS + DATABASE->start_order.offset);
  for (uint32_t i = 0; i < DATABASE->start_order.count; i++)
    start_partition(order[i]);
}

static void stop_all(void) {
  for (uint32_t i = 0; i < DATABASE->partitions.count; i++)
    if (i != DATABASE->manager)
      monitor_stop(i);
}

static void end_of_run(void) {
  uint32_t failed = count_failed();
  log_line("all guests have ended, %u without success\n", failed);
  log_drain();
  report_end(failed);
  if (DATABASE->on_end == ON_END_POWEROFF)
    port_write(DATABASE->poweroff);
  if (DATABASE->on_end == ON_END_REBOOT)
    port_write(DATABASE->reboot);
  if (DATABASE->on_end == ON_END_HALT)
    stop_all();
}

_Noreturn static void watch_for_ever(void) {
  bool ended = false;
  for (;;) {
    look_at_all();
    if (!ended && all_guests_over()) {
      ended = true;
      end_of_run();
    }
    if (ended && DATABASE->on_end == ON_END_HALT)
      wait_until(NEVER);
    wait_event(EVENT_STATE, next_due());
  }
}

int main(void) {
  if (DATABASE->magic != DATABASE_MAGIC || DATABASE->version != DATABASE_VERSION)
    return 1;
  assign_all();
  log_open();
  log_line("layout %s on board %s\n", DATABASE->layout, DATABASE->board);
  start_all();
  watch_for_ever();
}

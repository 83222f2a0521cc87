/* SPDX-License-Identifier: Apache-2.0
 *
 * Every partition's way from start to end, as the manager sees it.
 */
#include "manager.h"

#define RETRY_NS 1000000ull   /* between two attempts to start while something is in flight */
#define DRAIN_NS 500000000ull /* the longest that a server may release nothing of what a stopped client left */

struct watched watched[LIMIT_PARTITIONS];

static void give_up(uint32_t partition) {
  watched[partition].phase = PHASE_FAILED;
  watched[partition].failed = true;
}

/* Requests of the last life are still with a device. The server releases them, or is made to. */
static void start_later(uint32_t partition, uint32_t descriptor) {
  struct watched *watch = &watched[partition];
  uint64_t now = clock_now();
  if (watch->drain_until == 0) {
    watch->drain_until = now + ns_to_ticks(DRAIN_NS);
    drain_goes_on(partition); /* from now on it is compared */
    report_draining(partition);
  }
  if (now >= watch->drain_until) {
    watch->drain_until = now + ns_to_ticks(DRAIN_NS);
    if (!drain_goes_on(partition) && !force_drain(partition)) {
      report_refused("start", partition, STATUS_IN_FLIGHT, descriptor);
      log_line("%s: not started again, its requests do not come back\n", partition_row(partition)->name);
      give_up(partition);
      return;
    }
  }
  watch->phase = PHASE_DUE;
  watch->retry_at = now + ns_to_ticks(RETRY_NS);
}

static void started(uint32_t partition) {
  struct watched *watch = &watched[partition];
  watch->life = LIVE_LIFE(monitor_state(LIVE_PARTITION, partition).value);
  watch->phase = PHASE_UP;
  watch->drain_until = 0;
  watch->forced = watch->in_flight = watch->patience = 0;
  report_started(partition, watch->life);
  log_line("%s: started, life %u\n", partition_row(partition)->name, watch->life);
}

void start_partition(uint32_t partition) {
  struct call_result result = monitor_start(partition);
  if (result.status == STATUS_OK) {
    started(partition);
  } else if (result.status == STATUS_IN_FLIGHT) {
    start_later(partition, (uint32_t)result.value);
  } else {
    uint32_t descriptor = result.status == STATUS_NOT_ASSIGNED ? (uint32_t)result.value : NONE;
    report_refused("start", partition, result.status, descriptor);
    log_line("%s: not started, %s\n", partition_row(partition)->name, status_name(result.status));
    give_up(partition);
  }
}

static void ended(uint32_t partition, const struct fault_record *fault) {
  struct watched *watch = &watched[partition];
  watch->phase = PHASE_ENDED;
  watch->failed = fault->error != 0;
  report_stopped(partition, watch->life, fault, false);
  log_line("%s: ended with status %lld\n", partition_row(partition)->name, (long long)fault->error);
}

static void log_fault(uint32_t partition, const struct fault_record *fault, bool again) {
  const char *name = partition_row(partition)->name, *then = again ? "to be restarted" : "stopped for good";
  if (fault->reason == STOP_EXCEPTION)
    log_line("%s: exception %u, error 0x%llx, address 0x%llx, at 0x%llx: %s\n", name, fault->vector,
             (unsigned long long)fault->error, (unsigned long long)fault->address, (unsigned long long)fault->rip,
             then);
  else
    log_line("%s: stopped by the manager: %s\n", name, then);
}

static void faulted(uint32_t partition, const struct fault_record *fault) {
  struct watched *watch = &watched[partition];
  uint64_t now = clock_now();
  bool again = watch->stopped_by_us || health_allows_restart(partition_row(partition), watch, now);
  report_stopped(partition, watch->life, fault, again);
  log_fault(partition, fault, again);
  if (!again) {
    give_up(partition);
    return;
  }
  if (!watch->stopped_by_us)
    watch->restarted[watch->restarts++ % LIMIT_RESTARTS] = now;
  watch->stopped_by_us = false;
  start_partition(partition);
}

static void look_at(uint32_t partition) {
  struct watched *watch = &watched[partition];
  if (watch->phase == PHASE_DUE && clock_now() >= watch->retry_at)
    start_partition(partition);
  if (watch->phase != PHASE_UP)
    return;
  if (LIVE_STATE(monitor_state(LIVE_PARTITION, partition).value) != PARTITION_STOPPED)
    return;
  monitor_fault(partition);
  struct fault_record fault = CALL_PAGE->fault;
  if (fault.reason == STOP_EXIT)
    ended(partition, &fault);
  else
    faulted(partition, &fault);
}

void look_at_all(void) {
  for (uint32_t i = 0; i < DATABASE->partitions.count; i++)
    if (i != DATABASE->manager)
      look_at(i);
}

uint64_t next_due(void) {
  uint64_t due = NEVER;
  for (uint32_t i = 0; i < DATABASE->partitions.count; i++)
    if (watched[i].phase == PHASE_DUE && watched[i].retry_at < due)
      due = watched[i].retry_at;
  return due;
}

bool all_guests_over(void) {
  uint32_t guests = 0;
  for (uint32_t i = 0; i < DATABASE->partitions.count; i++) {
    if (partition_row(i)->role != ROLE_GUEST)
      continue;
    guests++;
    if (watched[i].phase == PHASE_UP || watched[i].phase == PHASE_DUE)
      return false;
  }
  return guests != 0; /* without guests there is nothing that could end */
}

uint32_t count_failed(void) {
  uint32_t failed = 0;
  for (uint32_t i = 0; i < DATABASE->partitions.count; i++)
    failed += watched[i].failed;
  return failed;
}

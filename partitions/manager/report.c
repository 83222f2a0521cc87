/* SPDX-License-Identifier: Apache-2.0
 *
 * The report: guests can write anything on a console, this port is the
 * manager's alone. Names come from the database, where they are letters, digits
 * and the signs that a layout allows, so nothing in them needs escaping.
 */
#include "manager.h"

#define LINE 512

static void report(const char *form, ...) __attribute__((format(printf, 1, 2)));

static void report(const char *form, ...) {
  char line[LINE];
  va_list arguments;
  va_start(arguments, form);
  vformat(line, sizeof line, form, arguments);
  va_end(arguments);
  port_write_text(DATABASE->report_port, line);
}

static const char *name_of(uint32_t partition) {
  return partition_row(partition)->name;
}

void report_started(uint32_t partition, uint32_t life) {
  report("{\"event\":\"started\",\"partition\":\"%s\",\"life\":%u}\n", name_of(partition), life);
}

void report_draining(uint32_t partition) {
  report("{\"event\":\"draining\",\"partition\":\"%s\"}\n", name_of(partition));
}

static void report_exception(uint32_t partition, uint32_t life, const struct fault_record *fault, const char *then) {
  report(
      "{\"event\":\"stopped\",\"partition\":\"%s\",\"life\":%u,\"reason\":\"exception\",\"vector\":%u,\"error\":%llu,"
      "\"address\":\"0x%llx\",\"rip\":\"0x%llx\",\"rsp\":\"0x%llx\",\"then\":\"%s\"}\n",
      name_of(partition), life, fault->vector, (unsigned long long)fault->error, (unsigned long long)fault->address,
      (unsigned long long)fault->rip, (unsigned long long)fault->rsp, then);
}

void report_stopped(uint32_t partition, uint32_t life, const struct fault_record *fault, bool again) {
  const char *then = again ? "restart" : "stop";
  if (fault->reason == STOP_EXIT)
    report("{\"event\":\"ended\",\"partition\":\"%s\",\"life\":%u,\"status\":%lld}\n", name_of(partition), life,
           (long long)fault->error);
  else if (fault->reason == STOP_EXCEPTION)
    report_exception(partition, life, fault, then);
  else
    report("{\"event\":\"stopped\",\"partition\":\"%s\",\"life\":%u,\"reason\":\"manager\",\"then\":\"%s\"}\n",
           name_of(partition), life, then);
}

void report_refused(const char *call, uint32_t partition, enum status status, uint32_t descriptor) {
  const char *name = descriptor < DATABASE->descriptors.count ? descriptor_row(descriptor)->name : "";
  report("{\"event\":\"refused\",\"call\":\"%s\",\"partition\":\"%s\",\"status\":%u,\"status_name\":\"%s\","
         "\"descriptor\":\"%s\"}\n",
         call, name_of(partition), status, status_name(status), name);
}

void report_end(uint32_t failed) {
  report("{\"event\":\"end\",\"failed\":%u}\n", failed);
}

#define NAME(status) [status] = #status

const char *status_name(enum status status) {
  static const char *const names[STATUS_COUNT] = {
      NAME(STATUS_OK),
      NAME(STATUS_NO_CALL),
      NAME(STATUS_BAD_INDEX),
      NAME(STATUS_BAD_ARGUMENT),
      NAME(STATUS_NOT_PERMITTED),
      NAME(STATUS_NOT_ASSIGNED),
      NAME(STATUS_ALREADY_ASSIGNED),
      NAME(STATUS_NOT_CONNECTED),
      NAME(STATUS_STALE_LIFE),
      NAME(STATUS_QUOTA),
      NAME(STATUS_BAD_RANGE),
      NAME(STATUS_NO_RIGHT),
      NAME(STATUS_OUTSIDE_EXTENT),
      NAME(STATUS_UNALIGNED),
      NAME(STATUS_IN_FLIGHT),
      NAME(STATUS_WRONG_STATE),
      NAME(STATUS_TIMEOUT),
  };
  return status < STATUS_COUNT && names[status] ? names[status] : "unknown status";
}

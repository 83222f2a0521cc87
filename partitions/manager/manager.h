/* SPDX-License-Identifier: Apache-2.0
 *
 * The manager: brings the partitions up, watches them, restarts them, reports.
 * Mechanism is the monitor's; the policy is here, in health.c.
 */
#ifndef MANAGER_H
#define MANAGER_H

#include "live.h"
#include "monitor.h"
#include "parclose.h"

#define DATABASE ((const struct database *)DATABASE_USER_ADDRESS)

/* `ROWS(partitions, partition_row)`: the first row of a table of the database. */
#define ROWS(name, row) ((const struct row *)((uintptr_t)DATABASE_USER_ADDRESS + DATABASE->name.offset))

static inline const struct partition_row *partition_row(uint32_t index) {
  return ROWS(partitions, partition_row) + index;
}

static inline const struct descriptor_row *descriptor_row(uint32_t index) {
  return ROWS(descriptors, descriptor_row) + index;
}

static inline const struct channel_row *channel_row(uint32_t index) {
  return ROWS(channels, channel_row) + index;
}

/* --- watch.c: what we know of each partition --- */

enum phase {
  PHASE_UP,     /* runs */
  PHASE_DUE,    /* is to be started at retry_at */
  PHASE_ENDED,  /* by itself, with a status */
  PHASE_FAILED, /* stopped or refused, and not started again */
};

struct watched {
  enum phase phase;
  bool failed;                        /* its last end was no success */
  bool stopped_by_us;                 /* to be started again whatever its health says */
  uint32_t life;                      /* that was started last */
  uint32_t forced;                    /* times its servers were restarted to let it start */
  uint64_t retry_at;                  /* clock */
  uint64_t drain_until;               /* clock; 0: no start of it was put off */
  uint32_t in_flight;                 /* of its last life, when last counted */
  uint32_t patience;                  /* times its servers were given more time, since less was in flight each time */
  uint32_t restarts;                  /* ever, after faults */
  uint64_t restarted[LIMIT_RESTARTS]; /* when the last ones were, by number modulo LIMIT_RESTARTS */
};

extern struct watched watched[LIMIT_PARTITIONS];

void start_partition(uint32_t partition); /* now, or later where something is in flight still */
void look_at_all(void);                   /* takes notice of what has stopped and starts what is due */
uint64_t next_due(void);                  /* clock; NEVER: nothing is due */
bool all_guests_over(void);
uint32_t count_failed(void);

/* --- health.c --- */

bool health_allows_restart(const struct partition_row *row, const struct watched *watch, uint64_t now);
/* Whether less of `partition`'s last life is in flight than when this was asked last. */
bool drain_goes_on(uint32_t partition);
/* Something of `partition`'s last life has been in flight for too long: restarts the servers that hold it. False: tried often enough. */
bool force_drain(uint32_t partition);

/* --- report.c: one JSON object a line, to a port that only the manager has --- */

void report_started(uint32_t partition, uint32_t life);
void report_draining(uint32_t partition); /* its start waits for what its last life left with a device */
void report_stopped(uint32_t partition, uint32_t life, const struct fault_record *fault, bool again);
/* A call that the monitor refused; `descriptor`: index, NONE: no descriptor is the reason. */
void report_refused(const char *call, uint32_t partition, enum status status, uint32_t descriptor);
void report_end(uint32_t failed);
const char *status_name(enum status status);

/* --- log.c: the same for people, on the console; a line for which there is no room is dropped and counted --- */

void log_open(void);
void log_line(const char *form, ...) __attribute__((format(printf, 1, 2)));
void log_drain(void); /* waits a little, so that the last lines are seen */

/* --- ports.c --- */

void port_write(struct port_write write);
void port_write_text(uint16_t port, const char *text);

#endif

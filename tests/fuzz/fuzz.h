/* SPDX-License-Identifier: Apache-2.0
 *
 * What the partitions of the calls' fuzz run share: random numbers, the tally that the host reads when the machine has
 * stopped, and the check of each answer against what the tables allow. The tally stands in memory that a new life
 * finds as the last one left it.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "database.h"
#include "live.h"
#include "monitor.h"
#include "parclose.h"

/* Every way in which a call is refused, each where the monitor decides it. Read by fuzz_kit.py too. */
#define RULES(X)                                                                                                       \
  X(GRANTED)                                                                                                           \
  X(NUMBER)                                                                                                            \
  X(ROLE)                                                                                                              \
  X(SIGNAL_INDEX)                                                                                                      \
  X(SIGNAL_RESOURCE)                                                                                                   \
  X(SIGNAL_FREE)                                                                                                       \
  X(SIGNAL_CLIENT_RELEASES)                                                                                            \
  X(SIGNAL_RELEASES_MORE)                                                                                              \
  X(SIGNAL_UNCONNECTED)                                                                                                \
  X(WAIT_ASKED)                                                                                                        \
  X(WAIT_DEADLINE)                                                                                                     \
  X(DEVICE_INDEX)                                                                                                      \
  X(DEVICE_RESOURCE)                                                                                                   \
  X(DEVICE_FREE)                                                                                                       \
  X(INTERRUPT_INDEX)                                                                                                   \
  X(DEBUG_UNGRANTED)                                                                                                   \
  X(SERVED_INDEX)                                                                                                      \
  X(SERVED_RESOURCE)                                                                                                   \
  X(SERVED_CLIENT_END)                                                                                                 \
  X(CONVERT_COUNT)                                                                                                     \
  X(CONVERT_NO_ENDPOINT)                                                                                               \
  X(CONVERT_LENGTH)                                                                                                    \
  X(CONVERT_ACCESS)                                                                                                    \
  X(CONVERT_RIGHT)                                                                                                     \
  X(CONVERT_EXTENT)                                                                                                    \
  X(CONVERT_ALIGNMENT)                                                                                                 \
  X(CONVERT_RANGE)                                                                                                     \
  X(CONVERT_FREE)                                                                                                      \
  X(CONVERT_UNCONNECTED)                                                                                               \
  X(CONVERT_LIFE)                                                                                                      \
  X(CONVERT_QUOTA)                                                                                                     \
  X(RELEASE_MORE)                                                                                                      \
  X(ASSIGN_INDEX)                                                                                                      \
  X(ASSIGN_PARTITION)                                                                                                  \
  X(ASSIGN_OTHER)                                                                                                      \
  X(ASSIGN_TWICE)                                                                                                      \
  X(START_INDEX)                                                                                                       \
  X(START_ALIVE)                                                                                                       \
  X(START_REQUIRED)                                                                                                    \
  X(START_IN_FLIGHT)                                                                                                   \
  X(STOP_INDEX)                                                                                                        \
  X(STOP_MANAGER)                                                                                                      \
  X(STOP_NOT_ALIVE)                                                                                                    \
  X(STATE_INDEX)                                                                                                       \
  X(FAULT_INDEX)                                                                                                       \
  X(COUNT)
#define RULE(name) RULE_##name,
enum rule { RULES(RULE) };

#define TALLY_MAGIC 0x594c4c4154ull
#define CALLS_TOLD (CALL_COUNT + 1) /* the last: every number beyond */
#define VIOLATIONS_TOLD 8
#define CANARY_WORDS 512
#define CANARY_EVERY 512 /* calls */

/* An answer that the tables do not allow; `what` is a bit for each status that they do. */
struct violation {
  uint64_t number, argument[3], status, value, what;
  char text[40];
};

struct tally {
  uint64_t magic, random, calls, ended, violations;
  struct violation first[VIOLATIONS_TOLD];
  uint64_t status[CALLS_TOLD * STATUS_COUNT]; /* a row for each call */
  uint64_t rule[RULE_COUNT];
  uint64_t starts[LIMIT_PARTITIONS]; /* the manager's: how often it started each */
  uint64_t canary[CANARY_WORDS];
};

/* What the run was given: a configuration file, followed by a copy of the database. */
struct facts {
  uint64_t seed, end_ns;
  uint64_t reserved[6];
  struct database database;
};

/* One call, before it is made: which answers the tables allow, a bit for each, and the rule where only one can be. */
struct call_made {
  uint64_t number, argument[3];
  uint64_t allowed;
  enum rule rule;
};

#define MAY(status) (1ull << (status))
#define FUZZ_ROW(name, row, index)                                                                                     \
  ((const struct row *)((uintptr_t)fuzz_database + fuzz_database->name.offset) + (index))

extern struct tally *tally;
extern const struct database *fuzz_database;
extern const struct partition_row *self;

/* fuzz.c */
void fuzz_begin(struct tally *own, const struct database *database, uint32_t index, uint64_t seed, uint64_t end_ns);
uint64_t fuzz_random(void);
uint64_t below(uint64_t bound);
uint64_t any_number(void);                            /* mostly edges */
uint64_t any_index(uint64_t count);                   /* mostly below `count` */
const struct descriptor_row *own_row(uint64_t index); /* null: not ours */
bool kept_free(const struct descriptor_row *row);     /* the manager never assigns it */
bool channel_is_free(uint32_t channel);
struct call_result make(struct call_made *call); /* and check the answer; the tally has it */
void violated(const struct call_made *call, struct call_result result, const char *text);
bool fuzz_is_over(void);
void fuzz_common(void); /* one random call of those that every role has, or one of another role */
void expect_refused(struct call_made *call, enum status status, enum rule rule);

#endif

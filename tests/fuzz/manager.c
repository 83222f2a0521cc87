/* SPDX-License-Identifier: Apache-2.0
 *
 * The manager of the fuzz run, in place of partitions/manager: starts, stops and asks at random, and knows what it may.
 * What must stay free it never assigns; of those partitions and channels the others see the refusals.
 */
#include "manager.h"
#include "fuzz.h"

/* Seed and length of the run: the host writes them into the image, so that another run needs no compiler. */
const uint64_t fuzz_given[2] = {1, 1000000};

static const uint64_t *given(void) {
  const uint64_t *place = fuzz_given;
  __asm__("" : "+r"(place)); /* the compiler is not to know what it holds */
  return place;
}

struct tally fuzz_tally;
static bool assigned[LIMIT_DESCRIPTORS];

static void assign_all(void) {
  for (uint32_t i = 0; i < DATABASE->descriptors.count; i++) {
    const struct descriptor_row *row = descriptor_row(i);
    if (kept_free(row))
      continue;
    struct call_made call = {.number = CALL_ASSIGN, .argument = {i, row->partition, 0}, .allowed = MAY(STATUS_OK)};
    assigned[i] = make(&call).status == STATUS_OK;
  }
}

/* Whoever it names, what stays free is never assigned to whom it belongs. */
static void fuzz_assign(void) {
  struct call_made call = {
      .number = CALL_ASSIGN,
      .argument = {any_index(DATABASE->descriptors.count), any_index(DATABASE->partitions.count), any_number()}};
  uint64_t index = call.argument[0];
  bool known = index < DATABASE->descriptors.count;
  if (known && below(3) == 0)
    call.argument[1] = descriptor_row((uint32_t)index)->partition;
  if (!known)
    expect_refused(&call, STATUS_BAD_INDEX, RULE_ASSIGN_INDEX);
  else if (call.argument[1] >= DATABASE->partitions.count)
    expect_refused(&call, STATUS_BAD_INDEX, RULE_ASSIGN_PARTITION);
  else if (descriptor_row((uint32_t)index)->partition != call.argument[1])
    expect_refused(&call, STATUS_NOT_PERMITTED, RULE_ASSIGN_OTHER);
  else if (assigned[index])
    expect_refused(&call, STATUS_ALREADY_ASSIGNED, RULE_ASSIGN_TWICE);
  else
    return;
  make(&call);
}

static bool alive(uint64_t partition) {
  return (LIVE_STATE(monitor_state(LIVE_PARTITION, (uint32_t)partition).value) & PARTITION_ALIVE) != 0;
}

/* The first descriptor that must be assigned and is not; NONE: all are. */
static uint32_t first_missing(const struct partition_row *row) {
  for (uint32_t i = row->first_descriptor; i < row->first_descriptor + row->descriptor_count; i++)
    if (descriptor_row(i)->required != 0 && !assigned[i])
      return i;
  return NONE;
}

/* Whether anything of its channels is in flight. */
static bool in_flight(uint32_t partition) {
  for (uint32_t i = 0; i < DATABASE->channels.count; i++)
    if (channel_row(i)->client == partition && LIVE_IN_FLIGHT(monitor_state(LIVE_CHANNEL, i).value) != 0)
      return true;
  return false;
}

/* Whoever does not run stays so until we start it; whoever runs may stop at any time. */
static void allow_start(struct call_made *call, uint32_t partition) {
  uint32_t missing = first_missing(partition_row(partition));
  bool runs = alive(partition), flies = in_flight(partition);
  if (missing != NONE)
    expect_refused(call, STATUS_NOT_ASSIGNED, RULE_START_REQUIRED);
  else if (runs)
    call->allowed = MAY(STATUS_WRONG_STATE) | MAY(STATUS_OK) | MAY(STATUS_IN_FLIGHT);
  else
    call->allowed = MAY(STATUS_OK) | (flies ? MAY(STATUS_IN_FLIGHT) : 0);
}

static void fuzz_start(void) {
  struct call_made call = {.number = CALL_START,
                           .argument = {any_index(DATABASE->partitions.count), any_number(), any_number()}};
  uint32_t partition = (uint32_t)call.argument[0];
  bool known = call.argument[0] < DATABASE->partitions.count;
  if (!known)
    expect_refused(&call, STATUS_BAD_INDEX, RULE_START_INDEX);
  else if (partition == DATABASE->manager)
    expect_refused(&call, STATUS_WRONG_STATE, RULE_START_ALIVE);
  else
    allow_start(&call, partition);
  struct call_result result = make(&call);
  if (result.status == STATUS_OK && known)
    fuzz_tally.starts[partition]++;
  if (result.status == STATUS_NOT_ASSIGNED && result.value != first_missing(partition_row(partition)))
    violated(&call, result, "another descriptor is missing");
}

static void fuzz_stop(void) {
  struct call_made call = {.number = CALL_STOP,
                           .argument = {any_index(DATABASE->partitions.count), any_number(), any_number()}};
  if (call.argument[0] >= DATABASE->partitions.count)
    expect_refused(&call, STATUS_BAD_INDEX, RULE_STOP_INDEX);
  else if (call.argument[0] == DATABASE->manager)
    expect_refused(&call, STATUS_NOT_PERMITTED, RULE_STOP_MANAGER);
  else if (!alive(call.argument[0]))
    expect_refused(&call, STATUS_WRONG_STATE, RULE_STOP_NOT_ALIVE);
  else if (below(8) == 0) /* a life is to last for a while */
    call.allowed = MAY(STATUS_OK) | MAY(STATUS_WRONG_STATE);
  else
    return;
  struct call_result result = make(&call);
  if (call.argument[0] < DATABASE->partitions.count && result.status == STATUS_OK && alive(call.argument[0]))
    violated(&call, result, "stopped and still running");
}

static const uint32_t *table_count(uint64_t what) {
  switch (what) {
  case LIVE_PARTITION:
    return &DATABASE->partitions.count;
  case LIVE_DESCRIPTOR:
    return &DATABASE->descriptors.count;
  case LIVE_CHANNEL:
    return &DATABASE->channels.count;
  default:
    return NULL;
  }
}

static void fuzz_state(void) {
  struct call_made call = {.number = CALL_STATE, .argument = {any_index(LIVE_COUNT), 0, any_number()}};
  const uint32_t *count = table_count(call.argument[0]);
  uint64_t index = any_index(count ? *count : 8);
  call.argument[1] = index;
  call.allowed = MAY(STATUS_OK);
  if (count == NULL || index >= *count)
    expect_refused(&call, STATUS_BAD_INDEX, RULE_STATE_INDEX);
  struct call_result result = make(&call);
  if (result.status != STATUS_OK || count == NULL || index >= *count || call.argument[0] != LIVE_DESCRIPTOR)
    return;
  const struct descriptor_row *row = descriptor_row((uint32_t)index);
  if (result.value != (assigned[index] ? 1u + row->partition : DESCRIPTOR_FREE))
    violated(&call, result, "assigned to somebody else");
}

static void fuzz_fault(void) {
  struct call_made call = {.number = CALL_FAULT,
                           .argument = {any_index(DATABASE->partitions.count), any_number(), any_number()}};
  call.allowed = MAY(STATUS_OK);
  if (call.argument[0] >= DATABASE->partitions.count)
    expect_refused(&call, STATUS_BAD_INDEX, RULE_FAULT_INDEX);
  struct call_result result = make(&call);
  if (result.status == STATUS_OK && CALL_PAGE->fault.reason > STOP_MANAGER)
    violated(&call, result, "a stop of no known reason");
}

static void fuzz_once(void) {
  switch (below(16)) {
  case 0 ... 2:
    fuzz_assign();
    break;
  case 3 ... 8:
    fuzz_start();
    break;
  case 9:
    fuzz_stop();
    break;
  case 10:
    fuzz_state();
    break;
  case 11:
    fuzz_fault();
    break;
  default:
    fuzz_common();
  }
}

#define SETTLE_NS 20000000ull /* for the others, to see that it is over */

int main(void) {
  fuzz_begin(&fuzz_tally, DATABASE, DATABASE->manager, given()[0], given()[1]);
  assign_all();
  while (!fuzz_is_over())
    fuzz_once();
  uint64_t settled = clock_now() + ns_to_ticks(SETTLE_NS);
  while (clock_now() < settled)
    monitor_wait(settled);
  port_write_text(DATABASE->report_port, "{\"event\":\"end\",\"failed\":0}\n");
  for (;;)
    monitor_wait(NEVER);
}

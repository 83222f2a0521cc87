/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers, the tally, and the calls that every role has.
 */
#include "fuzz.h"

struct tally *tally;
const struct database *fuzz_database;
const struct partition_row *self;
static uint64_t end;

/* xorshift64*, Vigna 2016. */
uint64_t fuzz_random(void) {
  uint64_t x = tally->random;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  tally->random = x;
  return x * 0x2545f4914f6cdd1dull >> 11;
}

uint64_t below(uint64_t bound) {
  return fuzz_random() % bound;
}

uint64_t any_number(void) {
  static const uint64_t edges[] = {0,    1,          63,         64,         65,          255,        256,  4095,
                                   4096, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 1ull << 63, -1ull};
  uint64_t edge = edges[below(sizeof edges / sizeof edges[0])];
  switch (below(4)) {
  case 0:
    return fuzz_random() << below(40);
  case 1:
    return edge + below(3) - 1;
  case 2:
    return below(200);
  default:
    return edge;
  }
}

/* With one in seven the upper half is not zero: a check that looks at the lower one alone would let it pass. */
uint64_t any_index(uint64_t count) {
  switch (below(14)) {
  case 0:
    return any_number();
  case 1:
    return count + below(3);
  case 2:
    return below(count) | 1ull << (32 + below(32));
  default:
    return below(count);
  }
}

const struct descriptor_row *own_row(uint64_t index) {
  return index < self->descriptor_count ? FUZZ_ROW(descriptors, descriptor_row, self->first_descriptor + index) : NULL;
}

bool kept_free(const struct descriptor_row *row) {
  return row->required == 0 || strcmp(FUZZ_ROW(partitions, partition_row, row->partition)->name, "never") == 0;
}

bool channel_is_free(uint32_t channel) {
  const struct channel_row *row = FUZZ_ROW(channels, channel_row, channel);
  return kept_free(FUZZ_ROW(descriptors, descriptor_row, row->client_descriptor)) ||
         kept_free(FUZZ_ROW(descriptors, descriptor_row, row->server_descriptor));
}

static uint64_t canary_word(uint64_t place) {
  return (place + 1) * 0x9e3779b97f4a7c15ull ^ (uint64_t)(self - FUZZ_ROW(partitions, partition_row, 0)) << 56;
}

/* FSGSBASE: a program sets these itself, and the kit's leave them alone. */
static void set_bases(void) {
  __asm__ volatile("wrfsbase %0\n\twrgsbase %1" : : "r"(canary_word(1) >> 20), "r"(canary_word(2) >> 20));
}

static bool bases_are_ours(void) {
  uint64_t fs, gs;
  __asm__ volatile("rdfsbase %0\n\trdgsbase %1" : "=r"(fs), "=r"(gs));
  return fs == canary_word(1) >> 20 && gs == canary_word(2) >> 20;
}

void fuzz_begin(struct tally *own, const struct database *database, uint32_t index, uint64_t seed, uint64_t end_ns) {
  tally = own;
  fuzz_database = database;
  self = FUZZ_ROW(partitions, partition_row, index);
  end = ((const struct clock_page *)CLOCK_PAGE_ADDRESS)->start + ns_to_ticks(end_ns);
  set_bases();
  if (own->magic == TALLY_MAGIC)
    return;
  memset(own, 0, sizeof *own);
  own->random = (seed + 1 + index) * 0x9e3779b97f4a7c15ull | 1;
  for (uint64_t place = 0; place < CANARY_WORDS; place++)
    own->canary[place] = canary_word(place);
  own->magic = TALLY_MAGIC; /* last: a life that is stopped before leaves it to the next */
}

void violated(const struct call_made *call, struct call_result result, const char *text) {
  uint64_t place = tally->violations++;
  if (place >= VIOLATIONS_TOLD)
    return;
  struct violation *found = &tally->first[place];
  *found = (struct violation){.number = call->number,
                              .argument = {call->argument[0], call->argument[1], call->argument[2]},
                              .status = result.status,
                              .value = result.value,
                              .what = call->allowed};
  for (size_t i = 0; i + 1 < sizeof found->text && text[i] != '\0'; i++)
    found->text[i] = text[i];
}

static void check_canary(void) {
  static const struct call_made none;
  if (!bases_are_ours())
    violated(&none, (struct call_result){0, 0}, "a segment base has changed");
  for (uint64_t place = 0; place < CANARY_WORDS; place++)
    if (tally->canary[place] != canary_word(place)) {
      violated(&none, (struct call_result){0, place}, "the canary has changed");
      tally->canary[place] = canary_word(place);
    }
}

bool fuzz_is_over(void) {
  return clock_now() >= end;
}

/* Where several answers are allowed, which rule the one that came is of. */
static enum rule rule_of(const struct call_made *call, uint64_t status) {
  bool converts = call->number == CALL_CONVERT;
  switch (status) {
  case STATUS_NOT_CONNECTED:
    return converts ? RULE_CONVERT_UNCONNECTED : RULE_SIGNAL_UNCONNECTED;
  case STATUS_TIMEOUT:
    return (call->number == CALL_WAIT ? call->argument[0] : call->argument[2]) == 0 ? RULE_WAIT_ASKED
                                                                                    : RULE_WAIT_DEADLINE;
  case STATUS_BAD_ARGUMENT:
    return converts ? RULE_CONVERT_LENGTH : RULE_RELEASE_MORE;
  case STATUS_NO_RIGHT:
    return RULE_CONVERT_RIGHT;
  case STATUS_OUTSIDE_EXTENT:
    return RULE_CONVERT_EXTENT;
  case STATUS_UNALIGNED:
    return RULE_CONVERT_ALIGNMENT;
  case STATUS_BAD_RANGE:
    return RULE_CONVERT_RANGE;
  case STATUS_STALE_LIFE:
    return RULE_CONVERT_LIFE;
  case STATUS_QUOTA:
    return RULE_CONVERT_QUOTA;
  case STATUS_IN_FLIGHT:
    return RULE_START_IN_FLIGHT;
  case STATUS_WRONG_STATE:
    return call->number == CALL_START ? RULE_START_ALIVE : RULE_STOP_NOT_ALIVE;
  default:
    return RULE_GRANTED;
  }
}

/* The call itself, with a pattern in every register that is to be kept: all but RAX, RCX, RDX and R11. False: one was not. */
static bool call_with_patterns(const struct call_made *call, uint64_t pattern, uint64_t *status, uint64_t *value) {
  uint64_t first = call->argument[0], second = call->argument[1], base = pattern, vector;
  register uint64_t r8 __asm__("r8") = pattern, r9 __asm__("r9") = pattern, r10 __asm__("r10") = pattern;
  register uint64_t r12 __asm__("r12") = pattern, r13 __asm__("r13") = pattern, r14 __asm__("r14") = pattern;
  register uint64_t r15 __asm__("r15") = pattern;
  __asm__ volatile("movq %%r8, %%xmm15\n\tsyscall\n\tmovq %%xmm15, %%rcx"
                   : "+a"(*status), "+d"(*value), "+D"(first), "+S"(second), "+b"(base), "=c"(vector), "+r"(r8),
                     "+r"(r9), "+r"(r10), "+r"(r12), "+r"(r13), "+r"(r14), "+r"(r15)
                   :
                   : "r11", "xmm15", "memory");
  uint64_t changed = (r8 ^ pattern) | (r9 ^ pattern) | (r10 ^ pattern) | (r12 ^ pattern) | (r13 ^ pattern) |
                     (r14 ^ pattern) | (r15 ^ pattern) | (base ^ pattern) | (vector ^ pattern);
  return (changed | (first ^ call->argument[0]) | (second ^ call->argument[1])) == 0;
}

struct call_result make(struct call_made *call) {
  uint64_t status = call->number, value = call->argument[2];
  bool kept = call_with_patterns(call, canary_word(tally->calls), &status, &value);
  struct call_result result = {(enum status)status, value};
  tally->calls++;
  if (!kept)
    violated(call, result, "a register has changed");
  if (status >= STATUS_COUNT) {
    violated(call, result, "no such status");
    return result;
  }
  tally->status[(call->number < CALL_COUNT ? call->number : CALL_COUNT) * STATUS_COUNT + status]++;
  if ((call->allowed & MAY(status)) == 0)
    violated(call, result, "the tables do not allow this answer");
  tally->rule[call->allowed == MAY(status) && status != STATUS_OK ? call->rule : rule_of(call, status)]++;
  if (tally->calls % CANARY_EVERY == 0 || !bases_are_ours())
    check_canary();
  return result;
}

void expect_refused(struct call_made *call, enum status status, enum rule rule) {
  call->allowed = MAY(status);
  call->rule = rule;
}

/* An event that came must be of one of our channels or devices, or the manager's own. */
static bool event_is_ours(uint32_t event) {
  if (self->role == ROLE_MANAGER && event == 0)
    return true;
  for (uint32_t i = 0; i < self->descriptor_count; i++) {
    const struct descriptor_row *row = own_row(i);
    if (row->resource == RESOURCE_CHANNEL && row->event == event && !channel_is_free(row->target))
      return true;
  }
  for (uint32_t i = 0; i < fuzz_database->interrupts.count; i++) {
    const struct interrupt_row *row = FUZZ_ROW(interrupts, interrupt_row, i);
    if (FUZZ_ROW(partitions, partition_row, row->partition) == self && row->event == event)
      return true;
  }
  return false;
}

static void check_events(const struct call_made *call, struct call_result result) {
  if ((result.status == STATUS_OK) != (result.value != 0) || result.value >> (LIMIT_EVENTS / 64) != 0)
    violated(call, result, "the summary of events");
  for (uint32_t word = 0; word < LIMIT_EVENTS / 64; word++)
    for (uint64_t left = result.value >> word & 1 ? CALL_PAGE->events[word] : 0; left != 0; left &= left - 1)
      if (!event_is_ours(64 * word + (uint32_t)__builtin_ctzll(left)))
        violated(call, result, "an event of nobody we know");
}

static void allow_signal(struct call_made *call) {
  const struct descriptor_row *row = own_row(call->argument[0]);
  if (row == NULL)
    expect_refused(call, STATUS_BAD_INDEX, RULE_SIGNAL_INDEX);
  else if (row->resource != RESOURCE_CHANNEL)
    expect_refused(call, STATUS_BAD_INDEX, RULE_SIGNAL_RESOURCE);
  else if (channel_is_free(row->target))
    expect_refused(call, STATUS_NOT_ASSIGNED, RULE_SIGNAL_FREE);
  else if (call->argument[1] != 0 && row->end == END_CLIENT)
    expect_refused(call, STATUS_NOT_PERMITTED, RULE_SIGNAL_CLIENT_RELEASES);
  else if (call->argument[1] != 0 && FUZZ_ROW(channels, channel_row, row->target)->endpoint == NONE)
    expect_refused(call, STATUS_BAD_ARGUMENT, RULE_SIGNAL_RELEASES_MORE);
  else
    call->allowed = MAY(STATUS_OK) | MAY(STATUS_NOT_CONNECTED);
}

/* Soon, at once, never, long past. Who waits for ever is woken by a signal or stopped. */
static uint64_t any_deadline(void) {
  switch (below(12)) {
  case 0:
    return 0;
  case 1:
    return clock_now();
  case 2:
    return below(100000); /* long past */
  case 3:
    return below(16) == 0 && self->role != ROLE_MANAGER ? NEVER : 1;
  default:
    return clock_now() + below(4000);
  }
}

static void fuzz_signal(bool waits) {
  struct call_made call = {.number = waits ? CALL_SIGNAL_AND_WAIT : CALL_SIGNAL,
                           .argument = {any_index(self->descriptor_count),
                                        below(4) == 0 && self->role == ROLE_GUEST ? any_number() : 0,
                                        waits ? any_deadline() : any_number()}};
  allow_signal(&call);
  bool may_wait = waits && (call.allowed & MAY(STATUS_OK)) != 0;
  if (may_wait)
    call.allowed |= MAY(STATUS_TIMEOUT);
  struct call_result result = make(&call);
  if (may_wait && (result.status == STATUS_OK || result.status == STATUS_TIMEOUT))
    check_events(&call, result);
}

static void fuzz_wait(void) {
  struct call_made call = {.number = CALL_WAIT, .argument = {any_deadline(), any_number(), any_number()}};
  call.allowed = MAY(STATUS_OK) | MAY(STATUS_TIMEOUT);
  check_events(&call, make(&call));
}

/* With a half one of ours, where we have one. */
static uint64_t any_device(void) {
  uint64_t index = below(2) == 0 ? self->region_count : any_index(self->descriptor_count); /* devices follow regions */
  return index < self->descriptor_count || below(2) == 0 ? index : any_index(self->descriptor_count);
}

/* A quiet that is granted is quiet_all's, which knows what it ends. */
static void fuzz_device(void) {
  struct call_made call = {.argument = {any_device(), any_index(9), any_number()}, .allowed = MAY(STATUS_OK)};
  const struct descriptor_row *row = own_row(call.argument[0]);
  bool granted = row != NULL && row->resource == RESOURCE_DEVICE && !kept_free(row);
  bool quiet = !granted && below(2) == 0;
  call.number = quiet ? CALL_QUIET : CALL_ACKNOWLEDGE;
  if (row == NULL)
    expect_refused(&call, STATUS_BAD_INDEX, RULE_DEVICE_INDEX);
  else if (row->resource != RESOURCE_DEVICE)
    expect_refused(&call, STATUS_BAD_INDEX, RULE_DEVICE_RESOURCE);
  else if (kept_free(row))
    expect_refused(&call, STATUS_NOT_ASSIGNED, RULE_DEVICE_FREE);
  else if (!quiet && call.argument[1] >= FUZZ_ROW(devices, device_row, row->target)->interrupt_count)
    expect_refused(&call, STATUS_BAD_INDEX, RULE_INTERRUPT_INDEX);
  make(&call);
}

static void fuzz_debug(void) {
  struct call_made call = {.number = CALL_DEBUG, .argument = {'.', any_number(), any_number()}};
  call.allowed = MAY(STATUS_OK);
  if (self->debug == 0)
    expect_refused(&call, STATUS_NOT_PERMITTED, RULE_DEBUG_UNGRANTED);
  make(&call);
}

/* Of another role, of none, or far beyond. */
static void fuzz_number(void) {
  static const uint32_t roles[ROLE_COUNT] = {ROLE_CALLS_GUEST, ROLE_CALLS_IO, ROLE_CALLS_MANAGER};
  uint64_t number = below(3) == 0 ? any_number() : below(CALL_COUNT + 2);
  if (number < CALL_COUNT && (roles[self->role] >> number & 1) != 0)
    return;
  struct call_made call = {.number = number, .argument = {any_index(8), any_index(8), any_index(8)}};
  expect_refused(&call, STATUS_NO_CALL, number < CALL_COUNT ? RULE_ROLE : RULE_NUMBER);
  make(&call);
}

static void fuzz_yield(void) {
  struct call_made call = {.number = CALL_YIELD, .argument = {any_number(), any_number(), any_number()}};
  call.allowed = MAY(STATUS_OK);
  make(&call);
}

void fuzz_common(void) {
  switch (below(32)) {
  case 0 ... 7:
    fuzz_signal(false);
    break;
  case 8 ... 12:
    fuzz_signal(true);
    break;
  case 13 ... 18:
    fuzz_wait();
    break;
  case 19 ... 22:
    fuzz_device();
    break;
  case 23 ... 26:
    fuzz_number();
    break;
  case 27 ... 29:
    fuzz_debug();
    break;
  default:
    if (below(30) == 0)
      fuzz_yield();
  }
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * An I/O partition of the fuzz run: converts for its clients whatever comes to its mind, and knows from the rows alone
 * what may come of it. How much is in flight only it can change, so it keeps count.
 */
#include "fuzz.h"

static uint32_t flight[LIMIT_CHANNELS];
static struct convert_entry asked[LIMIT_BATCH];

static uint64_t channel_word(uint64_t index) {
  return monitor_call(CALL_CHANNEL, index, 0, 0).value;
}

static bool inside(uint64_t start, uint64_t size, uint64_t at, uint64_t length) {
  return at >= start && at < start + size && length <= start + size - at;
}

/* By the indexes of the rows, not by the addresses that the monitor follows. */
static const struct partition_row *client_of(const struct channel_row *channel) {
  return FUZZ_ROW(partitions, partition_row, channel->client);
}

/* A bit for each reason for which this entry must be refused; with none, what it becomes. */
static uint64_t entry_faults(const struct channel_row *channel, struct convert_entry *entry) {
  const struct endpoint_row *endpoint = FUZZ_ROW(endpoints, endpoint_row, channel->endpoint);
  uint64_t faults = 0;
  if (entry->length == 0 || (entry->access != RIGHT_READ && entry->access != RIGHT_WRITE))
    return MAY(STATUS_BAD_ARGUMENT);
  if ((channel->buffer_rights & entry->access) == 0)
    faults |= MAY(STATUS_NO_RIGHT);
  if (!inside(0, endpoint->size, entry->offset, entry->length))
    faults |= MAY(STATUS_OUTSIDE_EXTENT);
  uint64_t block = endpoint->block_mask + 1ull;
  if (entry->offset % block || entry->length % block)
    faults |= MAY(STATUS_UNALIGNED);
  entry->device_offset = endpoint->start + entry->offset;
  const struct partition_row *client = client_of(channel);
  for (uint32_t i = 0; i < client->region_count; i++) {
    const struct descriptor_row *row = FUZZ_ROW(descriptors, descriptor_row, client->first_descriptor + i);
    const struct region_row *region = FUZZ_ROW(regions, region_row, row->target);
    if (!inside(row->address, region->size, entry->address, entry->length))
      continue;
    entry->physical = region->physical + entry->address - row->address;
    return faults | ((row->rights & entry->access) == 0 ? MAY(STATUS_NO_RIGHT) : 0);
  }
  return faults | MAY(STATUS_BAD_RANGE);
}

/* One that is granted wherever anything is. */
static struct convert_entry good_entry(const struct channel_row *channel) {
  const struct partition_row *client = client_of(channel);
  uint32_t place = client->first_descriptor + client->region_count;
  const struct descriptor_row *row;
  do
    row = FUZZ_ROW(descriptors, descriptor_row, --place);
  while ((row->rights & RIGHT_WRITE) == 0 && place != client->first_descriptor);
  const struct region_row *region = FUZZ_ROW(regions, region_row, row->target);
  bool writes = (channel->buffer_rights & RIGHT_READ) == 0 || below(2) == 0;
  return (struct convert_entry){.address = row->address + below(region->size - 512),
                                .offset = 512 * below(64),
                                .length = 512,
                                .access = writes ? RIGHT_WRITE : RIGHT_READ};
}

static struct convert_entry any_entry(const struct channel_row *channel) {
  const struct partition_row *client = client_of(channel);
  uint32_t place = client->first_descriptor + (uint32_t)below(client->region_count);
  const struct descriptor_row *row = FUZZ_ROW(descriptors, descriptor_row, place);
  const struct region_row *region = FUZZ_ROW(regions, region_row, row->target);
  struct convert_entry entry = {.address = row->address + (below(region->size) & ~511ull),
                                .offset = 512 * below(64),
                                .length = 512 * (uint32_t)(1 + below(4)),
                                .access = below(2) == 0 ? RIGHT_READ : RIGHT_WRITE};
  switch (below(16)) {
  case 0:
    entry.length = below(2) == 0 ? 0 : (uint32_t)any_number();
    break;
  case 1:
    entry.access = (uint32_t)any_number();
    break;
  case 2:
    entry.offset = FUZZ_ROW(endpoints, endpoint_row, channel->endpoint)->size - 1024 + 512 * below(5);
    break;
  case 3:
    entry.offset = any_number();
    break;
  case 4:
    entry.offset += 1 + below(511);
    break;
  case 5:
    entry.address = row->address + region->size - 512 * below(4);
    break;
  case 6:
    entry.address = row->address - 512 * below(3);
    break;
  case 7:
    entry.address = below(2) == 0 ? any_number() : region->physical;
    break;
  case 8:
    entry.address = -(uint64_t)entry.length + 512 * below(3);
    break;
  default:
    break;
  }
  return entry;
}

/* The channel's state was the same before and after: then it says exactly what had to come. */
static void allow_count(struct call_made *call, const struct channel_row *channel, uint32_t place, uint64_t before) {
  if (channel_is_free(place))
    expect_refused(call, STATUS_NOT_ASSIGNED, RULE_CONVERT_FREE);
  else
    call->allowed = MAY(STATUS_NOT_CONNECTED) | MAY(STATUS_STALE_LIFE) |
                    (flight[place] + call->argument[1] > channel->quota ? MAY(STATUS_QUOTA) : MAY(STATUS_OK));
  if (call->argument[2] >> 32 != 0) /* a life has 32 bits */
    call->allowed &= ~(MAY(STATUS_OK) | MAY(STATUS_QUOTA));
  (void)before;
}

static void check_word(const struct call_made *call, struct call_result result, uint64_t before, uint64_t after,
                       const struct channel_row *channel, uint32_t place) {
  if (LIVE_IN_FLIGHT(after) != flight[place] || flight[place] > channel->quota)
    violated(call, result, "the count of what is in flight");
  if (LIVE_STATE(before) != LIVE_STATE(after) || LIVE_LIFE(before) != LIVE_LIFE(after))
    return;
  bool connected = LIVE_STATE(after) == CHANNEL_CONNECTED, right = call->argument[2] == LIVE_LIFE(after);
  enum status status = result.status;
  if ((status == STATUS_OK || status == STATUS_QUOTA) && !(connected && right))
    violated(call, result, "converted for another life");
  if (status == STATUS_STALE_LIFE && (!connected || right))
    violated(call, result, "the right life is refused");
  if (status == STATUS_NOT_CONNECTED && connected)
    violated(call, result, "a connected channel is refused");
}

static void check_entries(const struct call_made *call, struct call_result result) {
  for (uint64_t i = 0; i < call->argument[1]; i++)
    if (CALL_PAGE->convert[i].physical != asked[i].physical ||
        CALL_PAGE->convert[i].device_offset != asked[i].device_offset)
      violated(call, result, "converted to somewhere else");
}

/* The first entry that must be refused, and for which reasons; LIMIT_BATCH: none. */
static uint64_t fill(const struct channel_row *channel, uint64_t count, uint64_t *faults) {
  uint64_t first = LIMIT_BATCH;
  bool good = below(2) == 0;
  for (uint64_t i = 0; i < count; i++) {
    asked[i] = good ? good_entry(channel) : any_entry(channel);
    CALL_PAGE->convert[i] = asked[i];
    uint64_t found = entry_faults(channel, &asked[i]);
    if (found != 0 && first == LIMIT_BATCH) {
      first = i;
      *faults = found;
    }
  }
  return first;
}

static enum rule entry_rule(uint64_t faults, const struct convert_entry *entry) {
  if (faults != MAY(STATUS_BAD_ARGUMENT))
    return RULE_CONVERT_RANGE;
  return entry->length == 0 ? RULE_CONVERT_LENGTH : RULE_CONVERT_ACCESS;
}

static void convert_served(struct call_made *call, uint32_t place) {
  const struct channel_row *channel = FUZZ_ROW(channels, channel_row, place);
  uint64_t before = channel_word(call->argument[0]), faults = 0;
  call->argument[1] = below(16) == 0 ? LIMIT_BATCH - below(4) : 1 + below(4);
  call->argument[2] = LIVE_LIFE(before);
  if (below(5) == 0)
    call->argument[2] += below(2) == 0 ? below(3) - 1 : 1ull << (32 + below(32));
  uint64_t first = fill(channel, call->argument[1], &faults);
  allow_count(call, channel, place, before);
  if (first != LIMIT_BATCH) {
    call->allowed = faults;
    call->rule = entry_rule(faults, &asked[first]);
    if ((faults & (faults - 1)) == 0 && faults != MAY(STATUS_BAD_ARGUMENT))
      call->allowed |= 1ull << 63; /* never an answer: lets the rule follow from the status */
  }
  struct call_result result = make(call);
  if (first != LIMIT_BATCH && result.value != first && result.status != STATUS_OK)
    violated(call, result, "another entry is refused");
  if (first == LIMIT_BATCH)
    check_entries(call, result);
  flight[place] += result.status == STATUS_OK ? (uint32_t)call->argument[1] : 0;
  check_word(call, result, before, channel_word(call->argument[0]), channel, place);
}

/* Mostly a channel that we serve. */
static uint64_t any_served(void) {
  for (uint32_t tries = below(3) == 0 ? 0 : 8; tries != 0; tries--) {
    uint64_t index = below(self->descriptor_count);
    if (own_row(index)->resource == RESOURCE_CHANNEL && own_row(index)->end == END_SERVER)
      return index;
  }
  return any_index(self->descriptor_count);
}

/* Which of our own descriptors is a channel that we serve; false: the refusal is what is expected. */
static bool served(struct call_made *call, uint32_t *place) {
  const struct descriptor_row *row = own_row(call->argument[0]);
  if (row == NULL)
    expect_refused(call, STATUS_BAD_INDEX, RULE_SERVED_INDEX);
  else if (row->resource != RESOURCE_CHANNEL)
    expect_refused(call, STATUS_BAD_INDEX, RULE_SERVED_RESOURCE);
  else if (row->end == END_CLIENT)
    expect_refused(call, STATUS_NOT_PERMITTED, RULE_SERVED_CLIENT_END);
  else
    *place = row->target;
  return row != NULL && row->resource == RESOURCE_CHANNEL && row->end == END_SERVER;
}

static void fuzz_convert(void) {
  struct call_made call = {.number = CALL_CONVERT, .argument = {any_served(), 1, 1}};
  uint32_t place;
  if (!served(&call, &place)) {
    make(&call);
  } else if (below(12) == 0) {
    uint64_t count = below(2) == 0 ? 0 : LIMIT_BATCH + 1 + any_number();
    call.argument[1] = count - 1 < LIMIT_BATCH ? 0 : count;
    expect_refused(&call, STATUS_BAD_ARGUMENT, RULE_CONVERT_COUNT);
    make(&call);
  } else if (FUZZ_ROW(channels, channel_row, place)->endpoint == NONE) {
    expect_refused(&call, STATUS_NOT_PERMITTED, RULE_CONVERT_NO_ENDPOINT);
    make(&call);
  } else {
    convert_served(&call, place);
  }
}

/* As much as there is, more, or a little; `signals`: by a signal. */
static void fuzz_release(bool signals) {
  struct call_made call = {.number = signals ? CALL_SIGNAL : CALL_RELEASE, .argument = {any_served(), 0, any_number()}};
  uint32_t place;
  if (served(&call, &place)) {
    uint64_t count = below(3) == 0 ? flight[place] + below(3) : below(8) == 0 ? any_number() : below(3);
    call.argument[1] = count;
    bool more = count > flight[place];
    call.allowed = MAY(STATUS_OK) | (signals ? MAY(STATUS_NOT_CONNECTED) : 0);
    if (signals && channel_is_free(place))
      expect_refused(&call, STATUS_NOT_ASSIGNED, RULE_SIGNAL_FREE);
    else if (more)
      expect_refused(&call, STATUS_BAD_ARGUMENT, signals ? RULE_SIGNAL_RELEASES_MORE : RULE_RELEASE_MORE);
    else if (!signals || count != 0)
      flight[place] -= (uint32_t)count;
  } else if (signals) {
    return; /* fuzz_common does that */
  }
  struct call_result result = make(&call);
  if (served(&call, &place) && LIVE_IN_FLIGHT(channel_word(call.argument[0])) != flight[place])
    violated(&call, result, "the count after a release");
}

static void fuzz_channel(void) {
  struct call_made call = {.number = CALL_CHANNEL,
                           .argument = {any_index(self->descriptor_count), any_number(), any_number()}};
  uint32_t place;
  bool ours = served(&call, &place);
  if (ours)
    call.allowed = MAY(STATUS_OK);
  struct call_result result = make(&call);
  if (ours && (LIVE_STATE(result.value) == CHANNEL_FREE) != channel_is_free(place))
    violated(&call, result, "which ends of a channel are free");
}

/* All that our devices' channels had in flight is over then. */
static void quiet_all(void) {
  for (uint32_t i = 0; i < self->descriptor_count; i++) {
    const struct descriptor_row *row = own_row(i);
    if (row->resource != RESOURCE_DEVICE || kept_free(row))
      continue;
    struct call_made call = {.number = CALL_QUIET, .argument = {i, 0, 0}, .allowed = MAY(STATUS_OK)};
    make(&call);
    for (uint32_t c = 0; c < self->descriptor_count; c++) {
      const struct descriptor_row *end = own_row(c);
      if (end->resource != RESOURCE_CHANNEL || end->end != END_SERVER)
        continue;
      const struct channel_row *channel = FUZZ_ROW(channels, channel_row, end->target);
      if (channel->endpoint != NONE && FUZZ_ROW(endpoints, endpoint_row, channel->endpoint)->device == row->target)
        flight[end->target] = 0;
    }
  }
}

int main(void) {
  size_t size;
  const struct facts *facts = config("facts.bin", &size);
  fuzz_begin(heap_start(), &facts->database, DESCRIPTOR_PAGE->index, facts->seed, facts->end_ns);
  quiet_all();
  while (!fuzz_is_over()) {
    uint64_t chance = below(16);
    if (chance < 6)
      fuzz_convert();
    else if (chance < 9)
      fuzz_release(chance == 6);
    else if (chance == 9)
      fuzz_channel();
    else if (below(200) == 0)
      quiet_all();
    else
      fuzz_common();
  }
  for (;;)
    monitor_wait(NEVER);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The schedule step against its words: the first listed that is ready and has budget runs; until the frame ends, its
 * budget is used up, or somebody who waits wants to be woken; the place of a stopped one is lent to the manager; a slot
 * pays for what it used. The short way that passes the turn on decides as a look at every slot would.
 */
#include "../../monitor_asm/schedule.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT 5u
#define MANAGER 0u
#define ROUNDS 1000000

static uint64_t seed;
static struct partition all[COUNT];
static struct place places[LIMIT_SLOTS];
static struct minor_frame frame = {.places = places};
static struct turn turn;

static uint64_t next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed;
}

static int ready(const struct partition *partition, uint64_t now) {
  uint32_t state = LIVE_STATE(partition->live);
  return state == PARTITION_RUNNING ||
         (state == PARTITION_WAITING && (partition->pending || partition->deadline <= now));
}

static struct partition *who(uint32_t slot) {
  uint32_t state = LIVE_STATE(places[slot].partition->live);
  return state == PARTITION_FREE || state == PARTITION_STOPPED ? &all[MANAGER] : places[slot].partition;
}

static void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static uint32_t first_ready(uint64_t now) {
  for (uint32_t slot = 0; slot < frame.count; slot++)
    if (turn.remaining[slot] != 0 && ready(who(slot), now))
      return slot;
  return LIMIT_SLOTS;
}

/* Whoever waits, listed before or after the one that runs: waking up early costs a look, late would be wrong. */
static uint64_t first_wake(uint64_t now) {
  uint64_t wake = turn.frame_end;
  for (uint32_t slot = 0; slot < frame.count; slot++)
    if (turn.remaining[slot] != 0 && LIVE_STATE(who(slot)->live) == PARTITION_WAITING && !ready(who(slot), now) &&
        who(slot)->deadline < wake)
      wake = who(slot)->deadline;
  return wake;
}

static void check(uint64_t now) {
  uint32_t first = first_ready(now);
  uint64_t until = first_wake(now);
  uint64_t left = first == LIMIT_SLOTS ? UNBOUNDED : turn.remaining[first];
  if (left != UNBOUNDED && left < until - now)
    until = now + left;
  uint64_t said;
  if (turn_take(&turn, now, &said) != first || turn.slot != first)
    fail("not the first that is ready");
  if (first != LIMIT_SLOTS && turn.partition[first] != who(first))
    fail("not the partition of the slot");
  if (said != until || said <= now)
    fail("not the first moment at which the choice may change");
}

static void charge(uint64_t now) {
  uint32_t slot = turn.slot;
  uint64_t before = turn.remaining[slot];
  uint64_t used = next() % 600;
  turn_charge(&turn, now + used);
  uint64_t expected = before == UNBOUNDED ? before : before > used ? before - used : 0;
  if (turn.remaining[slot] != expected)
    fail("a slot pays exactly what it used");
  if (slot != LIMIT_SLOTS && expected == 0 && (turn.ready >> slot & 1 || turn.funded >> slot & 1))
    fail("a slot without budget is not ready");
}

static void prepare(uint64_t now) {
  frame.count = (uint32_t)(1 + next() % LIMIT_SLOTS);
  frame.length = 1 + next() % 1000;
  for (uint32_t p = 0; p < COUNT; p++) {
    all[p].live = next() % 4;
    all[p].pending = next() % 3 == 0;
    all[p].deadline = next() % 4 ? now - 500 + next() % 2000 : UINT64_MAX;
  }
  for (uint32_t s = 0; s < frame.count; s++)
    places[s] = (struct place){&all[next() % COUNT], next() % 2 == 0 ? UNBOUNDED : 1 + next() % 500, 0};
  frame.unbounded = 0;
  for (uint32_t s = 0; s < frame.count; s++) {
    frame.unbounded |= (uint32_t)(places[s].budget == UNBOUNDED) << s;
    for (uint32_t other = 0; other < frame.count; other++)
      places[s].places |= (uint32_t)(places[s].partition == places[other].partition) << other;
  }
}

/* As if part of the frame had gone by. */
static void spend(void) {
  for (uint32_t s = 0; s < frame.count; s++) {
    turn.remaining[s] = next() % 4 == 0 ? 0 : places[s].budget == UNBOUNDED ? UNBOUNDED : 1 + next() % 500;
    if (turn.remaining[s] == 0)
      turn.funded &= ~(1u << s);
  }
}

/* The one that runs signals somebody and waits. Returns whether that went the short way. */
static int pass(uint64_t now) {
  struct partition *caller = turn.partition[turn.slot], *target = &all[next() % COUNT];
  uint64_t deadline = next() % 4 ? now - 500 + next() % 2000 : UINT64_MAX, wake = turn.wake;
  if (turn.slot == LIMIT_SLOTS || caller == target)
    return 0;
  caller->live = PARTITION_RUNNING;
  caller->pending = next() % 8 == 0;
  if (!turn_pass(&turn, target, caller, deadline))
    return 0;
  if (turn.partition[turn.slot] != target || target->live != PARTITION_RUNNING || target->pending || caller->pending)
    fail("passed to another than the one who waits for it");
  if (caller->live != PARTITION_WAITING || caller->deadline != deadline)
    fail("the caller does not wait");
  if (turn.slot != first_ready(now) || turn.remaining[turn.slot] != UNBOUNDED)
    fail("passed to another than the first that is ready, or to one whose time is counted");
  if (wake != turn.wake || wake > first_wake(now))
    fail("the timer is not set for the first moment at which the choice may change");
  return 1;
}

static void check_places(void) {
  for (uint32_t p = 0; p < COUNT; p++) {
    uint32_t bits = 0;
    for (uint32_t s = 0; s < frame.count; s++)
      bits |= (uint32_t)(places[s].partition == &all[p]) << s;
    if ((all[p].frame_number == turn.number ? all[p].places : 0) != bits)
      fail("a partition does not know its slots");
  }
}

int main(int count, char **words) {
  seed = count > 1 ? strtoull(words[1], NULL, 0) | 1 : 1;
  turn.remaining[LIMIT_SLOTS] = UNBOUNDED;
  turn.manager = &all[MANAGER];
  uint32_t idle = 0, passed = 0;
  for (int i = 0; i < ROUNDS; i++) {
    uint64_t now = 1000 + next() % 1000000;
    prepare(now);
    turn.frame_end = now;
    turn_begin(&turn, &frame, now);
    check_places();
    check(now);
    idle += turn.slot == LIMIT_SLOTS;
    charge(now);
    spend();
    turn_scan(&turn, now);
    check(now);
    passed += (uint32_t)pass(now);
  }
  printf("idle in %u, passed in %u of %u\n", idle, passed, ROUNDS);
  return idle == 0 || passed < ROUNDS / 1000;
}

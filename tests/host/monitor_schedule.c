/* SPDX-License-Identifier: Apache-2.0
 *
 * The schedule step against its words: the first listed that is ready and has budget runs; until the frame ends, its
 * budget is used up, or somebody listed before it wakes; the place of a stopped one is the manager's.
 */
#include "../../monitor_asm/schedule.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT 5u
#define MANAGER 0u

static uint64_t seed;

static uint64_t next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed;
}

static struct partition all[COUNT];
static struct slot_row slots[LIMIT_SLOTS];
static struct cpu cpu;

static int ready(uint32_t index, uint64_t now) {
  uint32_t state = LIVE_STATE(all[index].live);
  return state == PARTITION_RUNNING ||
         (state == PARTITION_WAITING && (all[index].pending || all[index].deadline <= now));
}

static uint32_t who(uint32_t slot) {
  uint32_t state = LIVE_STATE(all[slots[slot].partition].live);
  return state == PARTITION_FREE || state == PARTITION_STOPPED ? MANAGER : slots[slot].partition;
}

static void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static void check(uint64_t now, struct choice choice) {
  uint32_t first = 0;
  while (first < cpu.slot_count && !(cpu.remaining[first] && ready(who(first), now)))
    first++;
  if (choice.slot != first || choice.partition != (first == cpu.slot_count ? NULL : &all[who(first)]))
    fail("not the first that is ready");
  if (choice.until <= now || choice.until > cpu.frame_end)
    fail("until is not inside the frame");
  uint64_t until = cpu.frame_end;
  for (uint32_t slot = 0; slot < first; slot++)
    if (cpu.remaining[slot] && LIVE_STATE(all[who(slot)].live) == PARTITION_WAITING && all[who(slot)].deadline < until)
      until = all[who(slot)].deadline;
  if (first < cpu.slot_count && cpu.remaining[first] < until - now)
    until = now + cpu.remaining[first];
  if (choice.until != until)
    fail("not the first moment at which the choice may change");
}

int main(int count, char **words) {
  seed = count > 1 ? strtoull(words[1], NULL, 0) | 1 : 1;
  uint32_t idle = 0;
  for (int i = 0; i < 1000000; i++) {
    uint64_t now = next() % 1000000;
    cpu.slots = slots;
    cpu.slot_count = (uint32_t)(next() % (LIMIT_SLOTS + 1));
    cpu.frame_end = now + 1 + next() % 1000;
    for (uint32_t p = 0; p < COUNT; p++) {
      all[p].live = next() % 4;
      all[p].pending = next() % 3 == 0;
      all[p].deadline = next() % 4 ? now - 500 + next() % 2000 : UINT64_MAX;
    }
    for (uint32_t s = 0; s < cpu.slot_count; s++) {
      slots[s].partition = (uint32_t)(next() % COUNT);
      cpu.remaining[s] = next() % 4 == 0 ? 0 : next() % 3 == 0 ? UINT64_MAX : next() % 500;
    }
    struct choice choice = schedule_choose(&cpu, all, MANAGER, now);
    check(now, choice);
    idle += choice.partition == NULL;
  }
  printf("idle in %u of 1000000\n", idle);
  return idle == 0;
}

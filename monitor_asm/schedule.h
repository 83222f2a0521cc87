/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose turn it is: pure, so that it is tested on the host too; inline, because every switch does it.
 */
#ifndef MONITOR_SCHEDULE_H
#define MONITOR_SCHEDULE_H

#include "state.h"

struct choice {
  struct partition *partition; /* NULL: nobody is ready */
  uint32_t slot;
  uint64_t until; /* TSC at which the choice must be made anew; after `now` */
};

static inline uint32_t state_of(const struct partition *partition) {
  return LIVE_STATE(atomic_load_explicit(&partition->live, memory_order_relaxed));
}

/* Of a partition that waits. */
static inline bool is_woken(const struct partition *partition, uint64_t now) {
  return atomic_load_explicit(&partition->pending, memory_order_relaxed) != 0 || partition->deadline <= now;
}

/* The first listed that is ready, for as long as its budget lasts and nobody before it wakes up. The place of one that has
   stopped is the manager's. */
static inline struct choice schedule_choose(const struct cpu *cpu, struct partition *all, uint32_t manager,
                                            uint64_t now) {
  uint64_t until = cpu->frame_end;
  uint32_t slot = 0;
  for (; slot < cpu->slot_count; slot++) {
    uint64_t left = cpu->remaining[slot];
    if (left == 0)
      continue;
    struct partition *partition = &all[cpu->slots[slot].partition];
    uint32_t state = state_of(partition);
    if (__builtin_expect(state != PARTITION_RUNNING && state != PARTITION_WAITING, 0)) {
      partition = &all[manager];
      state = state_of(partition);
    }
    if (state == PARTITION_RUNNING || (state == PARTITION_WAITING && is_woken(partition, now)))
      return (struct choice){partition, slot, left < until - now ? now + left : until};
    if (state == PARTITION_WAITING && partition->deadline < until)
      until = partition->deadline;
  }
  return (struct choice){NULL, slot, until};
}

#endif

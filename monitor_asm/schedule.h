/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose turn it is: pure, so that it is tested on the host too.
 */
#ifndef MONITOR_SCHEDULE_H
#define MONITOR_SCHEDULE_H

#include "state.h"

static inline uint32_t state_of(const struct partition *partition) {
  return LIVE_STATE(atomic_load_explicit(&partition->live, memory_order_relaxed));
}

/* Of a partition that waits. */
static inline bool is_woken(const struct partition *partition, uint64_t now) {
  return atomic_load_explicit(&partition->pending, memory_order_relaxed) != 0 || partition->deadline <= now;
}

/* Before a look at every slot. */
static inline void turn_clear(struct turn *turn) {
  turn->ready = NOBODY_READY;
  turn->wake = turn->frame_end;
  turn->uncertain = false;
}

/* Who runs in the slot (the place of one that has stopped is lent to the manager), whether it can run now, and when it wants to
   be woken if it waits. */
static inline void turn_look(struct turn *turn, uint64_t slot, struct partition *partition, uint64_t now) {
  uint32_t state = state_of(partition);
  if (__builtin_expect((state & PARTITION_ALIVE) == 0, 0)) {
    partition = turn->manager;
    state = state_of(partition);
    turn->uncertain = true;
  }
  turn->partition[slot] = partition;
  if (state == PARTITION_RUNNING || (state == PARTITION_WAITING && is_woken(partition, now)))
    turn->ready |= 1u << slot;
  else if (state == PARTITION_WAITING && partition->deadline < turn->wake)
    turn->wake = partition->deadline;
}

/* The frame begins at the end of the one before. */
static inline void turn_begin(struct turn *turn, const struct minor_frame *frame, uint64_t now) {
  turn->number++;
  turn->frame = frame;
  turn->frame_end += frame->length;
  turn->funded = UINT32_MAX;
  turn_clear(turn);
  const struct place *place = frame->places;
  for (uint64_t slot = 0; slot < frame->count; slot++, place++) {
    struct partition *partition = place->partition;
    turn->remaining[slot] = place->budget;
    if (__builtin_expect(partition->frame_number != turn->number, 1))
      partition->places = 0;
    partition->frame_number = turn->number;
    partition->places |= 1u << slot;
    turn_look(turn, slot, partition, now);
  }
}

/* In the middle of a frame. */
static inline void turn_scan(struct turn *turn, uint64_t now) {
  turn_clear(turn);
  for (uint64_t slot = 0; slot < turn->frame->count; slot++)
    if (turn->remaining[slot] != 0)
      turn_look(turn, slot, turn->frame->places[slot].partition, now);
}

/* The running slot pays for what it used since it was given the processor. */
static inline void turn_charge(struct turn *turn, uint64_t now) {
  uint64_t left = turn->remaining[turn->slot];
  if (left == UNBOUNDED)
    return;
  uint64_t used = now - turn->slice_start;
  turn->remaining[turn->slot] = left > used ? left - used : 0;
  if (left <= used) {
    turn->funded &= ~(1u << turn->slot);
    turn->ready &= ~(1u << turn->slot);
  }
}

/* The first slot that is ready has the turn. Returns until when (TSC, after `now`); with nobody ready the slot is LIMIT_SLOTS. */
static inline uint64_t turn_take(struct turn *turn, uint64_t now) {
  uint32_t slot = (uint32_t)__builtin_ctz(turn->ready);
  uint64_t until = turn->wake;
  uint64_t left = turn->remaining[slot];
  turn->slot = slot;
  if (left != UNBOUNDED) {
    turn->slice_start = now;
    until = left < until - now ? now + left : until;
  }
  return until;
}

#endif

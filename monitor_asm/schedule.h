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

/* Before a look at every slot. */
static inline void turn_clear(struct turn *turn, uint32_t unbounded) {
  turn->ready = NOBODY_READY;
  turn->wake = turn->frame_end;
  turn->unbounded = unbounded;
  turn->uncertain = false;
}

static inline void turn_uncertain(struct turn *turn) {
  turn->uncertain = true;
  turn->unbounded = 0;
  turn->passes = 0;
}

/* Of a partition that is not running: who has its slot (the place of one that has stopped is lent to the manager). */
static inline struct partition *turn_wait(struct turn *turn, uint64_t slot, struct partition *partition, uint64_t now) {
  uint32_t state = state_of(partition);
  if ((state & PARTITION_ALIVE) == 0) {
    partition = turn->manager;
    state = state_of(partition);
    turn_uncertain(turn);
  }
  bool woken = atomic_load_explicit(&partition->pending, memory_order_relaxed) != 0 || partition->deadline <= now;
  if (state == PARTITION_RUNNING || (state == PARTITION_WAITING && woken))
    turn->ready |= 1u << slot;
  else if (state == PARTITION_WAITING && partition->deadline < turn->wake)
    turn->wake = partition->deadline;
  return partition;
}

/* Who runs in the slot, whether it can run now, and when it wants to be woken if it waits. */
static inline void turn_look(struct turn *turn, uint64_t slot, struct partition *partition, uint64_t now) {
  if (state_of(partition) == PARTITION_RUNNING)
    turn->ready |= 1u << slot;
  else
    partition = turn_wait(turn, slot, partition, now);
  turn->partition[slot] = partition;
}

/* The frame begins at the end of the one before. */
static inline void turn_begin(struct turn *turn, const struct minor_frame *frame, uint64_t now) {
  uint64_t number = ++turn->number, count = frame->count, slot = 0;
  turn->frame = frame;
  turn->frame_end += frame->length;
  turn->funded = UINT32_MAX;
  turn_clear(turn, frame->unbounded);
  const struct place *place = frame->places;
  do {
    struct partition *partition = place->partition;
    turn->remaining[slot] = place->budget;
    partition->frame_number = number;
    partition->places = place->places;
    turn_look(turn, slot, partition, now);
    place++;
  } while (++slot < count);
}

/* In the middle of a frame. */
__attribute__((noinline, unused)) static void turn_scan(struct turn *turn, uint64_t now) {
  turn_clear(turn, turn->frame->unbounded & turn->funded);
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

/* The first slot that is ready has the turn: returns it, LIMIT_SLOTS with nobody ready. `until`: TSC, after `now`. */
static inline uint64_t turn_take(struct turn *turn, uint64_t now, uint64_t *until) {
  uint64_t slot = (uint32_t)__builtin_ctz(turn->ready);
  uint64_t left = turn->remaining[slot];
  turn->slot = (uint32_t)slot;
  turn->passes = turn->unbounded;
  *until = turn->wake;
  if (left != UNBOUNDED) {
    turn->passes = 0;
    turn->slice_start = now - turn->ways;
    if (left < *until - now)
      *until = now + left;
  }
  return slot;
}

/* The caller is to set an event of `target`, then to wait. Whether target waits for it and has the turn then, the short way:
   the event can be handed to it without being set. */
static inline bool turn_pass(struct turn *turn, struct partition *target, struct partition *caller, uint64_t deadline) {
  if (state_of(target) != PARTITION_WAITING || target->frame_number != turn->number || deadline < turn->wake)
    return false;
  if ((atomic_load_explicit(&target->pending, memory_order_relaxed) |
       atomic_load_explicit(&caller->pending, memory_order_relaxed)) != 0)
    return false;
  uint32_t ready = (turn->ready & ~caller->places) | (target->places & turn->funded);
  uint32_t slot = (uint32_t)__builtin_ctz(ready);
  if (((turn->passes & target->places) >> slot & 1) == 0)
    return false;
  turn->ready = ready;
  turn->slot = slot;
  caller->deadline = deadline;
  partition_set_state(caller, PARTITION_WAITING);
  partition_set_state(target, PARTITION_RUNNING);
  return true;
}

#endif

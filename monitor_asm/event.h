/* SPDX-License-Identifier: Apache-2.0
 *
 * Events: up to 256 bits a partition. Inline, because every signal and every wait passes here.
 */
#ifndef MONITOR_EVENT_H
#define MONITOR_EVENT_H

#include "instructions.h"
#include "state.h"

/* Set the event (less than LIMIT_EVENTS, as the tables have it); if its partition waits in a place of the current frame, that
   place is ready. A stopped partition has no events: its next life starts with none. Returns whether it is alive. */
static inline bool event_set(struct partition *partition, uint64_t event) {
  struct turn *turn = &CPU->turn;
  if (!is_alive(partition))
    return false;
  set_bit(partition->events, event);
  ((volatile uint8_t *)&partition->pending)[event / 64] = 1;
  if (partition->frame_number == turn->number)
    turn->ready |= partition->places & turn->funded;
  return true;
}

/* Move what is pending to the call page of the partition that is loaded; returns in which words. `pending` goes first, so an
   event that another processor sets meanwhile is seen now or by the next wait. */
static inline uint64_t event_take(struct partition *partition, struct call_page *page) {
  uint64_t summary = 0;
  for (uint64_t left = atomic_exchange(&partition->pending, 0); left != 0; left &= left - 1) {
    uint32_t word = (uint32_t)__builtin_ctzll(left) / 8;
    page->events[word] = atomic_exchange(&partition->events[word], 0);
    summary |= 1ull << word;
  }
  return summary;
}

#endif

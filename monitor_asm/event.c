/* SPDX-License-Identifier: Apache-2.0
 *
 * Events: up to 256 bits a partition, and a summary with one bit for each word of them.
 */
#include "monitor.h"

/* A stopped partition has no events; its next life starts with none. */
void event_set(uint32_t partition, uint32_t event) {
  struct partition *target = &partitions[partition];
  uint32_t word = event / 64 % (LIMIT_EVENTS / 64);
  if (!is_running(target))
    return;
  atomic_fetch_or(&target->events[word], 1ull << event % 64);
  atomic_fetch_or(&target->pending, 1ull << word);
}

/* Move what is pending to the call page of the partition that is loaded; returns which words. The summary goes first, so an
   event that another processor sets meanwhile is seen now or by the next wait. */
uint64_t event_take(struct partition *partition, struct call_page *page) {
  uint64_t summary = atomic_exchange(&partition->pending, 0);
  for (uint64_t left = summary; left != 0; left &= left - 1) {
    uint32_t word = (uint32_t)__builtin_ctzll(left);
    page->events[word] = atomic_exchange(&partition->events[word], 0);
  }
  return summary;
}

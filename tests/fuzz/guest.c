/* SPDX-License-Identifier: Apache-2.0
 *
 * A guest of the fuzz run. Now and then it ends, or does what stops it.
 */
#include "fuzz.h"

static void check_vault(void) {
  static const struct call_made none;
  const struct region_descriptor *vault = region("vault");
  for (uint64_t place = 0; vault && place < vault->size; place += sizeof(uint64_t))
    if (*(const uint64_t *)(vault->address + place) != (place + 8) * 0x9e3779b97f4a7c15ull)
      violated(&none, (struct call_result){0, place}, "the vault has changed");
}

/* Each of these is answered with an exception, and that with the next life. */
static void fault(void) {
  switch (below(4)) {
  case 0:
    *(volatile uint64_t *)DATABASE_ADDRESS = 1;
    break;
  case 1:
    *(volatile uint64_t *)DESCRIPTOR_ADDRESS = 1;
    break;
  case 2:
    __asm__ volatile("cli");
    break;
  default:
    __asm__ volatile("ud2");
  }
  static const struct call_made none;
  violated(&none, (struct call_result){0, 0}, "it was not stopped");
}

static void end_now(void) {
  tally->status[CALL_EXIT * STATUS_COUNT + STATUS_OK]++;
  tally->calls++;
  tally->ended++;
  monitor_exit(below(3));
}

int main(void) {
  size_t size;
  const struct facts *facts = config("facts.bin", &size);
  fuzz_begin(heap_start(), &facts->database, DESCRIPTOR_PAGE->index, facts->seed, facts->end_ns);
  check_vault();
  while (!fuzz_is_over()) {
    fuzz_common();
    uint64_t chance = below(600);
    if (chance == 0)
      end_now();
    if (chance == 1)
      fault();
  }
  for (;;)
    monitor_wait(NEVER);
}

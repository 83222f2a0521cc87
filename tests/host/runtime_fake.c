/* SPDX-License-Identifier: Apache-2.0 */
#include "parclose.h"
#include "runtime_check.h"

#include <sys/mman.h>

struct call_page fake_call_page;
uint64_t fake_events;
void (*fake_signal)(void);
void (*fake_wait)(void);
uint32_t fake_life = 1;

uint32_t life(void) {
  return fake_life;
}

enum status monitor_signal(uint32_t channel, uint32_t release) {
  (void)channel;
  CHECK(release == 0);
  if (fake_signal)
    fake_signal();
  return STATUS_OK;
}

/* As the monitor's: all pending events at once, or a time-out. A wait that nothing can end is a hang. */
struct call_result monitor_wait(uint64_t deadline) {
  if (fake_events == 0 && fake_wait)
    fake_wait();
  if (fake_events == 0) {
    CHECK(deadline != NEVER);
    return (struct call_result){STATUS_TIMEOUT, 0};
  }
  fake_call_page.events[0] = fake_events;
  fake_events = 0;
  return (struct call_result){STATUS_OK, 1};
}

struct call_result monitor_signal_and_wait(uint32_t channel, uint32_t release, uint64_t deadline) {
  monitor_signal(channel, release);
  return monitor_wait(deadline);
}

enum status monitor_yield(void) {
  return STATUS_OK;
}

/* The clock page stands where programs find it. */
__attribute__((constructor)) static void map_clock(void) {
  void *place = (void *)CLOCK_PAGE_ADDRESS;
  void *page = mmap(place, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  CHECK(page == place);
  *(struct clock_page *)page = (struct clock_page){.frequency = 2999999937u, .start = clock_now()};
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory, names and time as the runtime promises them, in every life. The exit
 * status is the line that is not so.
 */
#include "parclose.h"

#include <limits.h> /* the compiler's, not the contract's */

#define MUST(condition)                                                                                                \
  do {                                                                                                                 \
    if (!(condition))                                                                                                  \
      return __LINE__;                                                                                                 \
  } while (0)

static int initialised = 42;
static int cleared[1000];
static int constructed;
static const char *const texts[] = {"one", "two"}; /* with relocations, were there any */

__attribute__((constructor)) static void construct(void) {
  constructed++;
}

static bool aligned(void) {
  _Alignas(16) volatile char local[16];
  return (uintptr_t)local % 16 == 0 && (uintptr_t)__builtin_frame_address(0) % 16 == 0;
}

static int check_memory(void) {
  MUST(initialised == 42 && cleared[999] == 0 && constructed == 1 && strcmp(texts[1], "two") == 0);
  MUST(aligned());
  char *start = heap_start(), *end = heap_end();
  MUST((uintptr_t)start % 16 == 0 && end - start > 500000 && end - start < 1 << 20);
  start[0] = end[-1] = 1;
  initialised = 1;
  cleared[999] = 1;
  return 0;
}

static int check_names(void) {
  size_t size;
  const char *greeting = config("greeting.txt", &size);
  MUST(greeting && size == 9 && memcmp(greeting, "good day\n", 9) == 0);
  MUST(!config("nothing", &size) && size == 0 && !channel("nothing") && !device("nothing") && !region("nothing"));
  const struct region_descriptor *table = region("table");
  MUST(table && table->size == 8192 && (table->rights & RIGHT_WRITE));
  MUST(memcmp((const char *)table->address, "good", 4) == 0 || life() > 1);
  memcpy((char *)table->address, "evening", 7);
  MUST(strcmp(partition_name(), "selfcheck") == 0 && channel("console"));
  return 0;
}

static int check_time(void) {
  uint64_t before = clock_now(), start = uptime_ns();
  sleep_ns(2000000);
  MUST(ticks_to_ns(clock_now() - before) >= 2000000 && uptime_ns() - start >= 2000000);
  MUST(!wait_event(200, clock_now() + ns_to_ticks(1000)) && !event_take(200) && !event_take(100000));
  MUST(CHAR_BIT == 8 && clock_frequency() > 100000000);
  return 0;
}

static int check_vectors(void) {
  volatile double third = 1.0 / 3; /* programs may use them, the monitor does not */
  MUST(third * 3 > 0.99);
  return 0;
}

int main(void) {
  int (*const checks[])(void) = {check_memory, check_names, check_time, check_vectors};
  for (unsigned i = 0; i < sizeof checks / sizeof *checks; i++) {
    int wrong = checks[i]();
    if (wrong)
      return wrong;
  }
  printf("life %u is as the others\n", life());
  print_flush();
  if (life() < 4)
    __builtin_trap();
  return 0;
}

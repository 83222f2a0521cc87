/* SPDX-License-Identifier: Apache-2.0
 *
 * From start.S to main and from there to the end of the partition.
 */
#include "runtime.h"

extern int main(void);
extern void (*const init_array_start[])(void), (*const init_array_end[])(void);

static uint32_t this_life;
static void (*last_words)(void);

uint32_t life(void) {
  return this_life;
}

void at_exit(void (*function)(void)) {
  last_words = function;
}

_Noreturn void exit(int status) {
  if (last_words)
    last_words();
  monitor_exit((uint64_t)(int64_t)status);
}

_Noreturn void runtime_main(uint64_t life_number) {
  this_life = (uint32_t)life_number;
  for (void (*const *constructor)(void) = init_array_start; constructor != init_array_end; constructor++)
    (*constructor)();
  exit(main());
}

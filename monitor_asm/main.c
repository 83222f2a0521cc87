/* SPDX-License-Identifier: Apache-2.0
 *
 * From the first C instruction to the manager's first.
 */
#include "../abi/clock.h"
#include "instructions.h"
#include "monitor.h"

extern struct clock_page clock_page;
uint64_t boot(uint64_t info, uint32_t magic);
_Noreturn void start(void);

/* On the boot tables: nothing is touched before the machine is known to be the planned one. `magic` says whose `info` is. */
uint64_t boot(uint64_t info, uint32_t magic) {
  check_machine(loader_memory(info, magic));
  processor_protect();
  return partition_row(DATABASE->manager)->root;
}

static void greet(void) {
  print("parclose monitor: ");
  print(DATABASE->layout);
  print(" on ");
  print(DATABASE->board);
  print(": the machine is the planned one\n");
}

/* On the manager's root, with the processor's own stack. */
_Noreturn void start(void) {
  processor_tables();
  greet();
  pci_initialise();
  interrupt_initialise();
  timer_initialise();
  partition_initialise();
  clock_page.start = read_tsc();
  schedule_start();
  resume();
}

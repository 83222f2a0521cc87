/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks of one guest, each with a stack, woken by the clock and by events. A
 * partition gets no interrupts: a timer's event ends its wait and does not break
 * into running code. So a task keeps the processor until it waits, and how long
 * each did so at the longest is measured. The other partitions do not depend on
 * that: the monitor's own clock takes the processor away from this guest as a whole.
 */
#ifndef TASKS_H
#define TASKS_H

#include <stdint.h>

#define TASKS 4u
#define TASK_STACK 16384u
#define NO_EVENT (~0u)

struct task {
  const char *name;
  void (*body)(void); /* never returns */
  void *stack_pointer;
  uint64_t wake;    /* ticks of the clock */
  unsigned event;   /* wakes it too; NO_EVENT: none */
  uint64_t begun;   /* ticks: when it got the processor */
  uint64_t turns;   /* how often it got it */
  uint64_t longest; /* ticks from then until it waited, with whatever other partitions took meanwhile */
};

void task_add(const char *name, void (*body)(void));
_Noreturn void tasks_run(void);

/* For a task: gives the processor up until `wake`, or until `event` comes. */
void task_wait(uint64_t wake, unsigned event);

/* Null behind the last. */
const struct task *task_at(unsigned index);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Preemptive tasks of one guest, each with a stack, woken by the clock and by events. A partition gets no interrupts: a
 * timer's event ends its wait and cannot break into running code. So the compiler does it: with
 * -fsanitize-coverage=trace-pc every basic block of the program, and of what it fetches, begins with a look at the clock,
 * and a task whose slice is over goes behind the others that are due. The runtime is built without: its functions are
 * never divided, and a task in one of them is preempted after it.
 */
#ifndef TASKS_H
#define TASKS_H

#include <stdint.h>

#define TASKS 4u
#define TASK_STACK 16384u
#define TASK_SLICE_NS 1000000ull
#define NO_EVENT (~0u)

struct task {
  const char *name;
  void (*body)(void); /* never returns */
  void *stack_pointer;
  uint64_t wake;    /* ticks of the clock */
  unsigned event;   /* wakes it too; NO_EVENT: none */
  uint64_t begun;   /* ticks: when it got the processor */
  uint64_t turns;   /* how often it got it */
  uint64_t longest; /* ticks from then until another could run, with whatever other partitions took meanwhile */
  uint64_t preempted;
};

void task_add(const char *name, void (*body)(void));
_Noreturn void tasks_run(void);

/* For a task: gives the processor up until `wake`, or until `event` comes. */
void task_wait(uint64_t wake, unsigned event);

/* For a task: from here to the other no task preempts it. Not to be nested; a wait in between is none. */
void task_hold(void);
void task_release(void);

/* Null behind the last. */
const struct task *task_at(unsigned index);

#endif

// SPDX-License-Identifier: Apache-2.0
// The one that has been due for longest runs next; nobody who is due can be passed over for ever.
#include "tasks.h"

#include "parclose.h"

void task_switch(void **save, void *restore);

static struct task tasks[TASKS];
static _Alignas(16) uint8_t stacks[TASKS][TASK_STACK];
static unsigned count, current;
static void *first_stack_pointer;
static bool held = true; /* until there are tasks */
static uint64_t slice, slice_end;

void task_hold(void) {
  held = true;
}

void task_release(void) {
  held = false;
}

static void enter(void) {
  task_release();
  tasks[current].body();
  printf("the task %s returned\n", tasks[current].name);
  exit(4);
}

void task_add(const char *name, void (*body)(void)) {
  if (count == TASKS)
    return;
  /* what task_switch takes off: six registers, the place to return to; above it a place that nobody returns to */
  void **top = (void **)(stacks[count] + TASK_STACK);
  top[-1] = 0;
  top[-2] = (void *)(uintptr_t)enter;
  tasks[count] = (struct task){.name = name, .body = body, .stack_pointer = top - 8, .event = NO_EVENT};
  count++;
}

/* Takes every event: of one that no task waits for, what it tells is found when somebody looks. */
static void take_events(void) {
  for (unsigned event = 0; event < LIMIT_EVENTS; event++)
    if (event_take(event))
      for (unsigned i = 0; i < count; i++)
        if (tasks[i].event == event)
          tasks[i].wake = 0;
}

static unsigned longest_due(void) {
  unsigned found = 0;
  for (unsigned i = 1; i < count; i++)
    if (tasks[i].wake < tasks[found].wake)
      found = i;
  return found;
}

static void switch_to_next(void **save) {
  wait_any_event(0); /* takes what is there and does not wait: a task that computes never would */
  take_events();
  unsigned next = longest_due();
  while (tasks[next].wake > clock_now()) {
    if (wait_any_event(tasks[next].wake))
      take_events();
    next = longest_due();
  }
  current = next;
  tasks[next].begun = clock_now();
  tasks[next].turns++;
  slice_end = tasks[next].begun + slice;
  if (save != &tasks[next].stack_pointer) /* else it goes on where it is */
    task_switch(save, tasks[next].stack_pointer);
}

void task_wait(uint64_t wake, unsigned event) {
  struct task *task = &tasks[current];
  task_hold(); /* whoever is switched to releases */
  uint64_t lasted = clock_now() - task->begun;
  task->longest = lasted > task->longest ? lasted : task->longest;
  task->wake = wake;
  task->event = event;
  switch_to_next(&task->stack_pointer);
  task_release();
}

/* GCC manual, "Program Instrumentation Options": called from every basic block. It must not be instrumented itself, and
   what it calls is, so it holds before. */
__attribute__((no_sanitize_coverage)) void __sanitizer_cov_trace_pc(void);

void __sanitizer_cov_trace_pc(void) {
  if (held || __builtin_ia32_rdtsc() < slice_end)
    return;
  held = true;
  tasks[current].preempted++;
  task_wait(__builtin_ia32_rdtsc(), NO_EVENT); /* releases; whoever was due earlier is before it */
}

void tasks_run(void) {
  slice = ns_to_ticks(TASK_SLICE_NS);
  switch_to_next(&first_stack_pointer);
  __builtin_unreachable(); /* nobody goes back to this stack */
}

const struct task *task_at(unsigned index) {
  return index < count ? &tasks[index] : 0;
}

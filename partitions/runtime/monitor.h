/* SPDX-License-Identifier: Apache-2.0
 *
 * The monitor's calls, one function each (abi/call.h says what they do). A
 * program seldom needs them: parclose.h has block, console, message and time
 * functions on top of them.
 */
#ifndef PARCLOSE_MONITOR_H
#define PARCLOSE_MONITOR_H

#include "address.h"
#include "call.h"

struct call_result {
  enum status status;
  uint64_t value;
};

/* Arguments that do not fit registers, and what the monitor has to say beyond a word. */
#define CALL_PAGE ((struct call_page *)CALL_PAGE_ADDRESS)

static inline struct call_result monitor_call(enum call number, uint64_t first, uint64_t second, uint64_t third) {
  uint64_t status = number;
  __asm__ volatile("syscall" : "+a"(status), "+d"(third) : "D"(first), "S"(second) : "rcx", "r11", "memory");
  return (struct call_result){(enum status)status, third};
}

/* --- every partition --- */

static inline enum status monitor_signal(uint32_t channel, uint32_t release) {
  return monitor_call(CALL_SIGNAL, channel, release, 0).status;
}

/* Deadline in ticks of the clock; NEVER: none. Value: summary of CALL_PAGE->events. */
static inline struct call_result monitor_wait(uint64_t deadline) {
  return monitor_call(CALL_WAIT, deadline, 0, 0);
}

static inline struct call_result monitor_signal_and_wait(uint32_t channel, uint32_t release, uint64_t deadline) {
  return monitor_call(CALL_SIGNAL_AND_WAIT, channel, release, deadline);
}

static inline enum status monitor_acknowledge(uint32_t device, uint32_t interrupt) {
  return monitor_call(CALL_ACKNOWLEDGE, device, interrupt, 0).status;
}

static inline enum status monitor_yield(void) {
  return monitor_call(CALL_YIELD, 0, 0, 0).status;
}

_Noreturn static inline void monitor_exit(uint64_t status) {
  for (;;)
    monitor_call(CALL_EXIT, status, 0, 0);
}

static inline enum status monitor_debug(char character) {
  return monitor_call(CALL_DEBUG, (uint8_t)character, 0, 0).status;
}

static inline enum status monitor_quiet(uint32_t device) {
  return monitor_call(CALL_QUIET, device, 0, 0).status;
}

/* --- I/O partitions --- */

/* The entries stand in CALL_PAGE->convert. Value, on refusal: the index of the entry refused. */
static inline struct call_result monitor_convert(uint32_t channel, uint32_t count, uint32_t life) {
  return monitor_call(CALL_CONVERT, channel, count, life);
}

static inline enum status monitor_release(uint32_t channel, uint32_t count) {
  return monitor_call(CALL_RELEASE, channel, count, 0).status;
}

static inline struct call_result monitor_channel(uint32_t channel) {
  return monitor_call(CALL_CHANNEL, channel, 0, 0);
}

/* --- the manager --- */

static inline enum status monitor_assign(uint32_t descriptor, uint32_t partition) {
  return monitor_call(CALL_ASSIGN, descriptor, partition, 0).status;
}

/* Value, where a descriptor is the reason of a refusal: its index. */
static inline struct call_result monitor_start(uint32_t partition) {
  return monitor_call(CALL_START, partition, 0, 0);
}

static inline enum status monitor_stop(uint32_t partition) {
  return monitor_call(CALL_STOP, partition, 0, 0).status;
}

/* `what`: enum live. Value: the live word. */
static inline struct call_result monitor_state(uint32_t what, uint32_t index) {
  return monitor_call(CALL_STATE, what, index, 0);
}

/* The record stands in CALL_PAGE->fault. */
static inline enum status monitor_fault(uint32_t partition) {
  return monitor_call(CALL_FAULT, partition, 0, 0).status;
}

#endif

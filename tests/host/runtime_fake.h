/* SPDX-License-Identifier: Apache-2.0
 *
 * A monitor for host tests, compiled in place of partitions/runtime/monitor.h
 * (gcc -include): a wait lets the other side of the channel run, and a signal
 * sets an event.
 */
#ifndef PARCLOSE_MONITOR_H
#define PARCLOSE_MONITOR_H

#include "address.h"
#include "call.h"

struct call_result {
  enum status status;
  uint64_t value;
};

extern struct call_page fake_call_page;
extern uint64_t fake_events;      /* pending for whoever waits */
extern void (*fake_signal)(void); /* the other end, when it is signalled */
extern void (*fake_wait)(void);   /* the other end, while we wait */
extern uint32_t fake_life;

#define CALL_PAGE (&fake_call_page)

enum status monitor_signal(uint32_t channel, uint32_t release);
struct call_result monitor_wait(uint64_t deadline);
struct call_result monitor_signal_and_wait(uint32_t channel, uint32_t release, uint64_t deadline);
enum status monitor_yield(void);

#endif

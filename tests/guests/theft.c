/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes time that is another's, each way by a name: computes for ever, floods signals, faults again and again, has its device
 * interrupt without end, calls the monitor at the last instruction of its frame, has it convert whole batches, or sleeps for
 * moments. Where the victim has not come to the end of its measuring long after it should have, it got no time.
 */
#include "theft.h"
#include "hostile_server.h"

enum way { COMPUTES, SIGNALS, FAULTS, STORMS, LAST, CONVERTS, NAPS };

#define PATIENCE_NS 150000000ull /* the victim needs a third of it */
#define NAP_TICKS 250u           /* long enough to begin to wait */
#define MANY_INTERRUPTS 100u
#define LONGEST_LEAD 1200u /* ticks before the end of a frame, of which we see the beginning a little late */

static volatile const uint32_t *measured;

static void look(void) {
  if (*measured)
    exit(verdict());
  if (uptime_ns() < PATIENCE_NS)
    return;
  escaped("the victim has had no time");
  exit(verdict());
}

static void signals(void) {
  uint32_t bell = channel("bell")->index;
  for (;;) {
    for (unsigned i = 0; i < 50; i++)
      monitor_signal(bell, 0);
    look();
  }
}

/* The transmitter of a 16550 interrupts whenever it is empty and that interrupt is allowed anew. */
static void storms(void) {
  const struct device_descriptor *line = device("com2");
  uint16_t port = (uint16_t)line->bar[0].address;
  unsigned taken = 0;
  __asm__ volatile("outb %0, %1" : : "a"((uint8_t)8), "Nd"((uint16_t)(port + 4))); /* its interrupt leaves the chip */
  for (;;) {
    __asm__ volatile("outb %0, %1" : : "a"((uint8_t)0), "Nd"((uint16_t)(port + 1)));
    monitor_acknowledge(line->index, 0);
    __asm__ volatile("outb %0, %1" : : "a"((uint8_t)2), "Nd"((uint16_t)(port + 1)));
    if (wait_event(line->first_event, deadline_in_ns(FRAME_NS)))
      taken++;
    if (taken == MANY_INTERRUPTS)
      say("stormed");
    look();
  }
}

/* In each frame one call, sooner or later before its end, so that some begin at the last instruction. */
static void last(void) {
  uint64_t end = UINT64_MAX, before = clock_now();
  for (unsigned round = 0;;) {
    uint64_t now = clock_now();
    if (now - before > ns_to_ticks(FRAME_NS) / 2) {
      end = now + ns_to_ticks(FRAME_NS) - round++ * 3 % LONGEST_LEAD;
      look();
    } else if (now >= end) {
      monitor_call(CALL_SIGNAL_AND_WAIT, channel("bell")->index, 0, now + 1);
      end = UINT64_MAX;
    }
    before = now;
  }
}

/* Whole batches in the region that is looked at last: the longest call there is. No life is asked for, so none is counted. */
static void converts(void) {
  const struct channel_descriptor *disk = served("listener");
  for (unsigned i = 0; i < LIMIT_BATCH; i++)
    CALL_PAGE->convert[i] = (struct convert_entry){.address = PROGRAM_ADDRESS, .length = 512, .access = RIGHT_READ};
  if (monitor_convert(disk->index, LIMIT_BATCH, 0).status == STATUS_STALE_LIFE)
    say("converted");
  for (;;) {
    for (unsigned i = 0; i < 20; i++)
      monitor_convert(disk->index, LIMIT_BATCH, 0);
    look();
  }
}

/* Woken by the timer again and again: each time two switches. */
static void naps(void) {
  for (unsigned round = 0;; round++) {
    for (unsigned i = 0; i < 200; i++)
      monitor_wait(clock_now() + NAP_TICKS);
    look();
  }
}

int main(void) {
  measured = (const volatile uint32_t *)region("measured")->address;
  if (life() == 1)
    attempting("to take the victim's time, way %d", WAY);
  look();
  if (WAY == FAULTS)
    __asm__ volatile("ud2");
  if (WAY == SIGNALS)
    signals();
  if (WAY == STORMS)
    storms();
  if (WAY == NAPS)
    naps();
  if (WAY == CONVERTS)
    converts();
  if (WAY == LAST)
    last();
  for (;;)
    look();
}

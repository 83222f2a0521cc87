/* SPDX-License-Identifier: Apache-2.0
 *
 * What the hostile programs share. They speak on the debug port, straight
 * through CALL_DEBUG: no server that they attack stands in between. Each says
 * what it attempts before the deed; only a deed that succeeded gets to say so.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "monitor.h"
#include "parclose.h"

#define ESCAPED 66 /* exit status of a program that did what it must not */

static bool has_escaped;

__attribute__((format(printf, 1, 2))) static inline void say(const char *form, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, form);
  vformat(line, sizeof line, form, arguments);
  va_end(arguments);
  for (const char *next = line; *next; next++)
    monitor_debug(*next);
  monitor_debug('\n');
}

#define attempting(...) say("attempting " __VA_ARGS__)

#define escaped(...) (has_escaped = true, say("escaped " __VA_ARGS__))

/* The end of a program whose deeds have all been tried. */
static inline int verdict(void) {
  return has_escaped ? ESCAPED : 0;
}

/* A refusal that is a status, not a stop: it is said, and anything but the expected one is an escape. */
__attribute__((unused)) static inline void must_be(enum status expected, enum status found) {
  say("status %d", found);
  if (found != expected)
    escaped("status %d instead of %d", found, expected);
}

/* Addresses to attack, as the test works them out from the plan; 0 ends them. A deed that is refused by a stop ends this
   life, so life n starts with the n-th: where nothing is refused, one life gets through all of them. */
__attribute__((unused)) static inline const uint64_t *targets(void) {
  return (const uint64_t *)config("targets.bin", NULL) + (life() - 1);
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Deeds that only ring 0 may do, one for each life until all are through. Each
 * is preceded by a yield: the control's monitor comes back from it in ring 0,
 * where the same instructions do not fault, and a call leads back to ring 3.
 */
#ifndef PRIVILEGED_H
#define PRIVILEGED_H

#include "hostile.h"

struct deed {
  const char *name;
  void (*act)(void);
};

static inline bool in_ring_0(void) {
  uint64_t selector;
  __asm__ volatile("mov %%cs, %0" : "=r"(selector));
  return (selector & 3) == 0;
}

static inline int do_all(const struct deed *deeds, unsigned count) {
  for (unsigned i = life() - 1; i < count; i++) {
    attempting("%s", deeds[i].name);
    monitor_yield();
    deeds[i].act();
    bool privileged = in_ring_0(); /* the next call leaves ring 0 */
    escaped("%s in ring %d", deeds[i].name, privileged ? 0 : 3);
  }
  return verdict();
}

#endif

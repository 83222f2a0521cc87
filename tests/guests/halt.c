/* SPDX-License-Identifier: Apache-2.0
 *
 * Halts the processor. In the control it is ring 0 that halts, with interrupts on:
 * the next one finds the monitor in a state that it holds for a bug of its own.
 */
#include "privileged.h"

int main(void) {
  if (life() > 1)
    return verdict();
  attempting("hlt");
  monitor_yield();
  if (in_ring_0())
    __asm__ volatile("sti; hlt");
  __asm__ volatile("hlt");
  escaped("hlt");
  return verdict();
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Far jumps through every selector of the table, beyond its end and into a local table that is none.
 */
#include "privileged.h"

static const uint16_t selectors[] = {0x08, 0x0b, 0x10, 0x13,   0x18, 0x1b, 0x28, 0x2b,
                                     0x30, 0x33, 0x38, 0xfff8, 0x00, 0x03, 0x04, 0x0c};

static void jump(uint16_t selector) {
  struct __attribute__((packed)) {
    uint64_t offset;
    uint16_t selector;
  } place = {0, selector};
  __asm__ volatile("lea 1f(%%rip), %%rax; mov %%rax, %0; rex64 ljmp *%0; 1:" : "+m"(place) : : "rax", "memory");
}

int main(void) {
  for (unsigned i = life() - 1; i < sizeof selectors / sizeof selectors[0]; i++) {
    attempting("a far jump to %x", selectors[i]);
    monitor_yield(); /* the control's monitor comes back in ring 0 */
    jump(selectors[i]);
    bool privileged = in_ring_0(); /* the next call leaves ring 0 */
    escaped("jumped to %x, ring %d", selectors[i], privileged ? 0 : 3);
  }
  return verdict();
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes a RET to pages of its own that are no text, and executes it: the far end of its stack, its call page.
 */
#include "hostile.h"

int main(void) {
  for (const uint64_t *target = targets(); *target; target++) {
    *(volatile uint8_t *)*target = 0xc3;
    attempting("to execute what was written to %llx", (unsigned long long)*target);
    __asm__ volatile("call *%0" : : "r"(*target) : "memory");
    escaped("executed what was written to %llx", (unsigned long long)*target);
  }
  return verdict();
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Executes what is not its own: each target is a RET, so what succeeds comes back.
 */
#include "hostile.h"

_Alignas(16) volatile uint8_t own_data[16] = {0xc3}; /* a RET where nothing may be executed */

int main(void) {
  for (const uint64_t *target = targets(); *target; target++) {
    attempting("to execute %llx", (unsigned long long)*target);
    __asm__ volatile("call *%0" : : "r"(*target) : "memory");
    escaped("executed %llx", (unsigned long long)*target);
  }
  return verdict();
}

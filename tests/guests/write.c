/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes what is not its own: a zero, where the test knows that one stands already or that nobody minds.
 */
#include "hostile.h"

int main(void) {
  for (const uint64_t *target = targets(); *target; target++) {
    attempting("to write %llx", (unsigned long long)*target);
    *(volatile uint32_t *)*target = 0;
    escaped("wrote %llx", (unsigned long long)*target);
  }
  return verdict();
}

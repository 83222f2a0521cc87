/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads what is not its own.
 */
#include "hostile.h"

int main(void) {
  for (const uint64_t *target = targets(); *target; target++) {
    attempting("to read %llx", (unsigned long long)*target);
    uint32_t found = *(const volatile uint32_t *)*target;
    escaped("read %x", found);
  }
  return verdict();
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * A neighbour that minds its own business. Its constants end in a RET, for attacks that execute.
 */
#include "parclose.h"

_Alignas(16) volatile uint8_t victim_data[16] = {0xc3};

int main(void) {
  for (;;)
    sleep_ns(1000000);
}

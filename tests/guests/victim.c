/* SPDX-License-Identifier: Apache-2.0
 *
 * A neighbour that minds its own business. Its constants end in a RET, for attacks that execute.
 */
#include "parclose.h"

__attribute__((used)) const uint8_t victim_constants[16] = {0xc3};

int main(void) {
  for (;;)
    sleep_ns(1000000);
}

// SPDX-License-Identifier: Apache-2.0
// Reads and writes where its tables should have nothing.
#include "parclose.h"

int main(void) {
  volatile uint64_t *there = (volatile uint64_t *)0x5f000000;
  *there = *there + 1;
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "parclose.h"

int main(void) {
  printf("I had a turn\n");
  return 0;
}
